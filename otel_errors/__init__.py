"""Errors of an application, captured once each and sent over the OpenTelemetry SDK that the application already has.

Under ``opentelemetry-instrument`` nothing has to be called: the entry point ``otel_errors`` installs the hooks. What
is here is for what the application knows better: errors that it handles, its users, its tags. Nothing of it raises,
and without an SDK it does nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_errors.scope import scope, set_context, set_feature_flag, set_tag, set_user
from otel_errors.version import __version__

if TYPE_CHECKING:
    from otel_errors.semconv import Severity

__all__ = [
    "__version__",
    "capture_exception",
    "capture_message",
    "flush",
    "scope",
    "set_context",
    "set_feature_flag",
    "set_tag",
    "set_user",
]

# The functions import their work when they are called: `collector_processor` imports this package for the attribute
# names alone.


def capture_exception(
    exc: BaseException | None = None,
    *,
    handled: bool = True,
    severity: Severity | None = None,
    tags: Mapping[str, str] | None = None,
) -> str | None:
    """Record ``exc``, by default the exception that is being handled.

    It goes onto the current span, or into a log record, as ``OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN`` says; outside of
    a recording span always into a log record. An exception object that was recorded already is not recorded again.
    ``severity`` is critical, high, medium or low; without it the processor decides.

    Returns the event id (32 hex digits), or None when there was nothing to record or nowhere to send it.

    >>> from otel_errors.testing import capturing
    >>> with capturing() as errors:
    ...     try:
    ...         int("seven")
    ...     except ValueError:
    ...         event_id = capture_exception(tags={"step": "import"})
    >>> errors.one().type, errors.one().tags["step"], len(event_id)
    ('ValueError', 'import', 32)
    """
    from otel_errors.explicit import capture_exception as capture

    return capture(exc, handled=handled, severity=severity, tags=tags)


def capture_message(
    text: str, *, severity: Severity | None = None, tags: Mapping[str, str] | None = None
) -> str | None:
    """Record an error that is not an exception. Each call is one error; carriers and result as for
    ``capture_exception``.

    >>> from otel_errors.testing import capturing
    >>> with capturing() as errors:
    ...     event_id = capture_message("stock is below zero", severity="high")
    >>> errors.one().message, errors.one().severity
    ('stock is below zero', 'high')
    """
    from otel_errors.explicit import capture_message as capture

    return capture(text, severity=severity, tags=tags)


def flush(timeout_seconds: float = 5.0) -> bool:
    """Ask the SDK to send what it holds, log records first, and wait at most ``timeout_seconds``. True when it was
    done in time.

    >>> in_time = flush(1.0)
    """
    from otel_errors.flushing import flush as run

    return run(timeout_seconds)
