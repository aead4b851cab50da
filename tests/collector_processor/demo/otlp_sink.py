"""A small OTLP/gRPC receiver that keeps what it gets: to see what the shop sends without the processor."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from tests.receivers import otlp_receiver

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

    def take(self, signal: str, payload: bytes) -> None:
        if signal == "traces":
            self.take_spans(ExportTraceServiceRequest.FromString(payload))
        elif signal == "logs":
            self.take_logs(ExportLogsServiceRequest.FromString(payload))

    def take_spans(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            service = plain(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                for span in scope.spans:
                    with self._lock:
                        self.spans.append((service, span))
                    for event in span.events:
                        self._take(service, "span_event", span.trace_id, span.span_id, 0, plain(event.attributes))

    def take_logs(self, request: ExportLogsServiceRequest) -> None:
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


@contextmanager
def receiving() -> Iterator[Sink]:
    """A sink that listens on ``address`` (host:port) of loopback."""
    sink = Sink()
    with otlp_receiver(sink.take) as sink.address:
        yield sink
