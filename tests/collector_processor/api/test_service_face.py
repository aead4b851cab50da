"""Health, trouble with the store, and the whole app on a real port."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from tests.collector_processor.api.stored import Stored, error


@pytest.fixture
def address(stored: Stored) -> Iterator[str]:
    config = uvicorn.Config(stored.app, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 90
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_over_a_real_port(stored: Stored, address: str) -> None:
    stored.add(error(1))
    with httpx.Client(base_url=f"http://{address}", trust_env=False) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/api/v1/issues").json()["issues"][0]["id"] == stored.id_of(1)
        assert client.get(f"/issues/{stored.id_of(1)}", headers={"Accept": "text/html"}).status_code == 200
        changed = client.patch(f"/api/v1/issues/{stored.id_of(1)}", json={"state": "acknowledged"})
        assert changed.json()["state"] == "acknowledged"
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 421
        assert client.get("/metrics").text.count("otel_errors_issue_info{") == 1


def test_a_body_without_an_end_is_cut_off(stored: Stored, address: str) -> None:
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"PATCH /api/v1/issues/x HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
        answer = b""
        try:
            for _ in range(64):
                connection.sendall(chunk)
        except OSError:
            pass  # it stopped listening, as it should
        while b"\r\n\r\n" not in answer and (part := connection.recv(65536)):
            answer += part
    assert answer.startswith(b"HTTP/1.1 413")


async def test_readiness_tells_why_not(stored: Stored) -> None:
    async with stored.client() as client:
        assert (await client.get("/readyz")).status_code == 200
        stored.reasons.append("the consumer does not run")
        response = await client.get("/readyz")
        alive = await client.get("/healthz")
    assert response.status_code == 503
    assert response.json()["reasons"] == ["the consumer does not run"]
    assert response.headers["content-type"] == "application/problem+json"
    assert alive.status_code == 200


async def test_a_store_that_fails_is_a_503_everywhere(stored: Stored) -> None:
    stored.add(error(1))
    issue = stored.id_of(1)
    with stored.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE issues RENAME TO gone")
    paths = (
        "/api/v1/issues",
        f"/api/v1/issues/{issue}",
        f"/api/v1/issues/{issue}/trend",
        "/api/v1/stats",
        "/",
        f"/issues/{issue}",
    )
    async with stored.client() as client:
        for path in paths:
            response = await client.get(path)
            assert response.status_code == 503, path
            assert response.headers["retry-after"] == "5"
            assert str(stored.path) not in response.text
        page = await client.get("/", headers={"Accept": "text/html"})
        assert page.status_code == 503
        assert page.headers["content-type"].startswith("text/html")
        assert (await client.get("/healthz")).status_code == 200


async def test_slow_reads_do_not_hold_up_the_rest(stored: Stored) -> None:
    """A store call that blocks stands in a thread: health is answered meanwhile."""
    stored.add(error(1))
    hold = stored.store.engine.connect()
    hold.exec_driver_sql("SELECT 1")
    entered, release = threading.Event(), threading.Event()
    original = stored.store.queries.list_issues

    def slow(*args: object, **kwargs: object) -> object:
        entered.set()
        release.wait(10)
        return original(*args, **kwargs)  # type: ignore[arg-type]

    stored.store.queries.list_issues = slow  # type: ignore[method-assign,assignment]
    async with stored.client() as client:
        listing = asyncio.create_task(client.get("/api/v1/issues"))
        await asyncio.to_thread(entered.wait, 10)
        assert (await client.get("/healthz")).status_code == 200
        release.set()
        assert (await listing).status_code == 200
    hold.close()
