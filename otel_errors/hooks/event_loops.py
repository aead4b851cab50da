"""What an event loop is left with: tasks whose exception nobody retrieved, callbacks that raised.

asyncio's loops share ``BaseEventLoop.call_exception_handler``. uvloop does not inherit it, but its ``Loop`` is a
Python class that calls its own. Both give what the application's own handler raises to ``default_exception_handler``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from otel_errors import active, origin
from otel_errors.emit import Occurrence
from otel_errors.guard import guarded
from otel_errors.hooks.contrib import owns_process_hooks
from otel_errors.hooks.framework import drop_our_frame
from otel_errors.not_errors import is_not_an_error
from otel_errors.patching import LatePatch, unbound
from otel_errors.report import report


def install() -> None:
    for patch in _patches:
        patch.install()


def uninstall() -> None:
    for patch in _patches:
        patch.uninstall()


def _watching(method: Callable[..., Any]) -> Callable[..., Any]:
    call = unbound(method)

    # Plain: Python prints the bound method when it fails in a finalizer, and that should be the loop's.
    @functools.wraps(method)
    def watched(loop: Any, *args: Any, **kwargs: Any) -> Any:
        with guarded("call_exception_handler") as go:
            if go:
                _report(args[0] if args else kwargs.get("context"))
        try:
            return call(loop, *args, **kwargs)
        except BaseException as own:  # a handler that raises ends the loop
            drop_our_frame(own)
            raise

    return watched


def _report(situation: Any) -> None:
    reporter = active.instrumented()
    error = situation.get("exception") if isinstance(situation, dict) else None
    if reporter is None or not isinstance(error, BaseException) or owns_process_hooks() or is_not_an_error(error):
        return
    report(reporter, error, Occurrence("asyncio", False, origin.of_situation(situation)))


_patches = tuple(
    LatePatch(module, f"{loop}.{method}", make=_watching)
    for module, loop in (("asyncio.base_events", "BaseEventLoop"), ("uvloop", "Loop"))
    for method in ("call_exception_handler", "default_exception_handler")
)
