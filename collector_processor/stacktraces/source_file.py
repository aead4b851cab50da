"""A file's name without the place where it happens to lie: what two deployments of one program have in common.

``file_key`` goes into fingerprints, ``short_file`` is for people. Neither keeps a home directory's user name.
"""

from __future__ import annotations

import re

from collector_processor.stacktraces.text import remembered

_LIBRARY = re.compile(
    r".*(?:/|^)(?:site-packages|dist-packages|node_modules|~|lib(?:64)?/(?:python|pypy)-?[0-9][^/]*|lib-python/[^/]+"
    r"|[Pp]ython[0-9.\-]*/[Ll]ib|python[0-9]+\.zip)/",
    re.DOTALL,
)
_LIBRARY_HINT = re.compile(r"-packages/|node_modules/|~/|[Ll]ib|\.zip/")
_LONGEST = 512
"""Characters of a file name that count, from its end."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://+")
_VOLATILE = re.compile(
    r"""
    [0-9][0-9._\-T]*                       # a release number, a date, a process id
    | v?[0-9]+(?:\.[0-9]+)+\S*             # a version
    | [0-9a-f]{7,64}                       # a commit, a build
    | .*[0-9a-f]{7,64}(?:_.*)?             # J9vw_…_fdf4c43
    | .*[0-9]{4,}.*
    | (?:release|build|deploy|rev|app|srv|slot)s?[-_.]?[0-9].*
    | .*\.(?:egg|whl|pex|zip|jar|asar)
    | \([^)]*\) | \.[^/]*
    """,
    re.VERBOSE,
)

# Directories that programs are put into, not parts of them.
_ROOTS = frozenset(
    word
    for words in (
        "app apps application applications bin blue build builds bundle code container current deploy deployment dist",
        "green home js lib live mnt opt out prod production project projects public release releases repo root server",
        "site sites source sources src srv staging static task temp tmp user users usr var versions web work workdir",
        "worker workspace workspaces www wwwroot c: d: e: assets chunks _next",
    )
    for word in words.split()
)
_EVALUATED = re.compile(r"\(eval at (.+):[0-9]+\)$")
"""Ruby says where code was evaluated, with the line."""
_HOMES = frozenset({"home", "users"})

# Names that stand in many directories of one program, so that the directory says which.
_COMMON = frozenset(
    word
    for words in (
        "__init__ __main__ index mod views view models model urls admin forms tasks task signals handlers handler",
        "serializers schemas schema routes route router routers service services client clients api base core common",
        "types errors exceptions utils util helpers helper config settings managers manager middleware controller",
        "controllers repository repositories store actions reducer queries mutations resolvers page layout loading",
        "error template component hooks context provider test tests conftest dependencies validators permissions",
    )
    for word in words.split()
)

_SCRIPT = re.compile(r"\.(?:[cm]?[jt]sx?|bundle|jsbundle|wasm)$")
_BUNDLE_HASH = re.compile(
    r"(?<=[\w)\]])[.\-_~](?:(?=[A-Za-z0-9]*[0-9])(?:[0-9a-f]{7,64}|[A-Za-z0-9]{8,24}(?<![a-z]{6}))|[0-9a-f]{12,64})"
    r"(?=[.\-_~])"
)
_VITE_HASH = re.compile(r"-[\w\-]{8}(?=\.m?js$)")
_TEMPLATE = re.compile(r"[0-9a-f]{32,64}\.php")
"""What Blade and Twig compile a template to, named by its path or its content."""
_NUMBERED = re.compile(r"^[0-9]+(?=\.)")


@remembered
def file_key(file: str) -> str:
    """The file in a fingerprint: its path in the library, or its base name, with its directory where many files have
    that name.

    Without host, query, release path, hash of a bundle. ``""`` for a place that is no file (``<anonymous>``,
    ``native``, ``<string>``).
    """
    directories, base = _split(file)
    if directories is None:
        return base
    if base.partition(".")[0].lower() in _COMMON and not base.endswith("bundle"):
        parent = _parent(directories)
        return f"{parent}/{base}" if parent else base
    return base


@remembered
def short_file(file: str) -> str:
    """The file as people name it: ``shop/payments.py``, ``requests/adapters.py``."""
    directories, base = _split(file)
    if directories is None:
        return "/".join(base.split("/")[-3:])
    parent = _parent(directories)
    return f"{parent}/{base}" if parent else base


@remembered
def _split(file: str) -> tuple[list[str] | None, str]:
    """(directories, base name) of a file of the application; (None, path in the library) of a library's."""
    if file.startswith(("node:", "<frozen ")):
        return None, file
    if file.startswith("r8-map-id-"):  # Android's shrinker, and the number of the build
        return None, ""
    if file.startswith(("<", "[", "native")) or file in ("", "eval code", "repl"):
        return None, "" if not file.startswith("<embedded") else file
    evaluated = _EVALUATED.match(file) if file.startswith("(eval at ") else None
    if evaluated is not None:
        file = evaluated[1]
    path = file[-_LONGEST:].replace("\\", "/").partition("?")[0].partition("#")[0].removeprefix("package:")
    vite = "/assets/" in path
    scheme = _SCHEME.match(path) if "://" in path else None
    if scheme is not None:
        path = path[scheme.end() :]
        if not scheme[0].startswith("file:") and not scheme[0].endswith(":///"):
            path = path.partition("/")[2] or path  # the host; webpack's name of the build
    elif path.startswith("blob:"):
        return None, ""
    library = _LIBRARY.match(path) if _LIBRARY_HINT.search(path) is not None else None
    if library is not None:
        parts = [part for part in path[library.end() :].split("/") if part and not part.endswith(".egg")]
        return None, "/".join(parts)
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    if not parts:
        return None, ""
    base = parts.pop()
    if _TEMPLATE.fullmatch(base):
        base = "<hash>.php"
    if _SCRIPT.search(base):
        base = _BUNDLE_HASH.sub("", base)
        if vite:
            base = _VITE_HASH.sub("", base)
        base = _NUMBERED.sub("<n>", base)
    return parts, base


def _parent(directories: list[str]) -> str:
    if not directories:
        return ""
    if len(directories) > 1 and directories[-2].lower() in _HOMES:
        return ""
    return _lasting(directories[-1])


@remembered
def _lasting(directory: str) -> str:
    """The directory's name, ``""`` when it is one that programs are put into."""
    name = directory.partition("@v")[0] or directory  # the version of a Go module
    return "" if name.lower() in _ROOTS or _VOLATILE.fullmatch(name) else name
