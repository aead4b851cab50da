"""``threading.excepthook``: the error that ends a thread."""

from __future__ import annotations

import threading

from otel_errors import active, origin
from otel_errors.emit import Occurrence
from otel_errors.guard import guarded
from otel_errors.hooks.contrib import owns_process_hooks
from otel_errors.not_errors import is_not_an_error
from otel_errors.patching import HookSlot
from otel_errors.report import report

_slot = HookSlot(threading, "excepthook", threading.__excepthook__)


def install() -> None:
    _slot.install(_excepthook)


def uninstall() -> None:
    _slot.uninstall()


def _excepthook(args: threading.ExceptHookArgs) -> None:
    with guarded("threading.excepthook") as go:
        reporter = active.instrumented() if go else None
        error = args.exc_value
        if reporter is not None and error is not None and not owns_process_hooks() and not is_not_an_error(error):
            report(reporter, error, Occurrence("threading", False, origin.of_thread(args.thread)))
    _slot.previous(args)
