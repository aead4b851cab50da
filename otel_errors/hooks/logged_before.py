"""Log records on their way to the handlers, for those who want the last ones on an error
(``OTEL_ERRORS_LAST_LOG_RECORDS``); without that nothing is installed.

The seam is ``Logger.callHandlers``: it sees what a logger lets through, also where its records do not reach the root
logger. A handler there would change what ``logging.basicConfig`` does.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from otel_errors import active
from otel_errors.hooks.framework import drop_our_frame
from otel_errors.patching import Patch, unbound

_patches: list[Patch] = []


def install() -> None:
    reporter = active.instrumented()
    if reporter is not None and reporter.settings.last_log_records > 0 and not _patches:
        _patches.append(Patch(logging.Logger, "callHandlers", _watching))


def uninstall() -> None:
    _patches[:] = [patch for patch in _patches if not patch.remove()]


def _watching(call_handlers: Callable[..., Any]) -> Callable[..., Any]:
    from otel_errors.last_log_records import note

    call = unbound(call_handlers)

    @functools.wraps(call_handlers)
    def watched(logger: logging.Logger, record: logging.LogRecord) -> Any:
        try:
            result = call(logger, record)
        except BaseException as own:  # a handler that raises
            drop_our_frame(own)
            raise
        note(record)  # afterwards: the line that tells of an error is not one before it
        return result

    return watched
