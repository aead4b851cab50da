"""Results of ``concurrent.futures`` that nobody reads: Python keeps their exceptions silently.

Nothing is done for a future that succeeds. One that fails gets a companion, which sees whether ``exception()`` was
called or the exception was raised again (by ``result()``), and reports it when the future is dropped, or at the end of
the process.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any
from weakref import WeakSet

from opentelemetry.context import Context

from otel_errors import active, origin
from otel_errors.emit import Occurrence
from otel_errors.guard import guarded
from otel_errors.hooks.framework import drop_our_frame
from otel_errors.not_errors import is_not_an_error
from otel_errors.patching import LatePatch
from otel_errors.report import report

MECHANISM = "concurrent.futures"
_FRAMES_LOOKED_AT = 8
_TRIES = 16
_ATTRIBUTE = "_otel_errors_companion"

_companions: WeakSet[Companion] = WeakSet()


def install() -> None:
    for patch in _patches:
        patch.install()
    atexit.register(report_unread)


def uninstall() -> None:
    for patch in _patches:
        patch.uninstall()
    atexit.unregister(report_unread)


class Companion:
    """Lives in the future's own attributes, so that it dies with it, in a cycle or not."""

    def __init__(self, error: BaseException, where: origin.Origin) -> None:
        self._error = error
        self._traceback = _traceback_of(error)
        self._where = where
        self._process = os.getpid()
        self._done = False

    def read(self) -> None:
        self._done = True

    def report_if_unread(self) -> None:
        error = self._error
        # Raised again: its traceback has grown. Of another process: that one reports it.
        if self._done or self._process != os.getpid() or _traceback_of(error) is not self._traceback:
            return
        self._done = True
        with guarded("concurrent.futures") as go:
            reporter = active.instrumented() if go else None
            if reporter is not None and not is_not_an_error(error):
                report(reporter, error, Occurrence(MECHANISM, False, self._where))

    def __del__(self) -> None:
        try:
            self.report_if_unread()
        except Exception:
            pass  # parts of the interpreter are gone


def report_unread() -> None:
    """Those of futures that are still there at the end of the process."""
    for companion in _waiting():
        companion.report_if_unread()


def _waiting() -> list[Companion]:
    # A thread that still runs may add one meanwhile, which ends the walk over a WeakSet.
    for _ in range(_TRIES):
        try:
            return list(_companions)
        except RuntimeError:
            pass
    return []


def _set_exception(wrapped: Callable[..., Any], future: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guarded("Future.set_exception") as go:
        error = args[0] if args else kwargs.get("exception")
        if go and active.instrumented() is not None and isinstance(error, BaseException) and not future.done():
            companion = Companion(error, _where(error))
            # Before the result is set: callbacks of the future run in there.
            setattr(future, _ATTRIBUTE, companion)
            _companions.add(companion)
    return wrapped(*args, **kwargs)


def _exception(wrapped: Callable[..., Any], future: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        error = wrapped(*args, **kwargs)
    except BaseException as own:  # cancelled, or not done in time
        drop_our_frame(own)
        raise
    if error is not None:
        companion = getattr(future, _ATTRIBUTE, None)
        if isinstance(companion, Companion):
            companion.read()
    return error


def _where(error: BaseException) -> origin.Origin:
    """This thread; in the trace context that contrib's threading instrumentation gave the work and took again."""
    here = origin.here()
    if here.span.get_span_context().is_valid:
        return here
    tb = _traceback_of(error)
    for _ in range(_FRAMES_LOOKED_AT):
        if tb is None:
            break
        if tb.tb_frame.f_globals.get("__name__") == "opentelemetry.instrumentation.threading":
            context = tb.tb_frame.f_locals.get("otel_context")
            if isinstance(context, Context) and context:
                return origin.Origin(context, here.scope, here.thread_id, here.thread_name)
        tb = tb.tb_next
    return here


_descriptor: Any = BaseException.__dict__["__traceback__"]


def _traceback_of(error: BaseException) -> TracebackType | None:
    found = _descriptor.__get__(error)
    return found if isinstance(found, TracebackType) else None


_patches = (
    LatePatch("concurrent.futures._base", "Future.set_exception", _set_exception),
    LatePatch("concurrent.futures._base", "Future.exception", _exception),
)
