"""OTLP/gRPC on a real port, raw bytes from a real channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from collector_processor.otlp.exchange import Accepted, BadData, Request, Retry, TooLarge
from collector_processor.otlp.grpc_server import GrpcServer, start_grpc
from collector_processor.otlp.messages import SERVICES
from tests.collector_processor.otlp.telemetry import Handler

LIMIT = 64 * 1024


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest_asyncio.fixture
async def server(handler: Handler) -> AsyncIterator[GrpcServer]:
    started = await start_grpc(handler, bind="127.0.0.1:0", max_request_bytes=LIMIT)
    yield started
    await started.stop(0)


@pytest_asyncio.fixture
async def channel(server: GrpcServer) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as opened:
        yield opened


async def export(channel: grpc.aio.Channel, signal: Any, payload: bytes, **more: Any) -> Any:
    return await channel.unary_unary(SERVICES[signal].method)(payload, timeout=10, **more)


@pytest.mark.parametrize("signal", list(SERVICES))
async def test_each_service_hands_its_bytes_on(channel: grpc.aio.Channel, handler: Handler, signal: Any) -> None:
    assert await export(channel, signal, b"\x00raw", metadata=(("x-key", "v"), ("x-bin", b"\xff"))) == b""
    (request,) = handler.requests
    assert (request.signal, request.payload, request.encoding) == (signal, b"\x00raw", "protobuf")
    assert (request.headers["x-key"], request.headers["x-bin"]) == ("v", "\xff")
    assert request.peer.startswith("ipv4:127.0.0.1:")


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_compression(channel: grpc.aio.Channel, handler: Handler, compression: Any) -> None:
    await export(channel, "traces", b"a" * 5000, compression=compression)
    assert handler.requests[0].payload == b"a" * 5000


async def failure(channel: grpc.aio.Channel, payload: bytes = b"") -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await export(channel, "traces", payload)
    return caught.value


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Retry("later: 50 % of é", 0.25), grpc.StatusCode.UNAVAILABLE),
        (BadData("broken"), grpc.StatusCode.INVALID_ARGUMENT),
        (TooLarge("big"), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
async def test_failures_have_a_code_and_details(
    channel: grpc.aio.Channel, handler: Handler, outcome: Any, code: grpc.StatusCode
) -> None:
    handler.outcomes = [outcome]
    error = await failure(channel)
    assert (error.code(), error.details()) == (code, outcome.reason)
    trailers = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    assert (status.code, status.message) == (code.value[0], outcome.reason)
    if isinstance(outcome, Retry):
        info = error_details_pb2.RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"])
        assert info.retry_delay.nanos == 250_000_000


async def test_a_partial_success_is_told(channel: grpc.aio.Channel, handler: Handler) -> None:
    handler.outcomes = [Accepted(4, "old")]
    response = ExportLogsServiceResponse.FromString(await export(channel, "logs", b""))
    assert (response.partial_success.rejected_log_records, response.partial_success.error_message) == (4, "old")


async def test_over_the_limit_is_resource_exhausted_without_a_delay(
    channel: grpc.aio.Channel, handler: Handler
) -> None:
    await export(channel, "traces", bytes(LIMIT))
    error = await failure(channel, bytes(LIMIT + 1))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "google.rpc.retryinfo-bin" not in dict(error.trailing_metadata() or ())
    assert len(handler.requests) == 1


async def test_a_bomb_is_refused_while_it_is_decompressed(channel: grpc.aio.Channel, handler: Handler) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await export(channel, "traces", bytes(20 * 1024 * 1024), compression=grpc.Compression.Gzip)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert handler.requests == []


async def test_a_handler_that_raises_is_unavailable_and_its_error_is_not_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def failing(request: Request) -> Accepted:
        raise RuntimeError("ann@example.com")

    server = await start_grpc(failing, bind="127.0.0.1:0", max_request_bytes=LIMIT)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            error = await failure(channel)
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert "ann@" not in str(error.details()) + caplog.text
        assert "RuntimeError" in caplog.text
    finally:
        await server.stop(0)


async def test_other_methods_are_unimplemented(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Import")(b"", timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_calls_of_one_client_run_side_by_side() -> None:
    together = asyncio.Event()
    running = 0

    async def meet(request: Request) -> Accepted:
        nonlocal running
        running += 1
        if running == 5:
            together.set()
        await together.wait()
        return Accepted()

    server = await start_grpc(meet, bind="127.0.0.1:0", max_request_bytes=LIMIT)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            await asyncio.gather(*(export(channel, "traces", b"") for _ in range(5)))
    finally:
        await server.stop(0)


async def test_a_stop_lets_a_running_call_end_and_refuses_new_ones() -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Accepted:
        entered.set()
        await release.wait()
        return Accepted()

    server = await start_grpc(slow, bind="127.0.0.1:0", max_request_bytes=LIMIT)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        running = asyncio.create_task(export(channel, "traces", b""))
        await entered.wait()
        stopping = asyncio.create_task(server.stop(5))
        await asyncio.sleep(0)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as late:
            # A connection that was on its way in is cancelled: every client sends again on either.
            assert (await failure(late)).code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        release.set()
        assert await running == b""
        await stopping
    await server.stop(0)  # a second stop is nothing


async def test_a_client_that_goes_away_leaves_the_server_working() -> None:
    entered, gone = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Accepted:
        if request.payload:
            return Accepted()
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()
        return Accepted()

    server = await start_grpc(slow, bind="127.0.0.1:0", max_request_bytes=LIMIT)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            call = channel.unary_unary(SERVICES["traces"].method)(b"")
            await asyncio.wait({asyncio.ensure_future(entered.wait())})
            call.cancel()
            await asyncio.wait_for(gone.wait(), 10)
            assert await export(channel, "traces", b"x") == b""
    finally:
        await server.stop(0)


async def test_a_port_that_is_taken_says_which(server: GrpcServer, handler: Handler) -> None:
    with pytest.raises(OSError, match=f"127.0.0.1:{server.port}"):
        await start_grpc(handler, bind=f"127.0.0.1:{server.port}", max_request_bytes=LIMIT)


async def test_a_port_is_shared_when_both_ask_for_it(handler: Handler) -> None:
    first = await start_grpc(handler, bind="127.0.0.1:0", max_request_bytes=LIMIT, share_port=True)
    try:
        bind = f"127.0.0.1:{first.port}"
        second = await start_grpc(handler, bind=bind, max_request_bytes=LIMIT, share_port=True)
        assert second.port == first.port
        await second.stop(0)
    finally:
        await first.stop(0)
