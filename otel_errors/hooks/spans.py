"""The seam for sampled spans: the SDK's ``Span.record_exception``, which context managers, instrumentations and the
application call.

The first span that an exception passes gets the event, with our attributes; further spans get none. In mode ``logs``
there is a log record with the span's context instead.

``use_span`` and ``with span:`` write the exception's text into the span's status, and fail where its ``str()`` does:
the application's exception would be lost for theirs. Here it goes on.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, NamedTuple

from opentelemetry.trace import Status, StatusCode

from otel_errors import active, origin
from otel_errors.capture import CapturedException
from otel_errors.emit import Occurrence, add_span_event
from otel_errors.guard import guarded
from otel_errors.not_errors import is_not_an_error
from otel_errors.patching import LatePatch, unbound
from otel_errors.report import report
from otel_errors.safe_text import text_of, type_name
from otel_errors.semconv import EXCEPTION_ESCAPED


class Recording(NamedTuple):
    """The arguments of ``record_exception``."""

    exception: BaseException
    attributes: Mapping[str, Any] | None = None
    timestamp: int | None = None
    escaped: bool = False


def install() -> None:
    for patch in (_patch, _exit_patch):
        patch.install()


def uninstall() -> None:
    for patch in (_patch, _exit_patch):
        patch.uninstall()


def leaves_a_span(depth: int = 2) -> bool:
    """Whether OpenTelemetry's code recorded the exception, because it leaves a span or a request, and not the
    application, which handles it."""
    frame = sys._getframe(depth)
    name = frame.f_globals.get("__name__", "")
    while name.startswith("wrapt") and frame.f_back is not None:  # without its C extension
        frame = frame.f_back
        name = frame.f_globals.get("__name__", "")
    return isinstance(name, str) and name.startswith("opentelemetry.")


def read_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Recording | None:
    """None for a call that the SDK is to judge: wrong arguments, something that is not an exception."""
    try:
        recording = Recording(*args, **kwargs)
    except TypeError:
        return None
    return recording if isinstance(recording.exception, BaseException) else None


def _record_exception(wrapped: Callable[..., Any], span: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    done = False
    with guarded("Span.record_exception") as go:
        reporter = active.instrumented() if go else None
        recording = read_arguments(args, kwargs) if reporter is not None else None
        if reporter is not None and recording is not None:
            leaving = recording.escaped or leaves_a_span()
            done = _record(reporter, wrapped, span, recording, leaving)
    return None if done else wrapped(*args, **kwargs)


def _record(
    reporter: active.Reporter, wrapped: Callable[..., Any], span: Any, recording: Recording, leaving: bool
) -> bool:
    """True when the exception needs nothing more from the SDK."""
    if leaving and is_not_an_error(recording.exception):
        return True
    if leaving and has_no_text(recording.exception):
        span.set_status(Status(StatusCode.ERROR, type_name(recording.exception)))
    occurrence = Occurrence(
        "span" if leaving else "record_exception",
        handled=not leaving,
        origin=origin.of_span(span),
        attributes=recording.attributes or {},
        timestamp=recording.timestamp,
    )

    def add_to_span(attributes: Mapping[str, Any], captured: CapturedException) -> None:
        whole = {EXCEPTION_ESCAPED: str(recording.escaped), **attributes}
        if captured.str_failed or _is_the_sdks_own():
            # What the SDK's function does, without formatting the stack a second time, and without its str() of the
            # exception.
            add_span_event(span, whole, occurrence)
        else:
            wrapped(
                recording.exception,
                attributes={**whole, **occurrence.attributes},
                timestamp=recording.timestamp,
                escaped=recording.escaped,
            )

    # None: neither the span (it has ended) nor a logger takes it; the SDK says so in its own words.
    return report(reporter, recording.exception, occurrence, span=span, add_to_span=add_to_span) is not None


def has_no_text(error: BaseException) -> bool:
    """Whether ``str()`` of it fails."""
    return not text_of(error, 0)[1]


def _watching_exit(leave: Callable[..., Any]) -> Callable[..., Any]:
    call = unbound(leave)

    @functools.wraps(leave)
    def watched(span: Any, kind: Any = None, error: BaseException | None = None, traceback: Any = None) -> Any:
        try:
            return call(span, kind, error, traceback)
        except BaseException as theirs:
            if error is None or theirs is error or not has_no_text(error):
                raise
            span.end()
            return None

    return watched


def _is_the_sdks_own() -> bool:
    """False when another tool wrapped the function before us: it must still be called."""
    original = _patch.patch.original if _patch.patch is not None else None
    return (
        isinstance(original, FunctionType)
        and original.__module__ == "opentelemetry.sdk.trace"
        and not hasattr(original, "__wrapped__")
    )


_patch = LatePatch("opentelemetry.sdk.trace", "Span.record_exception", _record_exception)
_exit_patch = LatePatch("opentelemetry.sdk.trace", "Span.__exit__", make=_watching_exit)
