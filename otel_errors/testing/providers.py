"""What stands in for an SDK in an application's tests: log records are collected, spans have ids and go nowhere."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import Logger, LoggerProvider, LogRecord
from opentelemetry.context import Context
from opentelemetry.util._decorator import _agnosticcontextmanager

from otel_errors import semconv
from otel_errors.testing.errors import CapturedErrors, from_attributes


class CollectingLoggerProvider(LoggerProvider):
    def __init__(self, errors: CapturedErrors) -> None:
        self._errors = errors

    def get_logger(self, name: str, *args: Any, **kwargs: Any) -> Logger:
        return _CollectingLogger(name, self._errors)


class _CollectingLogger(Logger):
    def __init__(self, name: str, errors: CapturedErrors) -> None:
        super().__init__(name)
        self._errors = errors

    def enabled(self, *args: Any, **kwargs: Any) -> bool:
        return True

    def emit(self, record: LogRecord | None = None, **given: Any) -> None:
        """Log lines that are not errors are nobody's business here."""
        emitted = record if record is not None else LogRecord(**given)
        attributes = dict(emitted.attributes or {})
        if semconv.EVENT_ID in attributes:
            number = emitted.severity_number
            trace_id = _trace_id(emitted)
            self._errors.add(from_attributes(attributes, number.name if number is not None else "", trace_id))


def _trace_id(record: LogRecord) -> str:
    number = record.trace_id or trace.get_current_span(record.context).get_span_context().trace_id
    return trace.format_trace_id(number) if number else ""


@contextmanager
def spans_without_an_sdk() -> Iterator[None]:
    """Where no tracer provider is configured, spans have no ids, and errors that leave them could not be told from
    code without spans. The application's own provider stays."""
    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        yield
        return
    provider = _Provider()
    trace._TRACER_PROVIDER = provider  # set_tracer_provider can be called only once in a process
    try:
        yield
    finally:
        provider.active = False
        if trace._TRACER_PROVIDER is provider:
            trace._TRACER_PROVIDER = None


class _Provider(trace.TracerProvider):
    active = True

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        return _Tracer(self, args, kwargs)


class _Tracer(trace.Tracer):
    """Tracers of modules keep it for good, so after the test it hands on to the provider of the moment."""

    def __init__(self, provider: _Provider, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._provider = provider
        self._arguments = args, kwargs

    def start_span(self, name: str, context: Context | None = None, *args: Any, **kwargs: Any) -> trace.Span:
        if not self._provider.active:
            return self._later().start_span(name, context, *args, **kwargs)
        parent = trace.get_current_span(context).get_span_context()
        return trace.NonRecordingSpan(
            trace.SpanContext(parent.trace_id or secrets.randbits(128) or 1, secrets.randbits(64) or 1, is_remote=False)
        )

    @_agnosticcontextmanager
    def start_as_current_span(
        self,
        name: str,
        context: Context | None = None,
        kind: trace.SpanKind = trace.SpanKind.INTERNAL,
        attributes: Any = None,
        links: Any = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[trace.Span]:
        span = self.start_span(name, context, kind, attributes, links, start_time)
        with trace.use_span(span, end_on_exit, record_exception, set_status_on_exception) as current:
            yield current

    def _later(self) -> trace.Tracer:
        args, kwargs = self._arguments
        return trace.get_tracer_provider().get_tracer(*args, **kwargs)
