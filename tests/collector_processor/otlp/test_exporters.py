"""The exporters of OpenTelemetry Python against our servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from collector_processor.otlp.carriers import find
from collector_processor.otlp.exchange import Accepted, BadData, Retry
from collector_processor.otlp.grpc_server import GrpcServer, start_grpc
from collector_processor.otlp.http_server import HttpServer, start_http
from tests.collector_processor.otlp.telemetry import Handler

LIMIT = 1024 * 1024


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest_asyncio.fixture
async def grpc_server(handler: Handler) -> AsyncIterator[GrpcServer]:
    server = await start_grpc(handler, bind="127.0.0.1:0", max_request_bytes=LIMIT)
    yield server
    await server.stop(0)


@pytest_asyncio.fixture
async def http_server(handler: Handler) -> AsyncIterator[HttpServer]:
    server = await start_http(handler, bind="127.0.0.1:0", max_request_bytes=LIMIT)
    yield server
    await server.stop(0)


@pytest.fixture(scope="module")
def spans() -> Sequence[ReadableSpan]:
    """What the SDK makes of an exception that leaves a span."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("shop")
    with pytest.raises(ValueError, match="bad total"), tracer.start_as_current_span("GET /cart"):
        raise ValueError("bad total")
    provider.shutdown()
    return memory.get_finished_spans()


async def export(exporter: SpanExporter, spans: Sequence[ReadableSpan]) -> SpanExportResult:
    try:
        return await asyncio.to_thread(exporter.export, spans)
    finally:
        await asyncio.to_thread(exporter.shutdown)


def errors_in(payload: bytes) -> list[Any]:
    request = ExportTraceServiceRequest.FromString(payload)
    return [found.raw for part in find(request) for found in part.errors()]


def grpc_exporter(server: GrpcServer, **more: Any) -> GrpcSpanExporter:
    return GrpcSpanExporter(endpoint=f"http://127.0.0.1:{server.port}", insecure=True, **more)


def http_exporter(server: HttpServer, **more: Any) -> HttpSpanExporter:
    return HttpSpanExporter(endpoint=f"http://127.0.0.1:{server.port}/v1/traces", **more)


async def test_grpc_delivers(handler: Handler, grpc_server: GrpcServer, spans: Sequence[ReadableSpan]) -> None:
    assert await export(grpc_exporter(grpc_server), spans) is SpanExportResult.SUCCESS
    (error,) = errors_in(handler.requests[0].payload)
    assert (error.attributes["exception.type"], error.attributes["exception.message"]) == ("ValueError", "bad total")
    assert len(error.trace_id) == 32


@pytest.mark.parametrize("compression", list(Compression))
async def test_http_delivers(
    handler: Handler, http_server: HttpServer, spans: Sequence[ReadableSpan], compression: Compression
) -> None:
    assert await export(http_exporter(http_server, compression=compression), spans) is SpanExportResult.SUCCESS
    assert handler.requests[0].encoding == "protobuf"
    assert len(errors_in(handler.requests[0].payload)) == 1


async def test_grpc_obeys_retry_info_and_delivers(
    handler: Handler, grpc_server: GrpcServer, spans: Sequence[ReadableSpan]
) -> None:
    handler.outcomes = [Retry("busy", 1.6), Accepted()]
    start = time.monotonic()
    assert await export(grpc_exporter(grpc_server), spans) is SpanExportResult.SUCCESS
    assert time.monotonic() - start >= 1.6, "without the delay the exporter waits for 0.8 to 1.2 seconds"
    assert len(handler.requests) == 2
    assert handler.requests[0].payload == handler.requests[1].payload


async def test_http_obeys_retry_after_and_delivers(
    handler: Handler, http_server: HttpServer, spans: Sequence[ReadableSpan]
) -> None:
    handler.outcomes = [Retry("busy", 0.2), Accepted()]
    start = time.monotonic()
    assert await export(http_exporter(http_server), spans) is SpanExportResult.SUCCESS
    assert time.monotonic() - start >= 1.0, "Retry-After is in whole seconds"
    assert len(handler.requests) == 2


async def test_bad_data_is_not_sent_again(
    handler: Handler, grpc_server: GrpcServer, http_server: HttpServer, spans: Sequence[ReadableSpan]
) -> None:
    handler.outcomes = [BadData("broken")]
    assert await export(grpc_exporter(grpc_server), spans) is SpanExportResult.FAILURE
    assert await export(http_exporter(http_server), spans) is SpanExportResult.FAILURE
    assert len(handler.requests) == 2


async def test_a_partial_success_is_a_success(
    handler: Handler, grpc_server: GrpcServer, http_server: HttpServer, spans: Sequence[ReadableSpan]
) -> None:
    handler.outcomes = [Accepted(1, "too old")]
    assert await export(grpc_exporter(grpc_server), spans) is SpanExportResult.SUCCESS
    assert await export(http_exporter(http_server), spans) is SpanExportResult.SUCCESS
