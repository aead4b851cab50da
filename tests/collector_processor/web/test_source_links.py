"""Addresses of frames in repositories: each forge's form, each deployment's paths, and nothing that a sender could
turn into another address."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_processor.events import Frame, RawError
from collector_processor.stages.normalise import normalise
from collector_processor.web.links import is_web_address
from collector_processor.web.source_links import path_in_repository, repository, source_links
from otel_errors import semconv
from tests.collector_processor.api.stored import Stored, error
from tests.collector_processor.web.markup import Markup

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FRAME = Frame("charge", None, "/app/src/pay (1).py", 12, None, in_app=True)


def event(url: str, revision: str = COMMIT, provider: str = "", **fields: Any) -> Any:
    said = {semconv.VCS_REPOSITORY_URL_FULL: url, semconv.VCS_REF_HEAD_REVISION: revision}
    said[semconv.VCS_PROVIDER_NAME] = provider
    return error(1, attributes={key: value for key, value in said.items() if value}, **fields)


@pytest.mark.parametrize(
    ("case", "url", "provider", "link"),
    [
        ("GitHub", "https://github.com/acme/shop", "", f"https://github.com/acme/shop/blob/{COMMIT}/src/pay%20%281%29.py#L12"),
        ("GitHub of one's own", "https://github.acme.example:8443/acme/shop.git", "", f"https://github.acme.example:8443/acme/shop/blob/{COMMIT}/src/pay%20%281%29.py#L12"),
        ("git's form", "git@github.com:acme/shop.git", "", f"https://github.com/acme/shop/blob/{COMMIT}/src/pay%20%281%29.py#L12"),
        ("ssh", "ssh://git@gitlab.com/acme/shop.git", "", f"https://gitlab.com/acme/shop/-/blob/{COMMIT}/src/pay%20%281%29.py#L12"),
        ("GitLab with groups", "https://gitlab.com/acme/web/shop/", "", f"https://gitlab.com/acme/web/shop/-/blob/{COMMIT}/src/pay%20%281%29.py#L12"),
        ("Bitbucket", "https://bitbucket.org/acme/shop", "", f"https://bitbucket.org/acme/shop/src/{COMMIT}/src/pay%20%281%29.py#lines-12"),
        ("Bitbucket of one's own", "https://bitbucket.acme.example/scm/web/shop.git", "", f"https://bitbucket.acme.example/projects/web/repos/shop/browse/src/pay%20%281%29.py?at={COMMIT}#12"),
        ("Codeberg", "https://codeberg.org/acme/shop", "", f"https://codeberg.org/acme/shop/src/commit/{COMMIT}/src/pay%20%281%29.py#L12"),
        ("Gitea by the provider", "https://code.acme.example/acme/shop", "gitea", f"https://code.acme.example/acme/shop/src/commit/{COMMIT}/src/pay%20%281%29.py#L12"),
        ("a password is dropped", "https://bob:secret@github.com/acme/shop", "", f"https://github.com/acme/shop/blob/{COMMIT}/src/pay%20%281%29.py#L12"),
        ("a redacted password", "https://bob:[password]@github.com/acme/shop", "", f"https://github.com/acme/shop/blob/{COMMIT}/src/pay%20%281%29.py#L12"),
        ("another host", "https://code.acme.example/acme/shop", "", None),
        ("no repository", "", "", None),
        ("no path", "https://github.com/", "", None),
        ("script", "javascript:alert(1)//github.com/a/b", "", None),
        ("data", "data:text/html,github", "", None),
        ("markup", "https://github.com/a/b\"><script>", "", None),
        ("a line end", "https://github.com/a\n/b", "", None),
        ("up and away", "https://github.com/a/../../evil", "", None),
        ("a query", "https://github.com/acme/shop?x=1#y", "", f"https://github.com/acme/shop/blob/{COMMIT}/src/pay%20%281%29.py#L12"),
        ("not an address", "https://[github.com/a/b", "", None),
    ],
)  # fmt: skip
def test_forges(case: str, url: str, provider: str, link: str | None) -> None:
    assert source_links(event(url, provider=provider), "python", None, ())(FRAME) == link


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("src/pay.py", "src/pay.py"),
        ("./src/main.rs", "src/main.rs"),
        ("lib/shop/cart.ex", "lib/shop/cart.ex"),
        ("/app/src/pay.py", "src/pay.py"),
        ("/usr/src/app/lib/pay.js", "lib/pay.js"),
        ("file:///var/task/pay.mjs", "pay.mjs"),
        ("/var/www/releases/20261124/app/pay.rb", "app/pay.rb"),
        ("/srv/web/current/app/pay.rb", "app/pay.rb"),
        ("/home/ann/shop/shop/pay.py", "shop/pay.py"),
        ("/home/runner/work/shop/shop/src/pay.py", "src/pay.py"),
        ("D:\\a\\shop\\shop\\src\\Pay.cs", "src/Pay.cs"),
        ("/home/vsts/work/1/s/src/Pay.cs", "src/Pay.cs"),
        ("/builds/acme/shop/src/pay.py", "src/pay.py"),
        ("/go/src/github.com/acme/shop/pay.go", "pay.go"),
        ("github.com/acme/shop/internal/pay.go", "internal/pay.go"),
        ("webpack://shop/./src/Cart.tsx?", "src/Cart.tsx"),
        ("webpack-internal:///./src/cart.jsx", "src/cart.jsx"),
        ("/opt/platform/pay.py", "pay.py"),
        ("/opt/platform/deep/pay.py", "pay.py"),
        ("/etc/pay.py", None),
        ("C:\\Users\\ann\\pay.py", None),
        ("https://shop.example/assets/index.js", None),
        ("../pay.py", None),
        ("/app/../etc/passwd", None),
        ("src//pay.py", None),
        ("<string>", None),
        ("src/a\nb.py", None),
        ("src/\ud800.py", None),
        ("a/" * 300 + "b.py", None),
        ("", None),
    ],
)
def test_paths(file: str, path: str | None) -> None:
    at = repository("https://github.com/acme/shop")
    roots = ("/opt/platform", "/opt/platform/deep/")
    assert path_in_repository(file, at, roots) == path


@pytest.mark.parametrize(
    ("case", "frame", "language"),
    [
        ("a library's", Frame("f", None, "/app/a.py", 3, None), "python"),
        ("without a line", Frame("f", None, "/app/a.py", None, None, in_app=True), "python"),
        ("without a file", Frame("f", None, None, 3, None, in_app=True), "python"),
        ("a file that Java names without its directory", Frame("f", None, "A.java", 3, None, in_app=True), "java"),
    ],
)
def test_frames_without_a_link(case: str, frame: Frame, language: str) -> None:
    assert source_links(event("https://github.com/acme/shop"), language, None, ())(frame) is None


@pytest.mark.parametrize(
    ("template", "link"),
    [
        ("https://git.example/{service_name}/blob/{revision}/{file}#L{line}", f"https://git.example/a%2Fb/blob/{COMMIT}/src/pay%20%281%29.py#L12"),
        ("{repository}/raw/{release}/{file}?l={line}", "https://code.example/acme/shop/raw/1.0%2F%7Bline%7D/src/pay%20%281%29.py?l=12"),
        ("javascript:alert('{file}')", None),
        ("https://git.example/{file", "https://git.example/{file"),
    ],
)  # fmt: skip
def test_a_template_of_ones_own(template: str, link: str | None) -> None:
    said = event("https://code.example/acme/shop", service_name="a/b", release="1.0/{line}")
    assert source_links(said, "python", template, ())(FRAME) == link


def test_a_template_whose_value_is_not_known_gives_no_link() -> None:
    assert source_links(event("", ""), "python", "https://g.example/{revision}/{file}", ())(FRAME) is None


def test_the_release_is_the_revision_where_it_is_a_commit() -> None:
    said = event("https://github.com/acme/shop", revision="", release=COMMIT)
    assert (source_links(said, "python", None, ())(FRAME) or "").startswith(
        f"https://github.com/acme/shop/blob/{COMMIT}/"
    )
    assert source_links(event("https://github.com/acme/shop", "", release="1.4.2"), "python", None, ())(FRAME) is None


@settings(deadline=None, max_examples=300, derandomize=True)
@given(*(st.text(max_size=80) for _ in range(4)), st.sampled_from(["", "https://github.com/", "git@gitlab.com:a/"]))
def test_no_value_leaves_its_place(url: str, revision: str, file: str, provider: str, start: str) -> None:
    frame = Frame("f", None, file, 3, None, in_app=True)
    link = source_links(event(start + url, revision, provider), "python", None, ())(frame)
    if link is not None:
        assert is_web_address(link)
        assert not set(link) & set("\"'<>\\ ")
        assert "/../" not in link


def test_the_attributes_of_the_resource_reach_the_event() -> None:
    resource = {
        "service.name": "shop",
        semconv.VCS_REPOSITORY_URL_FULL: "https://github.com/acme/shop",
        semconv.VCS_REF_HEAD_REVISION: COMMIT,
    }
    found = normalise(RawError(signal="log", resource=resource, attributes={"exception.type": "E"}))
    assert source_links(found, "python", None, ())(FRAME) is not None


HOSTILE = [
    "javascript:alert(1)",
    'https://github.com/a/b" onmouseover="alert(1)',
    "https://github.com/a/b'><script>alert(1)</script>",
    "https://github.com/{{ 7 * 7 }}/b",
    "data:text/html;base64,PHNjcmlwdD4=",
]


async def test_the_page_links_own_frames(stored: Stored) -> None:
    stack = 'Traceback (most recent call last):\n  File "/app/a b.py", line 3, in f\n    x\n'
    library = '  File "/usr/lib/python3.11/json/decoder.py", line 9, in g\n    y\nE: bad'
    stored.add(event("https://github.com/acme/shop", stacktrace=stack + library, language="python"))
    async with stored.client(Accept="text/html") as client:
        page = Markup((await client.get(f"/issues/{stored.id_of(1)}")).text)
    links = [href for href in page.attributes("a", "href") if "github.com" in href]
    assert links == [f"https://github.com/acme/shop/blob/{COMMIT}/a%20b.py#L3"]
    assert page.faults == []


@pytest.mark.parametrize("url", HOSTILE)
async def test_no_hostile_value_becomes_a_link(stored: Stored, url: str) -> None:
    stack = 'Traceback (most recent call last):\n  File "/app/a.py", line 3, in f\n    x\nE: bad'
    stored.add(event(url, url, url, release=url, stacktrace=stack, language="python"))
    async with stored.client(Accept="text/html") as client:
        page = Markup((await client.get(f"/issues/{stored.id_of(1)}")).text)
    assert page.faults == []
    assert [href for href in page.attributes("a", "href") if "blob" in href or "alert" in href] == []
