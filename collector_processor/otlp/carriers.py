"""Find the errors in a decoded request, and every part of it that may repeat what they say.

An **error event** is a span event named ``exception``, or a span event or log record with any of ``ERROR_KEYS``,
whatever its name: instrumentations name it after the operation or the class, so the name alone never decides.

A **carrier** is a message whose texts can hold the data of an error: the event or record itself, the span around it
and all that hangs on it, every span whose status is ERROR (SDKs copy the exception's message into the status of each
enclosing span), and the resource and scope of the part that any of these is in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from collector_processor.events import RawError
from collector_processor.otlp.messages import ExportRequest
from collector_processor.otlp.values import to_dict
from otel_errors.semconv import ERROR_KEYS, EXCEPTION_EVENT_NAME, EXCEPTION_TYPE, SERVICE_NAME

UNKNOWN_SERVICE = "unknown_service"


class FoundError(NamedTuple):
    """An error event: what it says, and the record to write back to."""

    raw: RawError
    record: Span.Event | LogRecord


class CarrierSpan(NamedTuple):
    """A span that holds error events or whose status is ERROR. ``errors``: position among the span's events → the
    error event there."""

    span: Span
    errors: dict[int, FoundError]


class Part(NamedTuple):
    """What one scope of one resource sent, as far as it has to do with errors."""

    service: str
    resource: Resource
    scope: InstrumentationScope
    spans: list[CarrierSpan]
    records: list[FoundError]
    """Log records."""
    schemas: tuple[Any, Any]
    """What has the ``schema_url`` of the resource and of the scope."""

    def errors(self) -> Iterator[FoundError]:
        """Every error event of the part, in order."""
        for carrier in self.spans:
            yield from carrier.errors.values()
        yield from self.records


def find(request: ExportRequest) -> list[Part]:
    """The parts of ``request`` that hold an error event or a span whose status is ERROR, in order. Pure."""
    parts: list[Part | None] = []
    if isinstance(request, ExportTraceServiceRequest):
        for spans in request.resource_spans:
            about = ResourceTexts(spans.resource)
            parts.extend(part_of_spans(spans, scoped, about, scoped.spans) for scoped in spans.scope_spans)
    elif isinstance(request, ExportLogsServiceRequest):
        ordinals = Ordinals()
        for logs in request.resource_logs:
            about = ResourceTexts(logs.resource)
            parts.extend(
                part_of_records(logs, scoped, about, scoped.log_records, ordinals) for scoped in logs.scope_logs
            )
    return [part for part in parts if part is not None]


def are_larger(parts: Iterable[Part], limit: int) -> bool:
    """Whether the carriers of ``parts`` have more than ``limit`` bytes in all: what has to be looked through."""
    size = 0
    for part in parts:
        size += part.resource.ByteSize() + part.scope.ByteSize()
        for carrier in part.spans:
            size += carrier.span.ByteSize()
            if size > limit:
                return True
        for found in part.records:
            size += found.record.ByteSize()
            if size > limit:
                return True
    return size > limit


def items(request: ExportRequest) -> dict[str, int]:
    """Service name → how many spans, log records or data points of it the request holds."""
    counts: dict[str, int] = {}
    for resource, count in _counted(request):
        service = service_name(resource)
        counts[service] = counts.get(service, 0) + count
    return counts


def service_name(resource: Resource) -> str:
    """``service.name`` when it is a text that says something."""
    for attribute in resource.attributes:
        if attribute.key == SERVICE_NAME:
            return attribute.value.string_value or UNKNOWN_SERVICE
    return UNKNOWN_SERVICE


class ResourceTexts:
    """The attributes of a resource as a dictionary, made when the first error asks for it."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._attributes: dict[str, Any] | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """The same one each time."""
        if self._attributes is None:
            self._attributes = to_dict(self._resource.attributes)
        return self._attributes


def part_of_spans(sent: Any, scoped: Any, about: ResourceTexts, spans: Iterable[Span]) -> Part | None:
    """Of what ``scoped`` of ``sent`` holds, ``spans`` as far as they are carriers; None when none is."""
    carriers = []
    for span in spans:
        events = _error_events(span)
        if events:
            carriers.append(CarrierSpan(span, _of_span(span, events, about.attributes, scoped.scope.name)))
        elif has_failed(span):
            carriers.append(CarrierSpan(span, {}))
    if not carriers:
        return None
    return Part(service_name(sent.resource), sent.resource, scoped.scope, carriers, [], (sent, scoped))


def part_of_records(
    sent: Any, scoped: Any, about: ResourceTexts, records: Iterable[LogRecord], ordinals: Ordinals
) -> Part | None:
    """The same for log records. ``ordinals``: of the whole request."""
    errors = [
        FoundError(_of_log(record, about.attributes, scoped.scope.name, ordinals), record)
        for record in records
        if any(attribute.key in ERROR_KEYS for attribute in record.attributes)
    ]
    if not errors:
        return None
    return Part(service_name(sent.resource), sent.resource, scoped.scope, [], errors, (sent, scoped))


def has_failed(span: Span) -> bool:
    """Whether the status is ERROR."""
    return span.HasField("status") and span.status.code == Status.STATUS_CODE_ERROR


def _error_events(span: Span) -> dict[int, Span.Event]:
    return {position: event for position, event in enumerate(span.events) if _is_error_event(event)}


def _is_error_event(event: Span.Event) -> bool:
    if event.name == EXCEPTION_EVENT_NAME:
        return True
    return any(attribute.key in ERROR_KEYS for attribute in event.attributes)


def _of_span(
    span: Span, events: dict[int, Span.Event], resource: Mapping[str, Any], scope_name: str
) -> dict[int, FoundError]:
    trace_id, span_id = _trace_id(span.trace_id), _span_id(span.span_id)
    span_attributes = to_dict(span.attributes)
    ordinals = Ordinals()
    found = {}
    for position, event in events.items():
        attributes = to_dict(event.attributes)
        found[position] = FoundError(
            RawError(
                signal="span_event",
                resource=resource,
                scope_name=scope_name,
                attributes=attributes,
                span_attributes=span_attributes,
                span_name=span.name,
                event_name=event.name,
                time_unix_nano=event.time_unix_nano,
                # Events have no observed time. What stands in must be the same when the request is sent again.
                observed_time_unix_nano=span.end_time_unix_nano or span.start_time_unix_nano,
                trace_id=trace_id,
                span_id=span_id,
                ordinal=ordinals.next(trace_id, span_id, attributes, event.time_unix_nano),
            ),
            event,
        )
    return found


def _of_log(record: LogRecord, resource: Mapping[str, Any], scope_name: str, ordinals: Ordinals) -> RawError:
    trace_id, span_id = _trace_id(record.trace_id), _span_id(record.span_id)
    attributes = to_dict(record.attributes)
    return RawError(
        signal="log",
        resource=resource,
        scope_name=scope_name,
        attributes=attributes,
        event_name=record.event_name,
        body=record.body.string_value,
        severity_number=record.severity_number,
        time_unix_nano=record.time_unix_nano,
        observed_time_unix_nano=record.observed_time_unix_nano,
        trace_id=trace_id,
        span_id=span_id,
        ordinal=ordinals.next(trace_id, span_id, attributes, record.time_unix_nano or record.observed_time_unix_nano),
    )


class Ordinals:
    """Numbers the records of one carrier (a span; for logs the request) that share trace, span, type and time."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, str, int], int] = {}

    def next(self, trace_id: str, span_id: str, attributes: Mapping[str, Any], time_unix_nano: int) -> int:
        key = (trace_id, span_id, str(attributes.get(EXCEPTION_TYPE, "")), time_unix_nano)
        ordinal = self._seen.get(key, 0)
        self._seen[key] = ordinal + 1
        return ordinal


def _trace_id(value: bytes) -> str:
    return value.hex() if len(value) == 16 and any(value) else ""


def _span_id(value: bytes) -> str:
    return value.hex() if len(value) == 8 and any(value) else ""


def _counted(request: ExportRequest) -> Iterator[tuple[Resource, int]]:
    if isinstance(request, ExportTraceServiceRequest):
        for spans in request.resource_spans:
            yield spans.resource, sum(len(scoped.spans) for scoped in spans.scope_spans)
    elif isinstance(request, ExportLogsServiceRequest):
        for logs in request.resource_logs:
            yield logs.resource, sum(len(scoped.log_records) for scoped in logs.scope_logs)
    else:
        for metrics in request.resource_metrics:
            yield metrics.resource, _data_points(metrics)


def _data_points(sent: Any) -> int:
    count = 0
    for scoped in sent.scope_metrics:
        for metric in scoped.metrics:
            kind = metric.WhichOneof("data")
            if kind is not None:
                count += len(getattr(metric, kind).data_points)
    return count
