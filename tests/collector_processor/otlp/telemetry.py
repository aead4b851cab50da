"""Requests as SDKs send them, and a handler that remembers what it was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from collector_processor.otlp.exchange import Accepted, Outcome, Request

NOW = 1_732_500_000_000_000_000
TRACE_ID = bytes(range(1, 17))
SPAN_ID = bytes(range(1, 9))
STACK = 'Traceback (most recent call last):\n  File "/app/shop/cart.py", line 7, in total\n    return int(text)\n'


class Handler:
    """Answers with the given outcomes in turn, the last for ever; ``requests`` is what came."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes) or [Accepted()]
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Outcome:
        self.requests.append(request)
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


def put(attributes: Any, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        attribute = attributes.add(key=key)
        attribute.value.SetInParent()
        fill(attribute.value, value)


def fill(target: AnyValue, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, int):
        target.int_value = value
    elif isinstance(value, float):
        target.double_value = value
    elif isinstance(value, bytes):
        target.bytes_value = value
    elif isinstance(value, list):
        target.array_value.SetInParent()
        for item in value:
            fill(target.array_value.values.add(), item)
    else:
        target.kvlist_value.SetInParent()
        put(target.kvlist_value.values, value)


def traces(service: str = "shop") -> tuple[ExportTraceServiceRequest, Any]:
    """A request and the spans of its one scope."""
    request = ExportTraceServiceRequest()
    sent = request.resource_spans.add()
    put(sent.resource.attributes, {"service.name": service, "telemetry.sdk.language": "python"})
    scoped = sent.scope_spans.add()
    scoped.scope.name = "shop.http"
    return request, scoped.spans


def logs(service: str = "shop") -> tuple[ExportLogsServiceRequest, Any]:
    request = ExportLogsServiceRequest()
    sent = request.resource_logs.add()
    put(sent.resource.attributes, {"service.name": service})
    return request, sent.scope_logs.add().log_records


def metrics(service: str = "shop") -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    sent = request.resource_metrics.add()
    put(sent.resource.attributes, {"service.name": service})
    metric = sent.scope_metrics.add().metrics.add(name="requests")
    for value in (1, 2, 3):
        metric.sum.data_points.add(as_int=value, time_unix_nano=NOW)
    return request


def add_span(spans: Any, name: str = "GET /cart", **fields: Any) -> Span:
    fields = {"trace_id": TRACE_ID, "span_id": SPAN_ID, "start_time_unix_nano": NOW, **fields}
    span: Span = spans.add(name=name, **fields)
    return span


def fail(span: Span, message: str = "") -> None:
    span.status.code = Status.STATUS_CODE_ERROR
    span.status.message = message


def add_exception(
    span: Span, type_: str = "ValueError", message: str = "bad total", time_unix_nano: int = NOW, **more: Any
) -> Span.Event:
    event = span.events.add(name="exception", time_unix_nano=time_unix_nano)
    put(
        event.attributes,
        {
            "exception.type": type_,
            "exception.message": message,
            "exception.stacktrace": f"{STACK}{type_}: {message}",
            **more,
        },
    )
    return event


def add_record(records: Any, attributes: Mapping[str, Any], body: Any = None, **fields: Any) -> LogRecord:
    record: LogRecord = records.add(**fields)
    if body is not None:
        fill(record.body, body)
    put(record.attributes, attributes)
    return record


def traces_with_error(message: str = "bad total") -> bytes:
    request, spans = traces()
    add_exception(add_span(spans), message=message)
    return request.SerializeToString()


def traces_without_error() -> bytes:
    request, spans = traces()
    add_span(spans)
    return request.SerializeToString()
