"""``sys.unraisablehook``: errors in finalizers and callbacks that Python can only print."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from otel_errors import active, origin
from otel_errors.emit import Occurrence
from otel_errors.guard import guarded
from otel_errors.hooks.futures import Companion
from otel_errors.not_errors import is_not_an_error
from otel_errors.patching import HookSlot
from otel_errors.report import report
from otel_errors.seen import on_collection

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_OWN_FINALIZER = Companion.__del__
_OWN_GC_CALLBACK = on_collection
_slot = HookSlot(sys, "unraisablehook", sys.__unraisablehook__)


def install() -> None:
    _slot.install(_unraisablehook)


def uninstall() -> None:
    _slot.uninstall()


def _unraisablehook(args: UnraisableHookArgs) -> None:
    if args.object is _OWN_FINALIZER or args.object is _OWN_GC_CALLBACK:
        return  # called at the recursion limit, where no Python function can run: not the application's output
    with guarded("sys.unraisablehook") as go:
        reporter = active.instrumented() if go else None
        error = args.exc_value
        if reporter is not None and error is not None and not is_not_an_error(error):
            # Not held: its frames hold the object that is being finalized, and would bring it back to life.
            report(reporter, error, Occurrence("unraisablehook", False, origin.unknown()), may_hold=False)
    _slot.previous(args)
