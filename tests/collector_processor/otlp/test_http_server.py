"""OTLP/HTTP on a real port: the status table, limits, compression, CORS, clients that go away."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import zstandard
from google.rpc import status_pb2

from collector_processor.otlp import content_encoding, http_app
from collector_processor.otlp.exchange import Accepted, BadData, Request, Retry, TooLarge
from collector_processor.otlp.http_app import OtlpHttp
from collector_processor.otlp.http_server import HttpServer, serve_app, start_http
from collector_processor.otlp.messages import SIGNAL_OF_PATH
from tests.collector_processor.otlp.telemetry import Handler

LIMIT = 64 * 1024
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
ORIGIN = "https://shop.example"
ZEROS = bytes(LIMIT + 1)


# One server for the module: a stop of uvicorn takes a quarter of a second.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def module_handler() -> Handler:
    return Handler()


@pytest.fixture
def handler(module_handler: Handler) -> Handler:
    module_handler.outcomes = [Accepted()]
    module_handler.requests = []
    return module_handler


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(module_handler: Handler) -> AsyncIterator[HttpServer]:
    started = await start_http(
        module_handler, bind="127.0.0.1:0", max_request_bytes=LIMIT, cors_origins=[ORIGIN, "http://localhost:3000/"]
    )
    yield started
    await started.stop(0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(server: HttpServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as opened:
        yield opened


@pytest.mark.parametrize("path", list(SIGNAL_OF_PATH))
async def test_each_signal_has_its_path(client: httpx.AsyncClient, handler: Handler, path: str) -> None:
    answer = await client.post(path, content=b"payload", headers={**PROTOBUF, "X-Key": "v"})
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"", "application/x-protobuf")
    (request,) = handler.requests
    assert (request.signal, request.payload, request.encoding) == (SIGNAL_OF_PATH[path], b"payload", "protobuf")
    assert request.headers["x-key"] == "v"
    assert request.peer.startswith("127.0.0.1:")


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"]
)
async def test_the_answer_is_in_the_encoding_of_the_request(
    client: httpx.AsyncClient, handler: Handler, content_type: str
) -> None:
    answer = await client.post("/v1/traces", content=b"{}", headers={"content-type": content_type})
    assert (answer.status_code, answer.json(), answer.headers["content-type"]) == (200, {}, "application/json")
    assert handler.requests[0].encoding == "json"


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [(Retry("later", 7), 503, 14), (BadData("broken"), 400, 3), (TooLarge("big"), 413, 8)],
)
async def test_failures_are_statuses_in_the_encoding_of_the_request(
    client: httpx.AsyncClient, handler: Handler, outcome: Any, status: int, code: int
) -> None:
    handler.outcomes = [outcome]
    answer = await client.post("/v1/logs", content=b"", headers=PROTOBUF)
    body = status_pb2.Status.FromString(answer.content)
    assert (answer.status_code, body.code, body.message) == (status, code, outcome.reason)
    assert answer.headers.get("retry-after") == ("7" if status == 503 else None)
    answer = await client.post("/v1/logs", content=b"{}", headers=JSON)
    assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (status, code, outcome.reason)


async def test_a_partial_success_is_told(client: httpx.AsyncClient, handler: Handler) -> None:
    handler.outcomes = [Accepted(2, "old")]
    answer = await client.post("/v1/traces", content=b"{}", headers=JSON)
    assert answer.json() == {"partialSuccess": {"rejectedSpans": "2", "errorMessage": "old"}}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_405(client: httpx.AsyncClient, handler: Handler, method: str) -> None:
    answer = await client.request(method, "/v1/traces")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert handler.requests == []


@pytest.mark.parametrize("path", ["/", "/v1/trace", "/v1/traces/", "/v1/profiles", "/metrics", "/v1/../v1/tracesx"])
async def test_other_paths_are_404(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path, content=b"{}", headers=JSON)).status_code == 404


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/grpc", "application/jsonx", ";", "é"])
async def test_other_media_types_are_415(client: httpx.AsyncClient, handler: Handler, content_type: str) -> None:
    answer = await client.post("/v1/traces", content=b"{}", headers=[(b"content-type", content_type.encode())])
    assert answer.status_code == 415
    assert "application/x-protobuf or application/json" in answer.text
    assert handler.requests == []


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"payload")),
        ("deflate", zlib.compress(b"payload")),
        ("zstd", zstandard.compress(b"payload")),
        ("identity", b"payload"),
        ("GZIP", gzip.compress(b"payload")),
    ],
)
async def test_compressed_bodies(client: httpx.AsyncClient, handler: Handler, encoding: str, body: bytes) -> None:
    answer = await client.post("/v1/traces", content=body, headers={**PROTOBUF, "content-encoding": encoding})
    assert answer.status_code == 200
    assert handler.requests[0].payload == b"payload"


async def test_a_large_compressed_body_is_read_beside_the_loop(handler: Handler) -> None:
    server = await start_http(handler, bind="127.0.0.1:0", max_request_bytes=8 * 1024 * 1024)
    try:
        body = gzip.compress(bytes(range(256)) * 4096, compresslevel=0)
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"http://127.0.0.1:{server.port}/v1/traces"
            answer = await client.post(url, content=body, headers={**PROTOBUF, "content-encoding": "gzip"})
        assert answer.status_code == 200
        assert handler.requests[0].payload == bytes(range(256)) * 4096
    finally:
        await server.stop(0)


@pytest.mark.parametrize("encoding", ["br", "snappy", "gzip, gzip"])
async def test_unknown_content_encodings_are_415(client: httpx.AsyncClient, encoding: str) -> None:
    answer = await client.post("/v1/traces", content=b"{}", headers={**JSON, "content-encoding": encoding})
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "gzip, deflate, zstd")
    assert "not supported" in answer.json()["message"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
async def test_a_broken_body_is_400(client: httpx.AsyncClient, handler: Handler, encoding: str) -> None:
    whole = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}[encoding](b"payload" * 99)
    for body in (whole[:-1], b"nonsense"):
        answer = await client.post("/v1/traces", content=body, headers={**JSON, "content-encoding": encoding})
        assert (answer.status_code, answer.json()["code"]) == (400, 3)
    assert handler.requests == []


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("identity", ZEROS),
        ("gzip", gzip.compress(bytes(30 * 1024 * 1024))),
        ("deflate", zlib.compress(ZEROS)),
        ("zstd", zstandard.compress(bytes(300 * 1024 * 1024))),
    ],
)
async def test_too_large_before_or_after_decompression_is_413(
    client: httpx.AsyncClient, handler: Handler, encoding: str, body: bytes
) -> None:
    answer = await client.post("/v1/traces", content=body, headers={**JSON, "content-encoding": encoding})
    assert (answer.status_code, answer.json()["code"]) == (413, 8)
    assert str(LIMIT) in answer.json()["message"]
    assert handler.requests == []


async def test_exactly_the_limit_is_not_too_large(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/traces", content=bytes(LIMIT), headers=PROTOBUF)).status_code == 200


async def test_a_chunked_body_is_bounded_too(client: httpx.AsyncClient, handler: Handler) -> None:
    async def chunks(number: int) -> AsyncIterator[bytes]:
        for _ in range(number):
            yield bytes(1024)

    answer = await client.post("/v1/traces", content=chunks(LIMIT // 1024 + 1), headers=PROTOBUF)
    assert answer.status_code == 413
    answer = await client.post("/v1/traces", content=chunks(3), headers=PROTOBUF)
    assert (answer.status_code, len(handler.requests[0].payload)) == (200, 3072)


# --- CORS ---


@pytest.mark.parametrize("origin", [ORIGIN, "http://localhost:3000"])
async def test_a_preflight_of_a_named_origin(client: httpx.AsyncClient, origin: str) -> None:
    answer = await client.options(
        "/v1/traces",
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,x-tenant",
        },
    )
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "content-type,x-tenant"
    assert "Origin" in answer.headers["vary"]
    answer = await client.post("/v1/traces", content=b"{}", headers={**JSON, "origin": origin})
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example.attacker.test",
        "https://attackershop.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://SHOP.example",
        "null",
        "*",
        "",
    ],
)
async def test_no_other_origin_gets_in(client: httpx.AsyncClient, origin: str) -> None:
    headers = {"origin": origin, "access-control-request-method": "POST"}
    answer = await client.options("/v1/traces", headers=headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    answer = await client.post("/v1/traces", content=b"{}", headers={**JSON, "origin": origin})
    assert "access-control-allow-origin" not in answer.headers


async def test_errors_carry_the_headers_without_which_a_browser_cannot_read_them(
    client: httpx.AsyncClient, handler: Handler
) -> None:
    handler.outcomes = [Retry("later")]
    answer = await client.post("/v1/traces", content=b"{}", headers={**JSON, "origin": ORIGIN})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (503, ORIGIN)
    assert answer.headers["access-control-expose-headers"] == "Retry-After"


async def test_requested_headers_are_not_echoed_when_they_are_none(client: httpx.AsyncClient) -> None:
    headers = {"origin": ORIGIN, "access-control-request-method": "POST", "access-control-request-headers": "a;b<c>"}
    answer = await client.options("/v1/traces", headers=headers)
    assert answer.headers["access-control-allow-headers"] == "content-type, content-encoding, authorization"


@pytest.mark.parametrize("origin", ["*", "shop.example", "https://shop.example/app", "https://*.example", "null", ""])
async def test_what_is_no_origin_stops_the_start(origin: str, handler: Handler) -> None:
    with pytest.raises(ValueError, match="cors_origins"):
        await start_http(handler, bind="127.0.0.1:0", max_request_bytes=LIMIT, cors_origins=[origin])


# --- clients that misbehave ---


async def raw(server: HttpServer, head: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head)
    await writer.drain()
    return reader, writer


HEAD = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


async def test_a_client_that_goes_away_in_its_body_leaves_nothing_behind(
    server: HttpServer, client: httpx.AsyncClient, handler: Handler
) -> None:
    _, writer = await raw(server, HEAD + b"content-length: 1000\r\n\r\n" + b"{")
    writer.close()
    await writer.wait_closed()
    assert (await client.post("/v1/traces", content=b"{}", headers=JSON)).status_code == 200
    assert [request.payload for request in handler.requests] == [b"{}"]


async def test_an_announced_body_over_the_limit_is_refused_and_the_client_sees_it(server: HttpServer) -> None:
    reader, writer = await raw(server, HEAD + b"content-length: %d\r\n\r\n" % (LIMIT + 1))
    writer.write(ZEROS)
    assert b" 413 " in await reader.readline()
    writer.close()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
async def test_a_small_body_that_stands_for_much_is_not_undone_on_the_loop(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    threads: list[bool] = []

    def decompress(body: bytes, encoding: str, limit: int) -> bytes:
        on_loop = threading.current_thread() is threading.main_thread()
        threads.append(on_loop)
        assert not on_loop or limit <= 512 * 1024
        return content_encoding.decompress(body, encoding, limit)

    monkeypatch.setattr(http_app, "decompress", decompress)
    large = b'{"resourceSpans": [' + b" " * (4 << 20) + b"]}"
    small = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}[encoding](large)
    assert len(small) < 16 * 1024
    handler = Handler()
    server = await start_http(handler, bind="127.0.0.1:0", max_request_bytes=8 << 20)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client:
            headers = {**JSON, "content-encoding": encoding}
            answers = await asyncio.gather(
                *(client.post("/v1/traces", content=small, headers=headers) for _ in range(5))
            )
    finally:
        await server.stop(0)
    assert [answer.status_code for answer in answers] == [200] * 5
    assert [request.payload for request in handler.requests] == [large] * 5
    assert sorted(threads) == [False] * 5 + [True] * 5


async def test_who_asks_first_is_told_before_sending(server: HttpServer) -> None:
    reader, writer = await raw(server, HEAD + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % (LIMIT + 1))
    assert b" 413 " in await reader.readline()
    writer.close()
    reader, writer = await raw(server, HEAD + b"expect: 100-continue\r\ncontent-length: 2\r\n\r\n")
    assert b" 100 " in await reader.readline()
    writer.write(b"{}")
    assert b" 200 " in (await reader.readuntil(b"content-type"))
    writer.close()


async def test_a_body_that_dribbles_is_given_up() -> None:
    app = OtlpHttp(Handler(), max_request_bytes=LIMIT, body_seconds=0.1)
    server = await serve_app(app, bind="127.0.0.1:0", lifespan=False)
    try:
        reader, writer = await raw(server, HEAD + b"content-length: 1000\r\n\r\n{")
        assert b" 503 " in await reader.readline()
        writer.close()
    finally:
        await server.stop(0)


async def test_bodies_that_are_arriving_are_bounded_all_together() -> None:
    handler = Handler()
    server = await start_http(handler, bind="127.0.0.1:0", max_request_bytes=LIMIT, max_buffered_bytes=1500)
    try:
        first_reader, first = await raw(server, HEAD + b"content-length: 1400\r\n\r\n" + b" " * 1398)
        url = f"http://127.0.0.1:{server.port}/v1/traces"
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(500):  # until the first body has been read
                answer = await client.post(url, content=b" " * 998 + b"{}", headers=JSON)
                if answer.status_code != 200:
                    break
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            first.write(b"{}")
            assert b" 200 " in await first_reader.readline()
            assert (await client.post(url, content=b"{}", headers=JSON)).status_code == 200
        first.close()
    finally:
        await server.stop(0)


async def test_a_handler_that_raises_is_503_and_its_error_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    async def failing(request: Request) -> Accepted:
        raise RuntimeError("ann@example.com")

    server = await start_http(failing, bind="127.0.0.1:0", max_request_bytes=LIMIT)
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"http://127.0.0.1:{server.port}/v1/traces", content=b"{}", headers=JSON)
        assert answer.status_code == 503
        assert "ann@" not in answer.text + caplog.text
        assert "RuntimeError" in caplog.text
    finally:
        await server.stop(0)


# --- start and stop ---


async def test_a_stop_lets_a_running_request_end() -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Accepted:
        entered.set()
        await release.wait()
        return Accepted()

    server = await start_http(slow, bind="127.0.0.1:0", max_request_bytes=LIMIT)
    url = f"http://127.0.0.1:{server.port}/v1/traces"
    async with httpx.AsyncClient(trust_env=False) as client:
        running = asyncio.create_task(client.post(url, content=b"{}", headers=JSON))
        await entered.wait()
        stopping = asyncio.create_task(server.stop(5))
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            except ConnectionError:  # refused, or reset while the listener closes
                break
            writer.close()
            await asyncio.sleep(0.01)
        release.set()
        assert (await running).status_code == 200
        await stopping
    await server.stop(0)  # a second stop is nothing


async def test_a_port_that_is_taken_says_which(server: HttpServer, handler: Handler) -> None:
    with pytest.raises(OSError, match=f"127.0.0.1:{server.port}"):
        await start_http(handler, bind=f"127.0.0.1:{server.port}", max_request_bytes=LIMIT)


async def test_a_port_is_shared_only_when_both_ask_for_it(handler: Handler) -> None:
    first = await start_http(handler, bind="127.0.0.1:0", max_request_bytes=LIMIT, share_port=True)
    try:
        bind = f"127.0.0.1:{first.port}"
        second = await start_http(handler, bind=bind, max_request_bytes=LIMIT, share_port=True)
        assert second.port == first.port
        await second.stop(0)
    finally:
        await first.stop(0)


async def test_ipv6(handler: Handler) -> None:
    try:
        server = await start_http(handler, bind="[::1]:0", max_request_bytes=LIMIT)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"http://[::1]:{server.port}/v1/traces"
            assert (await client.post(url, content=b"{}", headers=JSON)).status_code == 200
    finally:
        await server.stop(0)


async def test_a_request_never_shows_its_payload_or_headers() -> None:
    request = Request(signal="traces", payload=b"secret", headers={"authorization": "Bearer secret"})
    assert "secret" not in repr(request) + str(request)
    assert json.dumps(repr(request)) == '"Request(traces, protobuf, 6 bytes)"'
