"""The next hop: real gRPC servers that answer in every way, and one that is not there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from collector_processor.otlp.exchange import Accepted, BadData, Outcome, Request, Retry, TooLarge
from collector_processor.otlp.forward import Forwarder, _target
from collector_processor.otlp.grpc_server import start_grpc
from collector_processor.otlp.messages import SERVICES
from tests.collector_processor.otlp.certificates import made
from tests.collector_processor.otlp.telemetry import Handler

REQUEST = Request(signal="traces", payload=b"payload")
Code = grpc.StatusCode


@asynccontextmanager
async def hop(export: Callable[[bytes, Any], Awaitable[bytes]], credentials: Any = None) -> AsyncIterator[int]:
    """A server that is not ours, so that it can answer what ours never does."""
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(export)
    name = SERVICES["traces"].grpc_name
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": handler}),))
    if credentials is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("localhost:0", credentials)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)


@asynccontextmanager
async def forwarder(endpoint: str, **more: Any) -> AsyncIterator[Forwarder]:
    made = Forwarder(endpoint, **{"timeout_seconds": 5.0, **more})
    try:
        yield made
    finally:
        await made.aclose()


async def outcome_of(export: Callable[[bytes, Any], Awaitable[bytes]], **more: Any) -> Outcome:
    async with hop(export) as port, forwarder(f"http://127.0.0.1:{port}", **more) as forward:
        return await forward.forward(REQUEST)


def refusing(code: grpc.StatusCode, *trailers: tuple[str, bytes]) -> Callable[[bytes, Any], Awaitable[bytes]]:
    async def export(payload: bytes, context: Any) -> bytes:
        await context.abort(code, "said the hop", trailers)
        raise AssertionError

    return export


@pytest.mark.parametrize("signal", list(SERVICES))
async def test_bytes_and_partial_success_pass_through_our_own_server(signal: Any) -> None:
    handler = Handler(Accepted(3, "too old"), Accepted())
    server = await start_grpc(handler, bind="127.0.0.1:0", max_request_bytes=1024 * 1024)
    try:
        async with forwarder(f"http://127.0.0.1:{server.port}") as forward:
            request = Request(signal=signal, payload=b"\x00payload")
            assert await forward.forward(request) == Accepted(3, "too old")
            assert await forward.forward(request) == Accepted()
        assert [(seen.signal, seen.payload) for seen in handler.requests] == [(signal, b"\x00payload")] * 2
        assert len({seen.peer for seen in handler.requests}) == 1, "the connection is kept"
    finally:
        await server.stop(0)


@pytest.mark.parametrize(
    "code",
    [
        Code.UNAVAILABLE,
        Code.CANCELLED,
        Code.DEADLINE_EXCEEDED,
        Code.ABORTED,
        Code.OUT_OF_RANGE,
        Code.DATA_LOSS,
        Code.UNKNOWN,
        Code.INTERNAL,
        Code.UNAUTHENTICATED,
        Code.PERMISSION_DENIED,
    ],
)
async def test_what_may_pass_is_retried(code: grpc.StatusCode) -> None:
    outcome = await outcome_of(refusing(code))
    assert outcome == Retry(f"the next hop: {code.name}: said the hop", 1.0)


@pytest.mark.parametrize(
    "code",
    [Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION, Code.UNIMPLEMENTED, Code.NOT_FOUND, Code.ALREADY_EXISTS],
)
async def test_what_will_never_be_taken_is_bad_data(code: grpc.StatusCode) -> None:
    assert await outcome_of(refusing(code)) == BadData(f"the next hop: {code.name}: said the hop")


async def test_a_service_that_the_hop_does_not_have_is_bad_data() -> None:
    async with hop(refusing(Code.UNAVAILABLE)) as port, forwarder(f"http://127.0.0.1:{port}") as forward:
        outcome = await forward.forward(Request(signal="logs", payload=b""))
    assert isinstance(outcome, BadData)
    assert "UNIMPLEMENTED" in outcome.reason


def info(seconds: int, nanos: int) -> error_details_pb2.RetryInfo:
    return error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=seconds, nanos=nanos))


def details(seconds: int, nanos: int) -> bytes:
    packed = any_pb2.Any()
    packed.Pack(info(seconds, nanos))
    other = any_pb2.Any()
    other.Pack(error_details_pb2.BadRequest())
    return status_pb2.Status(code=14, details=[other, packed]).SerializeToString()


DELAYS = [
    (("google.rpc.retryinfo-bin", info(2, 500_000_000).SerializeToString()), 2.5),
    (("grpc-status-details-bin", details(7, 0)), 7.0),
    (("google.rpc.retryinfo-bin", info(-3, 0).SerializeToString()), 0.0),
    (("google.rpc.retryinfo-bin", b"\xff\xff"), None),
    (("grpc-status-details-bin", b"\xff\xff"), None),
    (("grpc-status-details-bin", status_pb2.Status(code=14).SerializeToString()), None),
]


@pytest.mark.parametrize(("trailer", "delay"), DELAYS)
async def test_the_delay_of_the_hop_is_passed_back(trailer: tuple[str, bytes], delay: float | None) -> None:
    outcome = await outcome_of(refusing(Code.UNAVAILABLE, trailer))
    assert isinstance(outcome, Retry)
    assert outcome.delay_seconds == (1.0 if delay is None else delay)
    exhausted = await outcome_of(refusing(Code.RESOURCE_EXHAUSTED, trailer))
    assert exhausted.__class__ is (TooLarge if delay is None else Retry)


async def test_a_hop_that_is_not_there_is_retried_and_found_when_it_comes() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
    handler = Handler()
    async with forwarder(f"http://127.0.0.1:{port}") as forward:
        outcome = await forward.forward(REQUEST)
        assert isinstance(outcome, Retry)
        assert "UNAVAILABLE" in outcome.reason
        server = await start_grpc(handler, bind=f"127.0.0.1:{port}", max_request_bytes=1024)
        try:
            for _ in range(600):
                if await forward.forward(REQUEST) == Accepted():
                    break
                await asyncio.sleep(0.05)
            assert len(handler.requests) == 1
        finally:
            await server.stop(0)


async def test_a_hop_that_does_not_answer_is_retried_after_the_deadline() -> None:
    async def sleeping(payload: bytes, context: Any) -> bytes:
        await asyncio.Event().wait()
        return b""

    outcome = await outcome_of(sleeping, timeout_seconds=0.2)
    assert isinstance(outcome, Retry)
    assert "DEADLINE_EXCEEDED" in outcome.reason


async def test_a_hop_that_breaks_off_is_retried() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(rude, "127.0.0.1", 0)
    async with server, forwarder(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as forward:
        assert isinstance(await forward.forward(REQUEST), Retry)


async def test_an_answer_that_cannot_be_read_is_still_ok() -> None:
    async def garbage(payload: bytes, context: Any) -> bytes:
        return b"\xff\xff\xff"

    assert await outcome_of(garbage) == Accepted()


async def test_requests_as_large_as_ours_pass() -> None:
    handler = Handler()
    server = await start_grpc(handler, bind="127.0.0.1:0", max_request_bytes=32 * 1024 * 1024)
    try:
        async with forwarder(f"http://127.0.0.1:{server.port}") as forward:
            assert await forward.forward(Request(signal="traces", payload=bytes(20 * 1024 * 1024))) == Accepted()
    finally:
        await server.stop(0)


async def test_after_close_it_connects_anew_and_never_raises() -> None:
    handler = Handler()
    server = await start_grpc(handler, bind="127.0.0.1:0", max_request_bytes=1024)
    try:
        forward = Forwarder(f"http://127.0.0.1:{server.port}", timeout_seconds=5)
        await forward.aclose()
        assert await forward.forward(REQUEST) == Accepted()
        await forward.aclose()
        assert await forward.forward(REQUEST) == Accepted()
        await forward.aclose()
    finally:
        await server.stop(0)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[bytes, bytes]:
    """Key and self-signed certificate of localhost."""
    pair = made(tmp_path, "localhost")
    return pair.key.read_bytes(), pair.certificate.read_bytes()


async def test_tls(certificate: tuple[bytes, bytes]) -> None:
    credentials = grpc.ssl_server_credentials([certificate])

    async def export(payload: bytes, context: Any) -> bytes:
        return b""

    async with hop(export, credentials) as port:
        async with forwarder(f"https://localhost:{port}", root_certificates=certificate[1]) as trusting:
            assert await trusting.forward(REQUEST) == Accepted()
        async with forwarder(f"https://localhost:{port}") as careful:
            assert isinstance(await careful.forward(REQUEST), Retry), "a certificate that nobody vouches for"


async def test_headers_and_compression_go_with_every_request() -> None:
    seen: list[tuple[bytes, dict[str, Any]]] = []

    async def export(payload: bytes, context: Any) -> bytes:
        seen.append((payload, dict(context.invocation_metadata())))
        return b""

    async with hop(export) as port:
        headers = (("authorization", "Bearer x,y"), ("x-scope-orgid", "shop"))
        async with forwarder(f"http://127.0.0.1:{port}", headers=headers, gzip=True) as forward:
            assert await forward.forward(REQUEST) == Accepted()
    ((payload, metadata),) = seen
    assert payload == REQUEST.payload, "gRPC undoes the compression"
    assert metadata["authorization"] == "Bearer x,y"
    assert metadata["x-scope-orgid"] == "shop"


async def test_a_hop_that_asks_for_a_certificate_gets_ours(tmp_path: Path) -> None:
    server, ours = made(tmp_path, "localhost"), made(tmp_path, "processor")
    pair = (server.key.read_bytes(), server.certificate.read_bytes())
    credentials = grpc.ssl_server_credentials([pair], ours.certificate.read_bytes(), require_client_auth=True)
    trusting = {"root_certificates": pair[1]}
    identity = (ours.key.read_bytes(), ours.certificate.read_bytes())

    async def export(payload: bytes, context: Any) -> bytes:
        return b""

    async with hop(export, credentials) as port:
        async with forwarder(f"https://localhost:{port}", identity=identity, **trusting) as known:
            assert await known.forward(REQUEST) == Accepted()
        async with forwarder(f"https://localhost:{port}", **trusting) as nobody:
            assert isinstance(await nobody.forward(REQUEST), Retry)


@pytest.mark.parametrize(
    ("endpoint", "target", "secure"),
    [
        ("http://tempo:4317", "tempo:4317", False),
        ("https://tempo.example/", "tempo.example:4317", True),
        ("http://[::1]:9", "[::1]:9", False),
        ("http://[::1]", "[::1]:4317", False),
        ("http://127.0.0.1:4317/v1/traces", "127.0.0.1:4317", False),
    ],
)
def test_endpoints(endpoint: str, target: str, secure: bool) -> None:
    assert _target(endpoint) == (target, secure)


@pytest.mark.parametrize("endpoint", ["tempo:4317", "grpc://tempo:4317", "http://", ""])
def test_what_is_no_endpoint_says_so(endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"forward\.endpoint"):
        Forwarder(endpoint, timeout_seconds=1)
