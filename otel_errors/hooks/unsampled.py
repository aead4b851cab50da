"""Errors that pass spans which do not record: not sampled, or ended before the exception arrived. They become log
records with that span's context.

``opentelemetry.trace.use_span`` is the one place that sees them: the SDK and most instrumentations look it up there
at each call. Those that bind it by name at import (Django's) do not pass here; neither does ``with
tracer.start_span()``.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from opentelemetry import trace

from otel_errors import active, origin
from otel_errors.emit import Occurrence
from otel_errors.guard import guarded
from otel_errors.hooks.spans import leaves_a_span, read_arguments
from otel_errors.not_errors import is_not_an_error
from otel_errors.patching import Patch
from otel_errors.report import report

_patches: list[Patch] = []


def install() -> None:
    if not _patches:
        _patches.append(Patch(trace, "use_span", _use_span))
        _patches.append(Patch(trace.NonRecordingSpan, "record_exception", _record_exception))


def uninstall() -> None:
    _patches[:] = [patch for patch in _patches if not patch.remove()]


class WatchedSpan:
    """``use_span``'s context manager, which also tells us what passed. Not a generator: that would add its frame
    to the application's tracebacks."""

    __slots__ = ("_manager", "_span")

    def __init__(self, manager: Any, span: trace.Span) -> None:
        self._manager = manager
        self._span = span

    def __enter__(self) -> Any:
        return self._manager.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Any:
        try:
            return self._manager.__exit__(kind, error, traceback)
        finally:
            if error is not None:
                _passed(self._span, error)

    def __call__(self, function: Any) -> Any:
        """As a decorator: each call makes a new manager of its own, which nobody watches."""
        return self._manager(function)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)


def _use_span(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    manager = wrapped(*args, **kwargs)
    span = args[0] if args else kwargs.get("span")
    records = args[2] if len(args) > 2 else kwargs.get("record_exception", True)
    return WatchedSpan(manager, span) if records and isinstance(span, trace.Span) else manager


def _passed(span: trace.Span, error: BaseException) -> None:
    with guarded("use_span") as go:
        reporter = active.instrumented() if go else None
        # Exception only, as use_span does; and a span that records has told the SDK's seam.
        if reporter is None or not isinstance(error, Exception) or span.is_recording() or is_not_an_error(error):
            return
        if span.get_span_context().is_valid:
            report(reporter, error, Occurrence("span", False, origin.of_span(span)))


def _record_exception(wrapped: Callable[..., Any], span: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guarded("NonRecordingSpan.record_exception") as go:
        reporter = active.instrumented() if go else None
        recording = read_arguments(args, kwargs) if reporter is not None else None
        if reporter is not None and recording is not None:
            leaving = recording.escaped or leaves_a_span()
            if not (leaving and is_not_an_error(recording.exception)):
                occurrence = Occurrence(
                    "span" if leaving else "record_exception",
                    handled=not leaving,
                    origin=origin.of_span(span),
                    attributes=recording.attributes or {},
                    timestamp=recording.timestamp,
                )
                report(reporter, recording.exception, occurrence)
    return wrapped(*args, **kwargs)
