"""``sys.excepthook``: the error that ends the process. It is sent before the process is gone, within two seconds."""

from __future__ import annotations

import sys
from types import TracebackType

from otel_errors import active, origin
from otel_errors.emit import Occurrence
from otel_errors.flushing import flush
from otel_errors.guard import guarded
from otel_errors.hooks.contrib import owns_process_hooks
from otel_errors.not_errors import is_not_an_error
from otel_errors.patching import HookSlot
from otel_errors.report import report

FLUSH_SECONDS = 2.0

_slot = HookSlot(sys, "excepthook", sys.__excepthook__)


def install() -> None:
    _slot.install(_excepthook)


def uninstall() -> None:
    _slot.uninstall()


def _excepthook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    reported = None
    with guarded("sys.excepthook") as go:
        if go:
            reported = _report(error)
    try:
        _slot.previous(kind, error, traceback)
    finally:
        if reported is not None:
            flush(FLUSH_SECONDS)


def _report(error: BaseException) -> str | None:
    reporter = active.instrumented()
    # An interactive session calls this hook for every typing mistake and goes on.
    if reporter is None or hasattr(sys, "ps1") or owns_process_hooks() or is_not_an_error(error):
        return None
    # No span: one that is still current here will not be ended, and its events would be lost with it.
    return report(reporter, error, Occurrence("excepthook", False, origin.here(), fatal=True))
