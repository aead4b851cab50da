"""Children of ``multiprocessing``, by whatever start method: their errors reach no ``sys.excepthook``, and a forked
child leaves without Python's own end, where the SDK would send what it holds.

The seam is ``BaseProcess._bootstrap``, all of a child's life. It keeps an error to itself: what it prints with
``traceback.print_exc`` is what the child died of, and nothing of ours stands between the raise and that print.
(``util._exit_function``, which it called while the error passed, is no longer called there from Python 3.13 on.)
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Any

from otel_errors import active, origin
from otel_errors.emit import Occurrence
from otel_errors.flushing import flush
from otel_errors.guard import guarded
from otel_errors.hooks import futures
from otel_errors.not_errors import is_not_an_error
from otel_errors.patching import LatePatch, Patch, wrapping
from otel_errors.report import report
from otel_errors.seen import seen

MECHANISM = "multiprocessing"
FLUSH_SECONDS = 2.0
_BOOTSTRAP = "_bootstrap"


def install() -> None:
    _patch.install()


def uninstall() -> None:
    _patch.uninstall()


def _bootstrap(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    printing: Patch | None = None
    with guarded("multiprocessing child") as go:
        if go:
            printing = Patch(traceback, "print_exc", wrapping(_print_exc))
    try:
        return wrapped(*args, **kwargs)
    finally:
        if printing is not None:
            printing.remove()
        _end()


def _print_exc(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guarded("multiprocessing child") as go:
        _, error, raised = sys.exc_info()
        # A traceback begins at the frame that caught: what the application itself catches and prints is handled.
        is_the_end = raised is not None and raised.tb_frame.f_code.co_name == _BOOTSTRAP
        reporter = active.instrumented() if go and is_the_end else None
        if reporter is not None and error is not None and not is_not_an_error(error):
            report(reporter, error, Occurrence(MECHANISM, False, origin.here(), fatal=True))
    return wrapped(*args, **kwargs)


def _end() -> None:
    reporter = None
    with guarded("multiprocessing child") as go:
        reporter = active.instrumented() if go else None
        if reporter is not None:
            futures.report_unread()
    if reporter is not None and len(seen) > 0:
        flush(FLUSH_SECONDS)


_patch = LatePatch("multiprocessing.process", "BaseProcess._bootstrap", _bootstrap)
