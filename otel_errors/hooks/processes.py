"""Children of ``multiprocessing``, by whatever start method: their errors reach no ``sys.excepthook``, and a forked
child leaves without Python's own end, where the SDK would send what it holds.

The seam is ``multiprocessing.util._exit_function``, which a child calls while its error passes: nothing stands between
the raise and Python's own printing of it.
"""

from __future__ import annotations

import multiprocessing.process
import sys
from collections.abc import Callable
from typing import Any

from otel_errors import active, origin
from otel_errors.emit import Occurrence
from otel_errors.flushing import flush
from otel_errors.guard import guarded
from otel_errors.hooks import futures
from otel_errors.not_errors import is_not_an_error
from otel_errors.patching import LatePatch
from otel_errors.report import report
from otel_errors.seen import seen

MECHANISM = "multiprocessing"
FLUSH_SECONDS = 2.0


def install() -> None:
    _patch.install()


def uninstall() -> None:
    _patch.uninstall()


def _exit_function(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    error = sys.exc_info()[1]
    with guarded("multiprocessing child") as go:
        reporter = active.instrumented() if go else None
        in_child = multiprocessing.process.parent_process() is not None
        if reporter is not None and in_child:
            futures.report_unread()
            if error is not None and not is_not_an_error(error):
                report(reporter, error, Occurrence(MECHANISM, False, origin.here(), fatal=True))
    if reporter is not None and in_child and len(seen) > 0:
        flush(FLUSH_SECONDS)
    return wrapped(*args, **kwargs)


_patch = LatePatch("multiprocessing.util", "_exit_function", _exit_function)
