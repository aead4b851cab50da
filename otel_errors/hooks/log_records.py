"""Exceptions that the application or a framework logs: the exported log record gets the identity of the error that it
is.

The seam is the OpenTelemetry logging handler's ``emit``, not the logger: other handlers see the record as it was, so
the application's own log lines do not change, and an exception counts as seen only when a handler really exports it.
The handler gets a copy with what the conventions ask for: the qualified type and the whole message, where it would
write a bare type and the first argument.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import get_logger
from opentelemetry.context import attach, detach, get_current

from otel_errors import active, origin
from otel_errors.admission import admitted
from otel_errors.describe import describe
from otel_errors.emit import Occurrence
from otel_errors.flushing import is_flushing
from otel_errors.guard import guarded
from otel_errors.not_errors import EXPECTED, is_not_an_error
from otel_errors.patching import LatePatch
from otel_errors.report import value_limit
from otel_errors.seen import Sighting, seen


def install() -> None:
    for patch in _patches:
        patch.install()


def uninstall() -> None:
    for patch in _patches:
        patch.uninstall()


def _emit(wrapped: Callable[..., Any], handler: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if is_flushing():
        return None
    record = args[0] if args else kwargs.get("record")
    if not isinstance(record, logging.LogRecord) or not record.exc_info:
        return wrapped(*args, **kwargs)
    exported, token = record, None
    with guarded("LoggingHandler.emit") as go:
        reporter = active.instrumented() if go else None
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) and len(record.exc_info) == 3 else None
        if reporter is not None and isinstance(error, BaseException):
            marked = _marked(reporter, handler, record, error)
            if marked is not None:
                exported, sighting = marked
                token = _attach(sighting.span_context) if sighting is not None else None
    try:
        return wrapped(exported)
    finally:
        if token is not None:
            detach(token)


def _marked(
    reporter: active.Reporter, handler: Any, record: logging.LogRecord, error: BaseException
) -> tuple[logging.LogRecord, Sighting | None] | None:
    """A copy of ``record`` that carries the error's identity, or, for what is not an error (Django logs its
    ``PermissionDenied``), the line alone; None when it stays as it is."""
    logger = get_logger(record.name, logger_provider=getattr(handler, "_logger_provider", None))
    where = origin.here()
    if not logger.enabled(context=where.context):
        return None
    known = seen.get(error)
    if (known is None or known.mechanism == EXPECTED) and is_not_an_error(error):
        return _without_the_error(record), None
    own = where.span.get_span_context()
    sighting, first = seen.claim(error, lambda: Sighting("logging", True, None, own if own.is_valid else None))
    if first and not admitted(reporter.settings, sighting.event_id):
        sighting.dropped = True
    if sighting.dropped:
        return _without_the_error(record), None
    severity: Any = sighting.severity
    limit = value_limit(reporter.settings.sdk_value_characters, None, logger)
    occurrence = Occurrence(sighting.mechanism, sighting.handled, where, severity=severity)
    _, _, attributes = describe(reporter, error, occurrence, sighting.event_id, limit)
    if attributes is None:
        sighting.dropped = True
        return _without_the_error(record), None
    exported = copy.copy(record)
    # The application's own extras win.
    exported.__dict__.update({**attributes, **record.__dict__})
    if getattr(handler, "formatter", None) is None:
        # Else the handler would overwrite type, message and stack. A formatter needs it for the text that it makes.
        exported.exc_info = None
    sighting.logged = True
    return exported, sighting


def _without_the_error(record: logging.LogRecord) -> logging.LogRecord:
    """The application's line is exported all the same."""
    line = copy.copy(record)
    line.exc_info = None
    return line


def _attach(span_context: trace.SpanContext | None) -> Any:
    """The context of the span that the exception passed, for servers that log it after that span is gone."""
    if span_context is None or trace.get_current_span().get_span_context().is_valid:
        return None
    return attach(trace.set_span_in_context(trace.NonRecordingSpan(span_context), get_current()))


_patches = (
    LatePatch("opentelemetry.instrumentation.logging.handler", "LoggingHandler.emit", _emit),
    LatePatch("opentelemetry.sdk._logs._internal", "LoggingHandler.emit", _emit),
)
