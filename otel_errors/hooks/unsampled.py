"""Errors that pass spans which do not record: not sampled, or ended before the exception arrived. They become log
records with that span's context.

``opentelemetry.trace.use_span`` is the one place that sees them: the SDK and most instrumentations look it up there
at each call. Those that bind it by name at import (Django's) do not pass here. ``with tracer.start_span()`` leaves
through the span's own ``__exit__``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import opentelemetry.context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import propagation

from otel_errors import active, origin
from otel_errors.emit import Occurrence
from otel_errors.guard import guarded
from otel_errors.hooks.spans import has_no_text, leaves_a_span, read_arguments
from otel_errors.not_errors import is_not_an_error, is_said_to_be_one
from otel_errors.patching import Patch, unbound, wrapping
from otel_errors.report import report
from otel_errors.scope import begin_unit, end_unit

try:
    from opentelemetry.util._decorator import _AgnosticContextManager
except ImportError:  # not promised by the API; without it use_span cannot decorate coroutines
    from contextlib import _GeneratorContextManager as _AgnosticContextManager  # type: ignore[assignment]

_SPAN_KEY: Any = getattr(propagation, "_SPAN_KEY", None)

_patches: list[Patch] = []


def install() -> None:
    if not _patches:
        _patches.append(Patch(trace, "use_span", _watching))
        _patches.append(Patch(trace.NonRecordingSpan, "record_exception", wrapping(_record_exception)))
        _patches.append(Patch(trace.NonRecordingSpan, "__exit__", _watching_exit))


def uninstall() -> None:
    _patches[:] = [patch for patch in _patches if not patch.remove()]


class _Manager(_AgnosticContextManager[Any]):
    """``use_span``'s own context manager, which also tells us what passed. On the road of every span of the
    application: an object around it would double the cost, and a generator would add its frame to tracebacks."""

    _unit: Any = None

    def __enter__(self) -> Any:
        try:
            context = _current()
            around = context.get(_SPAN_KEY) if _SPAN_KEY is not None else trace.get_current_span(context)
            # Spans of the SDK are always local. The others: unsampled, invalid, or of the process that called us.
            if around is None or (type(around) is trace.NonRecordingSpan and not _is_local(around)):
                # The outermost span of this process: a request, message or job begins, with a scope of its own.
                self._unit = begin_unit(self.args[0] if self.args else self.kwds.get("span"), context)
        except Exception:
            pass  # a span without a scope of ours is still the application's span
        # As the manager does, which also drops its arguments; they are needed when something fails.
        return next(self.gen)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Any:
        try:
            if kind is None:
                next(self.gen, None)  # to its end: it has one yield
                return False
            if error is not None:
                _leaves(error, *self.args, **self.kwds)
            return super().__exit__(kind, error, traceback)
        except BaseException as theirs:
            if error is None or theirs is error or not has_no_text(error):
                raise
            return False  # the application's goes on, not what became of writing its text into the status
        finally:
            if error is not None:
                _passed(error, *self.args, **self.kwds)
            if self._unit is not None:
                try:
                    end_unit(self._unit, error)
                except Exception:
                    pass


# OpenTelemetry's context is in a context variable unless somebody replaced that; two calls less for each span.
_variable = getattr(getattr(opentelemetry.context, "_RUNTIME_CONTEXT", None), "_current_context", None)
_current: Callable[[], Context] = (
    _variable.get if isinstance(_variable, ContextVar) else opentelemetry.context.get_current
)


def _is_local(span: trace.Span) -> bool:
    context = span.get_span_context()
    return context.is_valid and not context.is_remote


def _watching(use_span: Callable[..., Any]) -> Callable[..., Any]:
    function: Any = getattr(use_span, "__wrapped__", None)
    if use_span.__module__ != trace.__name__ or not inspect.isgeneratorfunction(function):
        # Another tool was here first: what its function returns is not ours to replace.
        def function(*args: Any, **kwargs: Any) -> Iterator[Any]:
            with use_span(*args, **kwargs) as span:
                yield span

    # Nothing is looked at before something fails; wrapt's wrapper costs a microsecond more.
    @functools.wraps(use_span)
    def watched(*args: Any, **kwargs: Any) -> _Manager:
        return _Manager(function, args, kwargs)

    return watched


def _watching_exit(leave: Callable[..., Any]) -> Callable[..., Any]:
    call = unbound(leave)

    # Plain for the same reason.
    @functools.wraps(leave)
    def watched(span: Any, kind: Any = None, error: BaseException | None = None, traceback: Any = None) -> Any:
        if error is not None:
            _left(span, error)
        return call(span, kind, error, traceback)

    return watched


def _left(span: Any, error: BaseException) -> None:
    """``error`` left ``with span:``; any BaseException, as the SDK records there."""
    with guarded("NonRecordingSpan.__exit__") as go:
        reporter = active.instrumented() if go else None
        if reporter is not None and span.get_span_context().is_valid and not is_not_an_error(error):
            report(reporter, error, Occurrence("span", False, origin.of_span(span)))


def _leaves(error: BaseException, span: Any = None, *args: Any, **kwargs: Any) -> None:
    """``error`` is about to leave ``use_span(span, …)``, whose caller may not want it recorded, as instrumentations
    do not want answers of 404."""
    with guarded("use_span") as go:
        reporter = active.instrumented() if go else None
        if reporter is not None and isinstance(span, trace.Span) and is_said_to_be_one(error):
            report(reporter, error, Occurrence("span", False, origin.of_span(span)), span=span)


def _passed(
    error: BaseException,
    span: Any = None,
    end_on_exit: bool = False,
    record_exception: bool = True,
    *args: Any,
    **kwargs: Any,
) -> None:
    """``error`` left ``use_span(span, …)``, called with these arguments."""
    with guarded("use_span") as go:
        reporter = active.instrumented() if go else None
        # Exception only, as use_span does; and a span that records has told the SDK's seam.
        if (
            reporter is not None
            and record_exception
            and isinstance(error, Exception)
            and isinstance(span, trace.Span)
            and not span.is_recording()
            and span.get_span_context().is_valid
            and not is_not_an_error(error)
        ):
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
