"""Whatever is asked, the answer is a document of ours and never a 500."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.collector_processor.api.stored import Stored, error

FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

ISSUES = ["0000000000", "nope", "\x00", "ᚠ", "0" * 500]
KEYS = [
    "state",
    "severity",
    "service_name",
    "environment",
    "assignee",
    "q",
    "sort",
    "order",
    "limit",
    "cursor",
    "hours",
]
KEYS += ["service", "range", "occurrence", "other"]
words = st.one_of(
    st.text(max_size=30),
    st.integers().map(str),
    st.sampled_from(
        ["new", "open", "all", "count", "asc", "0", "1", "-1", "1e9", "9" * 30, "7d", "WyJjb3VudCIsdHJ1ZSwxLCJhIl0"]
    ),
)
queries = st.lists(st.tuples(st.sampled_from(KEYS), words), max_size=4)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["resolved", "new"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
change_keys = st.sampled_from(
    ["state", "assignee", "team", "severity", "note", "in_next_release", "ignore_until", "ignore_events", "x"]
)
bodies = st.dictionaries(change_keys, values | words, max_size=4) | values


def quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def check(response: httpx.Response) -> None:
    assert response.status_code < 500, (response.request.url, response.text)
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == response.status_code
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.fixture(scope="module")
def filled(empty: Stored) -> Stored:
    empty.add(error(1), error(2))
    return empty


@FUZZ
@given(
    path=st.sampled_from(
        [
            "/",
            "/issues/{}",
            "/f/{}",
            "/api/v1/issues",
            "/api/v1/issues/{}",
            "/api/v1/issues/{}/occurrences",
            "/api/v1/issues/{}/activity",
            "/api/v1/issues/{}/trend",
            "/api/v1/events/{}",
            "/api/v1/lookup/{}",
            "/api/v1/stats",
            "/{}",
        ]
    ),
    name=st.sampled_from([*ISSUES, "{1}"]) | st.text(max_size=20),
    query=queries,
)
async def test_reading(filled: Stored, path: str, name: str, query: list[tuple[str, str]]) -> None:
    place = path.format(quoted(filled.id_of(1) if name == "{1}" else name))
    text = "&".join(f"{key}={quoted(value)}" for key, value in query)
    async with filled.client() as client:
        check(await client.get(httpx.URL(f"http://127.0.0.1:8080{place}?{text}")))


@FUZZ
@given(body=bodies, known=st.booleans())
async def test_changing(filled: Stored, body: Any, known: bool) -> None:
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    async with filled.client() as client:
        issue = filled.id_of(1) if known else "0000000000"
        check(await client.patch(f"/api/v1/issues/{issue}", content=content, headers=headers))


@FUZZ
@given(into=words, sources=st.lists(words, max_size=3) | values, raw=st.binary(max_size=50))
async def test_merging(filled: Stored, into: str, sources: Any, raw: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with filled.client() as client:
        content = json.dumps({"into": into, "issues": sources}).encode()
        check(await client.post("/api/v1/issues/merge", content=content, headers=headers))
        check(await client.post("/api/v1/issues/merge", content=raw, headers=headers))


@FUZZ
@given(
    action=st.sampled_from(["acknowledge", "resolve", "ignore", "reopen", "assign", "set_severity", "merge", "x"]),
    fields=st.dictionaries(
        st.sampled_from(["assignee", "severity", "into", "ignore_until", "ignore_events"]), words, max_size=3
    ),
)
async def test_forms(filled: Stored, action: str, fields: dict[str, str]) -> None:
    pairs = {"action": action, **fields}
    content = "&".join(f"{key}={quoted(value)}" for key, value in pairs.items())
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    async with filled.client(**headers) as client:
        response = await client.post(f"/issues/{filled.id_of(1)}/actions", content=content)
    assert response.status_code < 500, response.text


@FUZZ
@given(accept=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
async def test_accept_headers(filled: Stored, accept: str) -> None:
    async with filled.client() as client:
        for path in ("/metrics", "/", "/nothing"):
            response = await client.get(path, headers={"Accept": accept})
            assert response.status_code in (200, 404)
