"""Connections that only cost: too many, silent, slow, or not reading. A real server each, on a real port."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Awaitable, Callable

import pytest

from collector_processor.otlp import http_server
from collector_processor.otlp.connections import MOST_CONNECTIONS, BoundedHttp, max_connections
from collector_processor.otlp.grpc_server import start_grpc
from collector_processor.otlp.http_server import HttpServer, serve_app
from tests.collector_processor.otlp.telemetry import Handler

REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
WAIT = 60
"""Seconds that something may take on a loaded machine before it counts as not happening."""

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def hello(
    scope: dict[str, object], receive: Callable[[], Awaitable[object]], send: Callable[..., object]
) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})  # type: ignore[misc]
    await send({"type": "http.response.body", "body": b"hi"})  # type: ignore[misc]


async def serve(monkeypatch: pytest.MonkeyPatch, app: object = hello, **bounds: float) -> HttpServer:
    monkeypatch.setattr(http_server, "_protocol", lambda: type("Short", (BoundedHttp,), bounds))
    return await serve_app(app, bind="127.0.0.1:0", lifespan=False)


async def connect(server: HttpServer, sent: bytes = b"") -> Connection:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(sent)
    return reader, writer


async def answered(connection: Connection) -> bool:
    connection[1].write(REQUEST)
    return (await asyncio.wait_for(connection[0].readuntil(b"hi"), WAIT)).startswith(b"HTTP/1.1 200")


async def is_ended(connection: Connection) -> bool:
    try:
        return await asyncio.wait_for(connection[0].read(), WAIT) == b""
    except ConnectionError:
        return True


async def test_the_longest_idle_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    server = await serve(monkeypatch, limit=3)
    try:
        first, second, third = [await connect(server) for _ in range(3)]
        assert await answered(second)
        assert await answered(third)
        assert await answered(first)  # the one that came first is not the one that is idle longest
        fourth = await connect(server)
        assert await answered(fourth)
        assert await is_ended(second)
        for kept in (first, third, fourth):
            assert await answered(kept)
            kept[1].close()
    finally:
        await server.stop(0)


async def test_busy_connections_are_not_cut_for_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    going_on = asyncio.Event()
    arrived = asyncio.Semaphore(0)

    async def slow(
        scope: dict[str, object], receive: Callable[[], Awaitable[object]], send: Callable[..., object]
    ) -> None:
        arrived.release()
        await going_on.wait()
        await hello(scope, receive, send)

    server = await serve(monkeypatch, slow, limit=2)
    try:
        busy = [await connect(server, REQUEST) for _ in range(2)]
        for _ in busy:
            await asyncio.wait_for(arrived.acquire(), WAIT)
        assert await is_ended(await connect(server))
        going_on.set()
        for reader, writer in busy:
            assert (await asyncio.wait_for(reader.readuntil(b"hi"), WAIT)).startswith(b"HTTP/1.1 200")
            writer.close()
    finally:
        going_on.set()
        await server.stop(0)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nhost: loc"])
async def test_a_head_that_does_not_come_ends_the_connection(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    server = await serve(monkeypatch, head_seconds=0.2)
    try:
        assert await is_ended(await connect(server, sent))
        later = await connect(server)
        assert await answered(later)
        later[1].write(b"GET / HT")
        assert await is_ended(later)
    finally:
        await server.stop(0)


async def test_a_head_that_dribbles_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    server = await serve(monkeypatch, head_seconds=0.3)
    reader, writer = await connect(server, b"GET / HTTP/1.1\r\n")

    async def dribble() -> None:
        while not reader.at_eof():
            writer.write(b"x: y\r\n")
            await asyncio.sleep(0.02)

    dribbling = asyncio.create_task(dribble())
    try:
        assert await is_ended((reader, writer))
    finally:
        dribbling.cancel()
        await server.stop(0)


async def test_who_does_not_read_the_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = asyncio.Event()

    async def large(scope: object, receive: object, send: Callable[..., Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for more in range(63, -1, -1):  # more than sockets hold: it stands until it is read, or cut
            await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": bool(more)})
        let_go.set()

    server = await serve(monkeypatch, large, stalled_seconds=0.2)
    try:
        with socket.create_connection(("127.0.0.1", server.port)) as unread:
            unread.sendall(REQUEST)
            await asyncio.wait_for(let_go.wait(), WAIT)
    finally:
        await server.stop(0)


async def test_what_is_no_http_leaves_no_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve(monkeypatch)
    try:
        reader, _ = await connect(server, b"\x16\x03\x01 jane.doe@example.com\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), WAIT)).startswith(b"HTTP/1.1 400")
        assert caplog.text == ""
    finally:
        await server.stop(0)


async def test_silent_grpc_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector_processor.otlp.grpc_server.max_connections", lambda: 3)
    server = await start_grpc(Handler(), bind="127.0.0.1:0", max_request_bytes=1024)
    opened = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(12)]
    try:
        ended = [asyncio.create_task(is_closed(reader)) for reader, _ in opened]
        end = asyncio.get_running_loop().time() + WAIT
        while sum(task.done() for task in ended) < 9:
            assert asyncio.get_running_loop().time() < end
            await asyncio.sleep(0.02)
        for task in ended:
            task.cancel()
    finally:
        for _, writer in opened:
            writer.close()
        await server.stop(0)


async def is_closed(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(1024):
            pass
    except ConnectionError:
        pass


@pytest.mark.parametrize(
    ("soft", "connections"),
    [(1024, 256), (32, 16), (10**6, MOST_CONNECTIONS), (resource.RLIM_INFINITY, MOST_CONNECTIONS)],
)
def test_the_bound_follows_the_descriptors(monkeypatch: pytest.MonkeyPatch, soft: int, connections: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, resource.RLIM_INFINITY))
    assert max_connections() == connections
