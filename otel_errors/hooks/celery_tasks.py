"""Celery: tasks that fail for good, in the process that runs them and, for lost workers and time limits, in the one
that watches. An attempt that is retried has not failed, nor has a task with what it says that it ``throws``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from otel_errors import active, not_errors
from otel_errors.flushing import flush
from otel_errors.guard import guarded
from otel_errors.hooks.framework import LateSignal, failed
from otel_errors.patching import LatePatch
from otel_errors.seen import seen

MECHANISM = "celery"
FLUSH_SECONDS = 2.0


def install() -> None:
    for hook in _hooks:
        hook.install()


def uninstall() -> None:
    for hook in _hooks:
        hook.uninstall()


def _handle_failure(wrapped: Callable[..., Any], trace_info: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    # Before the signal, whose receivers are called in the order of whoever was imported first.
    with guarded("Celery task") as go:
        error = getattr(trace_info, "retval", None)
        task = args[0] if args else kwargs.get("task")
        if go and active.instrumented() is not None:
            _mark_expected(task, error)
    failed(MECHANISM, error)
    return wrapped(*args, **kwargs)


def _task_failure(sender: Any = None, exception: object = None, **extra: Any) -> None:
    """Also of the watching process. There is a copy in place of an exception that cannot be pickled."""
    with guarded("Celery task") as go:
        raised = sys.exc_info()[1]
        if go and isinstance(exception, BaseException) and raised is not None and raised is not exception:
            known = seen.get(raised)
            if known is not None:
                seen.claim(exception, lambda: known)
        if go and active.instrumented() is not None:
            _mark_expected(sender, exception)
    failed(MECHANISM, exception)


def _worker_process_shutdown(**extra: Any) -> None:
    # The pool's processes end without Python's own end, where the SDK would send the rest.
    if active.instrumented() is not None:
        flush(FLUSH_SECONDS)


def _mark_expected(task: Any, error: object) -> None:
    throws = getattr(task, "throws", ())
    if isinstance(error, BaseException) and isinstance(throws, tuple) and isinstance(error, throws):
        not_errors.mark(error)


_hooks = (
    LatePatch("celery.app.trace", "TraceInfo.handle_failure", _handle_failure),
    LateSignal("celery.signals", "task_failure", _task_failure),
    LateSignal("celery.signals", "worker_process_shutdown", _worker_process_shutdown),
)
