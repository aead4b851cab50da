from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse

from collector_processor.api import guard, problems
from collector_processor.api.guard import MAX_BODY_BYTES, Guard, host_name

JSON = {"Content-Type": "application/json"}


def guarded(*, public_url: str = "https://errors.example.com", open_to_network: bool = False) -> httpx.AsyncClient:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(app)

    @app.api_route("/{path:path}", methods=["GET", "HEAD", "POST", "PATCH", "DELETE"])
    async def echo(request: Request, path: str) -> PlainTextResponse:
        return PlainTextResponse(await request.body())

    transport = httpx.ASGITransport(Guard(app, public_url=public_url, open_to_network=open_to_network))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


@pytest.mark.parametrize(
    ("host", "closed", "opened"),
    [
        ("127.0.0.1:8080", 200, 200),
        ("localhost:8080", 200, 200),
        ("LOCALHOST.", 200, 200),
        ("[::1]:8080", 200, 200),
        ("errors.example.com", 200, 200),
        ("errors.example.com:443", 200, 200),
        ("10.0.0.7:8080", 200, 200),
        ("evil.example", 421, 421),
        ("errors.example.com.evil.example", 421, 421),
        ("localhost.evil.example", 421, 421),
        ("127.0.0.1.nip.io", 421, 421),
        ("otel-errors:8080", 421, 200),
        ("otel-errors.monitoring.svc:8080", 421, 200),
        ("user@localhost", 421, 421),
        ("localhost/evil", 421, 421),
        ("localhost:port", 421, 421),
        ("[::1", 421, 421),
        ("", 421, 421),
    ],
)
async def test_only_our_own_names_are_served(host: str, closed: int, opened: int) -> None:
    for open_to_network, status in ((False, closed), (True, opened)):
        async with guarded(open_to_network=open_to_network) as client:
            response = await client.get("/api/v1/issues", headers={"Host": host})
        assert response.status_code == status, (host, open_to_network)
        if status == 421:
            assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("case", "method", "path", "headers", "status"),
    [
        ("a program", "PATCH", "/api/v1/issues/1", JSON, 200),
        ("JSON with a charset", "POST", "/api/v1/x", {"Content-Type": "application/json; charset=utf-8"}, 200),
        ("a form of a foreign page", "POST", "/api/v1/x", {"Content-Type": "text/plain"}, 415),
        ("no media type", "POST", "/api/v1/x", {}, 415),
        ("a foreign page's fetch", "POST", "/api/v1/x", {**JSON, "Origin": "https://evil.example"}, 403),
        ("a foreign page, other header", "POST", "/api/v1/x", {**JSON, "Sec-Fetch-Site": "cross-site"}, 403),
        ("a sibling site", "POST", "/api/v1/x", {**JSON, "Sec-Fetch-Site": "same-site"}, 403),
        ("another port of this machine", "POST", "/api/v1/x", {**JSON, "Origin": "http://127.0.0.1:9999"}, 403),
        ("an opaque origin", "POST", "/api/v1/x", {**JSON, "Origin": "null"}, 403),
        ("a broken origin", "POST", "/api/v1/x", {**JSON, "Origin": "http://["}, 403),
        ("our page", "POST", "/issues/1/actions", {"Origin": "http://127.0.0.1:8080"}, 200),
        ("our page at its public name", "POST", "/issues/1/actions", {"Origin": "https://errors.example.com"}, 200),
        ("our page, newer browsers", "POST", "/issues/1/actions", {"Sec-Fetch-Site": "same-origin"}, 200),
        ("a form without any sign", "POST", "/issues/1/actions", {}, 403),
        ("headers that disagree", "POST", "/x", {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil"}, 403),
        ("reading from elsewhere changes nothing", "GET", "/x", {"Sec-Fetch-Site": "cross-site"}, 200),
        ("DELETE has no body", "DELETE", "/api/v1/x", {}, 200),
    ],
)  # fmt: skip
async def test_who_may_change_something(
    case: str, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    async with guarded() as client:
        response = await client.request(method, path, headers=headers)
    assert response.status_code == status, response.text


async def test_bodies_are_bounded_with_and_without_a_length() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * (MAX_BODY_BYTES // 10)

    async with guarded() as client:
        assert (await client.post("/api/v1/x", headers=JSON, content=b"x" * MAX_BODY_BYTES)).status_code == 200
        assert (await client.post("/api/v1/x", headers=JSON, content=b"x" * (MAX_BODY_BYTES + 1))).status_code == 413
        assert (await client.post("/api/v1/x", headers=JSON, content=chunks())).status_code == 413
        assert (await client.post("/api/v1/x", headers={**JSON, "Content-Length": "-1"})).status_code == 400


async def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.1)

    async def half() -> AsyncIterator[bytes]:
        yield b'{"state": '
        await asyncio.Event().wait()

    async with guarded() as client:
        response = await asyncio.wait_for(client.post("/api/v1/x", headers=JSON, content=half()), 60)
    assert (response.status_code, response.headers["connection"]) == (408, "close")
    assert response.headers["content-type"] == "application/problem+json"


async def test_the_handler_gets_the_whole_body() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async with guarded() as client:
        assert (await client.post("/api/v1/x", headers=JSON, content=chunks())).text == "one two"


async def test_every_answer_carries_the_headers() -> None:
    async with guarded() as client:
        for response in (
            await client.get("/x"),
            await client.get("/x", headers={"Host": "evil.example"}),
            await client.post("/x"),
        ):
            policy = response.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe-inline" not in policy
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["a b", "a,b", "a\\b", "a?b", "a#b", "::1", "a:0", "a:99999"])
def test_what_is_no_host(host: str) -> None:
    assert host_name(host) is None or host == "::1"


async def test_an_unexpected_error_says_nothing_about_our_insides(caplog: Any) -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/boom/{secret}")
    def boom(secret: str) -> None:
        raise RuntimeError(f"password {secret}")

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.get("/boom/hunter2")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "hunter2" not in response.text
    assert "hunter2" not in caplog.text
    assert "unexpected RuntimeError at test_guard.py" in caplog.text
    assert "/boom/{secret}" in caplog.text
