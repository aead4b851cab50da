"""An OTLP/gRPC receiver on an ephemeral port, and what its records say, flattened."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.receivers import otlp_receiver


@dataclass
class Record:
    """A span event or a log record."""

    signal: str
    name: str
    attributes: dict[str, Any]
    trace_id: str
    span_id: str
    time: int
    severity: int = 0
    body: str = ""
    scope: str = ""
    span_name: str = ""
    resource: dict[str, Any] = field(default_factory=dict)

    @property
    def event_id(self) -> str:
        return str(self.attributes.get("otel_errors.event_id", ""))


@dataclass
class SpanSeen:
    name: str
    trace_id: str
    span_id: str
    events: list[Record] = field(default_factory=list)


class Receiver:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.spans: list[SpanSeen] = []
        self.logs: list[Record] = []
        self._serving = ExitStack()
        self.port = int(self._serving.enter_context(otlp_receiver(self._take)).rpartition(":")[2])

    def stop(self) -> None:
        self._serving.close()

    def _take(self, signal: str, payload: bytes) -> None:
        if signal == "traces":
            self.add(_spans(ExportTraceServiceRequest.FromString(payload)), [])
        elif signal == "logs":
            self.add([], _logs(ExportLogsServiceRequest.FromString(payload)))

    def clear(self) -> None:
        self.spans.clear()
        self.logs.clear()

    @property
    def errors(self) -> list[Record]:
        """Every record that is an error event by the contract: span events first, then log records."""
        keys = {"exception.type", "exception.message", "exception.stacktrace", "otel_errors.event_id"}
        records = [event for span in self.spans for event in span.events] + self.logs
        return [record for record in records if record.name == "exception" or keys & record.attributes.keys()]

    def one(self) -> Record:
        assert len(self.errors) == 1, self.errors
        return self.errors[0]

    def span(self, name: str) -> SpanSeen:
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def add(self, spans: list[SpanSeen], logs: list[Record]) -> None:
        with self._changed:
            self.spans += spans
            self.logs += logs
            self._changed.notify_all()


def _spans(request: ExportTraceServiceRequest) -> list[SpanSeen]:
    spans = []
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                seen = SpanSeen(span.name, span.trace_id.hex(), span.span_id.hex())
                for event in span.events:
                    seen.events.append(
                        Record(
                            "span_event",
                            event.name,
                            _attributes(event.attributes),
                            seen.trace_id,
                            seen.span_id,
                            event.time_unix_nano,
                            scope=scope.scope.name,
                            span_name=span.name,
                            resource=_attributes(resource.resource.attributes),
                        )
                    )
                spans.append(seen)
    return spans


def _logs(request: ExportLogsServiceRequest) -> list[Record]:
    return [
        Record(
            "log",
            log.event_name,
            _attributes(log.attributes),
            log.trace_id.hex(),
            log.span_id.hex(),
            log.time_unix_nano,
            severity=log.severity_number,
            body=log.body.string_value,
            scope=scope.scope.name,
            resource=_attributes(resource.resource.attributes),
        )
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for log in scope.log_records
    ]


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value") for pair in pairs}
