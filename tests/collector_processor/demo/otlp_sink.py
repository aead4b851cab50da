"""A small OTLP/gRPC receiver that keeps what it gets: to see what the shop sends without the processor."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any, NamedTuple

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_grpc
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

ERROR_KEYS = {"exception.type", "exception.message", "exception.stacktrace", "otel_errors.event_id"}


class ErrorRecord(NamedTuple):
    """A span event or log record that says of an error."""

    service: str
    signal: str
    trace_id: str
    span_id: str
    severity: int
    attributes: dict[str, Any]


class Sink:
    """What came: errors, and how many spans and log records of each service."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.errors: list[ErrorRecord] = []
        self.spans: list[tuple[str, Any]] = []
        self.address = ""

    def take_spans(self, request: trace.ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            service = plain(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                for span in scope.spans:
                    with self._lock:
                        self.spans.append((service, span))
                    for event in span.events:
                        self._take(service, "span_event", span.trace_id, span.span_id, 0, plain(event.attributes))

    def take_logs(self, request: logs.ExportLogsServiceRequest) -> None:
        for resource in request.resource_logs:
            service = plain(resource.resource.attributes)["service.name"]
            for scope in resource.scope_logs:
                for record in scope.log_records:
                    attributes = plain(record.attributes)
                    self._take(service, "log", record.trace_id, record.span_id, record.severity_number, attributes)

    def _take(
        self, service: str, signal: str, trace_id: bytes, span_id: bytes, severity: int, attributes: dict[str, Any]
    ) -> None:
        if ERROR_KEYS & attributes.keys():
            with self._lock:
                self.errors.append(ErrorRecord(service, signal, trace_id.hex(), span_id.hex(), severity, attributes))


def plain(attributes: Any) -> dict[str, Any]:
    """Attributes as a dict; values that are no scalars as their protobuf text."""
    return {pair.key: _value(pair) for pair in attributes}


def _value(pair: KeyValue) -> Any:
    kind = pair.value.WhichOneof("value")
    return None if kind is None else getattr(pair.value, kind)


class _Traces(trace_grpc.TraceServiceServicer):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def Export(self, request: Any, context: Any) -> Any:
        self._sink.take_spans(request)
        return trace.ExportTraceServiceResponse()


class _Logs(logs_grpc.LogsServiceServicer):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def Export(self, request: Any, context: Any) -> Any:
        self._sink.take_logs(request)
        return logs.ExportLogsServiceResponse()


@contextmanager
def receiving() -> Iterator[Sink]:
    """A sink that listens on ``address`` (host:port) of loopback."""
    sink = Sink()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=[("grpc.max_receive_message_length", -1)])
    trace_grpc.add_TraceServiceServicer_to_server(_Traces(sink), server)
    logs_grpc.add_LogsServiceServicer_to_server(_Logs(sink), server)
    sink.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield sink
    finally:
        server.stop(2).wait()
