"""An OTLP/gRPC receiver on an ephemeral port, and what its records say, flattened."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


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
        self._server = grpc.server(ThreadPoolExecutor(max_workers=2))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(_Traces(self), self._server)
        logs_service_pb2_grpc.add_LogsServiceServicer_to_server(_Logs(self), self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def stop(self) -> None:
        self._server.stop(None).wait()

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


class _Traces(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def Export(self, request: Any, context: Any) -> Any:
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
                            )
                        )
                    spans.append(seen)
        self._receiver.add(spans, [])
        return trace_service_pb2.ExportTraceServiceResponse()


class _Logs(logs_service_pb2_grpc.LogsServiceServicer):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def Export(self, request: Any, context: Any) -> Any:
        logs = []
        for resource in request.resource_logs:
            for scope in resource.scope_logs:
                for log in scope.log_records:
                    logs.append(
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
                        )
                    )
        self._receiver.add([], logs)
        return logs_service_pb2.ExportLogsServiceResponse()


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value") for pair in pairs}
