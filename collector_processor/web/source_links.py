"""A frame's line in the repository that the error's release was built from: its address on GitHub, GitLab, Bitbucket
or Gitea, from ``vcs.*`` attributes or the template ``links.source``. Pure.

What a sender says becomes part of an address only where it can be nothing else: the repository has to be a plain http
or https address, a path loses no ``..``, and every part is percent-encoded. A file whose place in the repository is a
guess too many gets no link: a wrong line is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

from collector_processor.events import ErrorEvent, Frame
from collector_processor.web.links import filled, is_web_address
from otel_errors import semconv

MAX_PATH: Final = 512
NO_PATHS: Final = frozenset({"java", "kotlin", "scala"})
"""These print a file's base name only."""

_SCP = re.compile(r"(?:[\w.\-]{1,64}@)([A-Za-z0-9.\-]{1,253}):(?!/)([^\s:?#]{1,256})")
_USER = re.compile(r"^(https?://)[^/@?#\s]{0,256}@")
_PLAIN = re.compile(r"[\w.~+\-]{1,128}(?:/[\w.~+\-]{1,128}){1,8}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_REVISION = re.compile(r"[\w.+\-]{1,128}(?:/[\w.+\-]{1,128}){0,8}", re.ASCII)
_WEBPACK = re.compile(r"(?:webpack|rsc|turbopack)(?:-internal)?://[^/]{0,128}/(?:\./)?")
_RUNNER = re.compile(
    r"/(?:home/runner/work|__w|a)/([\w.\-]{1,128})/\1/|/(?:home/vsts/work|__w|a)/[0-9]{1,6}/s/|/builds/[\w.\-]{1,128}/[\w.\-]{1,128}/"
)
"""Where the runners of GitHub, Azure and GitLab build."""
_DEPLOYED = re.compile(
    r"/(?:usr/src/app|srv/app|opt/app|var/task|var/www/html|github/workspace|app|code|src|workspace)/"
    r"|.{0,256}?/releases/[\w.\-]{1,64}/|.{0,256}?/current/"
)
"""Where containers, functions, build machines and Capistrano put a program's root."""


class Repository(NamedTuple):
    host: str
    path: str
    """``acme/shop``, without a slash at either end and without ``.git``."""
    scheme: str = "https"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}/{self.path}"


def repository(said: str) -> Repository | None:
    """What ``vcs.repository.url.full`` names, also in git's own form (``git@host:acme/shop.git``). User, password,
    query and fragment are dropped; anything but a plain address is None."""
    said = said.strip()
    scp = _SCP.fullmatch(said)
    if scp is not None:
        said = f"https://{scp[1]}/{scp[2]}"
    if said.startswith("ssh://"):
        said = "https://" + said[6:]
    said = _USER.sub(r"\1", said)  # also one whose password was redacted, which is no address
    if not is_web_address(said):
        return None
    parts = urlsplit(said)
    host = parts.netloc
    path = parts.path.strip("/").removesuffix(".git")
    if _HOST.fullmatch(host) is None or _PLAIN.fullmatch(path) is None or ".." in path.split("/"):
        return None
    return Repository(host.lower(), path, parts.scheme)


def _github(at: Repository, revision: str, file: str, line: int) -> str:
    return f"{at.url}/blob/{revision}/{file}#L{line}"


def _gitlab(at: Repository, revision: str, file: str, line: int) -> str:
    return f"{at.url}/-/blob/{revision}/{file}#L{line}"


def _bitbucket(at: Repository, revision: str, file: str, line: int) -> str:
    if at.host == "bitbucket.org":
        return f"{at.url}/src/{revision}/{file}#lines-{line}"
    project, _, name = at.path.removeprefix("scm/").rpartition("/")  # a server of one's own
    return f"{at.scheme}://{at.host}/projects/{project}/repos/{name}/browse/{file}?at={revision}#{line}"


def _gitea(at: Repository, revision: str, file: str, line: int) -> str:
    kind = "commit" if _COMMIT.fullmatch(revision) else "tag"
    return f"{at.url}/src/{kind}/{revision}/{file}#L{line}"


_FORGES: Final[tuple[tuple[str, Callable[[Repository, str, str, int], str]], ...]] = (
    ("github", _github),
    ("gitlab", _gitlab),
    ("bitbucket", _bitbucket),
    *((name, _gitea) for name in ("gitea", "forgejo", "codeberg")),
)
"""By a word of ``vcs.provider.name`` or of the host."""


def path_in_repository(file: str, at: Repository | None, roots: Sequence[str] = ()) -> str | None:
    """The frame's file below the root of the repository, with ``/`` between its parts; None where that is not known.

    A relative path is one from the root. Of an absolute one is taken off the longest of ``roots``
    (``links.source_roots``); else a build machine's directory (``_RUNNER``); else all up to ``host/acme/shop/`` or to a
    directory with the repository's name; else a directory that programs are put into (``_DEPLOYED``).
    """
    path = file[: MAX_PATH + 1].replace("\\", "/").removeprefix("file://")
    webpack = _WEBPACK.match(path)
    if webpack is not None:
        path = path[webpack.end() :].partition("?")[0]
    drive = re.match(r"/?[A-Za-z]:(?=/)", path)
    if drive is not None:
        path = path[drive.end() :]
    if path.startswith("/"):
        path = _below_root(path, at, roots)
    elif at is not None and path.startswith(f"{at.host}/{at.path}/"):  # Go's -trimpath
        path = path[len(at.host) + len(at.path) + 2 :]
    path = path.removeprefix("./")
    parts = path.split("/")
    plain = all(part not in ("", ".", "..") and part == part.strip() for part in parts)
    if len(file) > MAX_PATH or not plain or re.search(r"[\x00-\x1f\x7f:<>|*\"\ud800-\udfff]", path):
        return None
    return path


def _below_root(path: str, at: Repository | None, roots: Sequence[str]) -> str:
    for root in sorted((root.replace("\\", "/").rstrip("/") + "/" for root in roots), key=len, reverse=True):
        if path.startswith(root):
            return path[len(root) :]
    runner = _RUNNER.match(path)
    if runner is not None:
        return path[runner.end() :]
    for mark in (f"/{at.host}/{at.path}/", f"/{at.path.rpartition('/')[2]}/") if at is not None else ():
        _, found, below = path.partition(mark)
        if found:
            return below
    deployed = _DEPLOYED.match(path)
    return path[deployed.end() :] if deployed is not None else path


def source_links(
    event: ErrorEvent, language: str, template: str | None, roots: Sequence[str]
) -> Callable[[Frame], str | None]:
    """What gives a frame's address, None without one: for the application's own frames with a line, from
    ``links.source`` if it is set, else from the ``vcs.*`` attributes of the event."""
    said = event.attributes
    at = repository(said.get(semconv.VCS_REPOSITORY_URL_FULL, ""))
    revision = said.get(semconv.VCS_REF_HEAD_REVISION, "") or (
        event.release if _COMMIT.fullmatch(event.release) else ""
    )
    if _REVISION.fullmatch(revision) is None or ".." in revision:
        revision = ""
    provider = said.get(semconv.VCS_PROVIDER_NAME, "").lower() or (at.host if at is not None else "")
    forge = next((form for word, form in _FORGES if word in provider), None)

    def link(frame: Frame) -> str | None:
        if not frame.in_app or not frame.file or not frame.line or (language in NO_PATHS and "/" not in frame.file):
            return None
        file = path_in_repository(frame.file, at, roots)
        if file is None:
            return None
        if template:
            return filled(
                template,
                file=file,
                line=str(frame.line),
                revision=revision,
                repository=at.url if at is not None else "",
                release=event.release,
                service_name=event.service_name,
            )
        if at is None or forge is None or not revision:
            return None
        url = forge(at, quote(revision, safe="/"), quote(file, safe="/"), frame.line)
        return url if is_web_address(url) else None

    return link
