"""A described error becomes a span event or a log record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import time_ns
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import Logger, SeverityNumber
from opentelemetry.context import Context

from otel_errors import semconv
from otel_errors.origin import Origin


@dataclass(frozen=True)
class Occurrence:
    """An error as a hook or the application saw it."""

    mechanism: str
    """Who saw it: excepthook, threading, asyncio, unraisablehook, span, record_exception, logging,
    capture_exception, capture_message."""
    handled: bool
    origin: Origin
    severity: semconv.Severity | None = None
    """The application's own word, if it said one."""
    fatal: bool = False
    """It ends the process."""
    tags: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """The application's own, which win over ours."""
    timestamp: int | None = None
    """Unix nanoseconds; None is now."""


def severity_number(occurrence: Occurrence) -> SeverityNumber:
    """OpenTelemetry's number. It says the same as the words: critical is FATAL, high and medium are ERROR, low is
    WARN."""
    if occurrence.fatal or occurrence.severity == "critical":
        return SeverityNumber.FATAL
    if occurrence.severity == "low":
        return SeverityNumber.WARN
    return SeverityNumber.ERROR


def add_span_event(span: trace.Span, attributes: Mapping[str, Any], occurrence: Occurrence) -> None:
    span.add_event(semconv.EXCEPTION_EVENT_NAME, {**attributes, **occurrence.attributes}, occurrence.timestamp)


def emit_log_record(
    logger: Logger, attributes: Mapping[str, Any], occurrence: Occurrence, span_context: trace.SpanContext | None
) -> None:
    """``span_context``: of the first sighting, for records that are emitted after the span is gone."""
    context: Context = occurrence.origin.context
    if span_context is not None and not occurrence.origin.span.get_span_context().is_valid:
        context = trace.set_span_in_context(trace.NonRecordingSpan(span_context), context)
    logger.emit(
        # The SDK leaves the time of an event unset unless it is given, and events must have one.
        timestamp=occurrence.timestamp or time_ns(),
        context=context,
        severity_number=severity_number(occurrence),
        event_name=semconv.EXCEPTION_EVENT_NAME,
        attributes={**attributes, **occurrence.attributes},
    )
