"""An exception object becomes a ``CapturedException``. Nothing that an exception object can do makes this raise."""

from __future__ import annotations

from dataclasses import dataclass

from otel_errors.app_errors import BaseAppError
from otel_errors.frame_text import Place, places_of
from otel_errors.safe_text import text_of, type_name
from otel_errors.semconv import Severity
from otel_errors.stack_text import MAX_MESSAGE_CHARACTERS, shorten, stack_text, traceback_of


@dataclass(frozen=True)
class CapturedException:
    """All texts are valid Unicode and bounded; ``""`` and 0 mean unknown."""

    type: str
    """``module.QualName``; without module for builtins."""
    message: str
    stacktrace: str
    function: str = ""
    """Of the raising frame, with its module: ``shop.payments.charge``."""
    file: str = ""
    line: int = 0
    str_failed: bool = False
    """``str()`` of the exception raises: it must not be handed to code that calls it."""
    error_code: str = ""
    severity: Severity | None = None
    """Both as an error of ``otel_errors.app_errors`` says of itself."""


def capture(exc: BaseException, *, max_stacktrace_bytes: int, max_characters: int | None = None) -> CapturedException:
    """``max_characters`` is the SDK's limit for an attribute's value, which would cut the tail."""
    message, readable = text_of(exc, MAX_MESSAGE_CHARACTERS)
    kind = type_name(exc)
    places = _places(exc)
    try:
        text = stack_text(exc, places)
    except Exception:
        # Half-built objects, the recursion limit, no memory: the type and the message alone are still an error worth
        # having.
        text = f"{kind}: {message}\n"
    raised_at = places[-1] if places else None
    error_code, severity = _declared(exc)
    return CapturedException(
        type=kind,
        message=message if max_characters is None else message[:max_characters],
        stacktrace=shorten(text, max_stacktrace_bytes, max_characters),
        function=raised_at.function if raised_at else "",
        file=raised_at.file if raised_at else "",
        line=raised_at.line if raised_at else 0,
        str_failed=not readable,
        error_code=error_code,
        severity=severity,
    )


def _places(exc: BaseException) -> list[Place]:
    try:
        return places_of(traceback_of(exc))
    except Exception:
        return []


def _declared(exc: BaseException) -> tuple[str, Severity | None]:
    """(error code, severity) of an application error: critical ones page, what the user did wrong is low, and the rest
    is as serious as it was unhandled."""
    try:
        if not isinstance(exc, BaseAppError):
            return "", None
        if exc.is_critical:
            return exc.code, "critical"
        return exc.code, "low" if exc.status < 500 else None
    except Exception:  # a subclass that never called __init__
        return "", None
