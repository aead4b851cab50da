"""A log record as a line of text or of JSON, with what ties it to the trace, the request and the event.

Nothing in a record makes one line look like two, and secrets do not stand in it (``otel_errors.details``).
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

from opentelemetry import trace

from otel_errors import semconv
from otel_errors.active import for_explicit_calls
from otel_errors.capture import CapturedException, capture
from otel_errors.details import Json, one_line, safe_details, safe_text_value
from otel_errors.handler import CONTEXT_PREFIX
from otel_errors.references import reference_of
from otel_errors.safe_text import text_of
from otel_errors.scope import current_scope
from otel_errors.seen import Sighting, seen

__all__ = ["FIELDS", "JsonLines", "PlainLines", "fields_of"]

MAX_MESSAGE_CHARACTERS: Final = 16 * 1024
MAX_STACK_BYTES: Final = 64 * 1024

FIELDS: Final = (
    "timestamp", "level", "logger", "service_name", "environment", "host", "instance_id", "trace_id", "span_id",
    "request_id", "user_id", "session_id", "error_code", "event_id", "support_reference", "message", "exception_type",
    "stack_trace", "context",
)  # fmt: skip
"""Of a JSON line, in this order; each is always there, null when it is not known."""

_RESERVED: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
_OF_OTHERS: Final = ("otel_errors.", "otelTrace", "otelSpanID", "otelServiceName")
"""Extras of this library and of the logging instrumentation; what they say has a field of its own."""
_OWN_FIELDS: Final = frozenset({"request_id", "user_id", "session_id", "error_code"})


def fields_of(record: logging.LogRecord, environment: str = "") -> dict[str, Json]:
    """The ``FIELDS`` of ``record``, all but the empty ones of the trace taken from the code that runs now.

    >>> fields_of(logging.makeLogRecord({"msg": "paid %s", "args": (7,), "levelname": "INFO"}))["message"]
    'paid 7'
    """
    resource = _resource()
    extras = {str(key): value for key, value in record.__dict__.items() if key not in _RESERVED}
    given = {**extras, **{key.removeprefix(CONTEXT_PREFIX): extras[key] for key in extras}}
    context = {
        key: value
        for key, value in given.items()
        if not key.startswith((*_OF_OTHERS, CONTEXT_PREFIX)) and key not in _OWN_FIELDS
    }
    scope = current_scope()
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) and len(record.exc_info) == 3 else None
    captured = capture(error, max_stacktrace_bytes=MAX_STACK_BYTES) if isinstance(error, BaseException) else None
    sighting = _sighting(error)
    event_id = _text(extras.get(semconv.EVENT_ID)) or (sighting.event_id if sighting is not None else None)
    span = trace.get_current_span().get_span_context()
    if not span.is_valid and sighting is not None and sighting.span_context is not None:
        span = sighting.span_context  # handled after the span in which it was raised
    return {
        "timestamp": timestamp_of(record.created),
        "level": record.levelname,
        "logger": record.name,
        "service_name": resource.get(semconv.SERVICE_NAME) or "unknown_service",
        "environment": environment
        or resource.get(semconv.DEPLOYMENT_ENVIRONMENT_NAME)
        or resource.get(semconv.DEPLOYMENT_ENVIRONMENT),
        "host": resource.get("host.name") or socket.gethostname(),
        "instance_id": resource.get(semconv.SERVICE_INSTANCE_ID) or f"{socket.gethostname()}:{os.getpid()}",
        "trace_id": trace.format_trace_id(span.trace_id) if span.is_valid else None,
        "span_id": trace.format_span_id(span.span_id) if span.is_valid else None,
        "request_id": _text(given.get("request_id")) or scope.tags.get("request_id"),
        "user_id": _text(given.get("user_id")) or (scope.user if scope.user and _users_may_leave() else None),
        "session_id": _text(given.get("session_id")) or scope.tags.get("session_id"),
        "error_code": _text(extras.get(semconv.ERROR_CODE))
        or _text(given.get("error_code"))
        or (captured.error_code if captured is not None and captured.error_code else None),
        "event_id": event_id,
        "support_reference": reference_of(event_id) if event_id else None,
        "message": safe_text_value(message_of(record), MAX_MESSAGE_CHARACTERS),
        "exception_type": captured.type if captured is not None else None,
        "stack_trace": _stack(record, captured),
        "context": safe_details(context),
    }


class JsonLines(logging.Formatter):
    """One JSON object a line.

    >>> line = JsonLines(environment="test").format(logging.makeLogRecord({"msg": "ready", "levelname": "INFO"}))
    >>> json.loads(line)["environment"], list(json.loads(line)) == list(FIELDS)
    ('test', True)
    """

    def __init__(self, *, environment: str = "") -> None:
        super().__init__()
        self._environment = environment

    def format(self, record: logging.LogRecord) -> str:
        line = json.dumps(fields_of(record, self._environment), ensure_ascii=False)
        if line.isprintable():
            return line
        # JSON allows some of what viewers and terminals take for the end of a line, or for more.
        return "".join([char if char.isprintable() else json.dumps(char)[1:-1] for char in line])


class PlainLines(logging.Formatter):
    """For people: time, level, logger, message, then what is known of trace, request and error; a stack follows
    indented.

    >>> PlainLines().format(logging.makeLogRecord({"msg": "paid", "levelname": "INFO", "name": "shop", "created": 0.0}))
    '1970-01-01T00:00:00.000Z INFO shop: paid'
    """

    _SHOWN: Final = ("trace_id", "request_id", "user_id", "session_id", "error_code", "support_reference")

    def __init__(self, *, environment: str = "") -> None:
        super().__init__()
        self._environment = environment

    def format(self, record: logging.LogRecord) -> str:
        fields = fields_of(record, self._environment)
        facts = [f"{name}={one_line(str(fields[name]))}" for name in self._SHOWN if fields[name]]
        if fields["context"]:
            facts.append("context=" + one_line(json.dumps(fields["context"], ensure_ascii=False)))
        line = f"{fields['timestamp']} {record.levelname} {one_line(record.name)}: {one_line(str(fields['message']))}"
        if facts:
            line += f" [{' '.join(facts)}]"
        if fields["stack_trace"]:
            # splitlines() knows more line ends than a newline, and so do terminals and log viewers.
            line += "".join(["\n  " + _printable(part) for part in str(fields["stack_trace"]).splitlines()])
        return line


def _printable(line: str) -> str:
    return line if line.isprintable() else "".join([char if char.isprintable() else "�" for char in line])


def message_of(record: logging.LogRecord) -> str:
    """The text with its arguments. Never raises."""
    try:
        return text_of(record.getMessage())[0]
    except Exception:  # arguments that do not fit the text: half a line is more than none
        return f"{text_of(record.msg)[0]} {text_of(record.args)[0]}"


def _stack(record: logging.LogRecord, captured: CapturedException | None) -> str | None:
    parts = [captured.stacktrace if captured is not None else _text(record.exc_text), _text(record.stack_info)]
    text = "\n".join([part.rstrip("\n") for part in parts if part])
    return safe_text_value(text, 2 * MAX_STACK_BYTES) if text else None


def _sighting(error: object) -> Sighting | None:
    sighting = seen.get(error) if isinstance(error, BaseException) else None
    return sighting if sighting is not None and not sighting.dropped else None


def _users_may_leave() -> bool:
    reporter = for_explicit_calls()
    return reporter is not None and reporter.settings.send_user is True


def _text(value: object) -> str | None:
    return None if value is None else safe_text_value(text_of(value)[0], 256) or None


def timestamp_of(seconds: float) -> str:
    """``2026-11-25T09:15:02.114Z`` of seconds since 1970."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _resource() -> Mapping[str, str]:
    """Of the SDK in use, which may be set up after the logger; before and without it, of the environment."""
    found: Any = getattr(getattr(trace.get_tracer_provider(), "resource", None), "attributes", None)
    attributes = {key: text_of(value)[0] for key, value in found.items()} if isinstance(found, Mapping) else {}
    return {
        **_resource_of(os.environ.get("OTEL_RESOURCE_ATTRIBUTES", ""), os.environ.get("OTEL_SERVICE_NAME", "")),
        **attributes,
    }


@lru_cache(maxsize=4)
def _resource_of(attributes: str, service_name: str) -> Mapping[str, str]:
    pairs = [pair.partition("=") for pair in attributes.split(",")]
    found = {key.strip(): unquote(value.strip()) for key, equals, value in pairs if key.strip() and equals}
    return {**found, semconv.SERVICE_NAME: service_name} if service_name else found
