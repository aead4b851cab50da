"""OpenTelemetry contrib's own ``exceptions`` instrumentation: where it is active, the hooks of process, threads
and tasks are its. Its records stay its (scope, event name, severity), and get the identity of the error that they carry
and what else we know of it: an error that passed a span as well is one error, not two.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import FrameType
from typing import Any, Final

from opentelemetry._logs import SeverityNumber

from otel_errors import active, origin
from otel_errors.emit import Occurrence
from otel_errors.guard import guarded
from otel_errors.not_errors import is_not_an_error
from otel_errors.origin import of_situation
from otel_errors.patching import LatePatch
from otel_errors.report import report
from otel_errors.semconv import EXCEPTION_MESSAGE

_MODULE: Final = "opentelemetry.instrumentation.exceptions"
_HOOKS: Final = {
    "_wrap_sys_excepthook": "excepthook",
    "_wrap_threading_excepthook": "threading",
    "_wrap_asyncio_call_exception_handler": "asyncio",
}
_FRAMES_LOOKED_AT: Final = 12
_THEIRS: Final = ("event_name", "severity_text", "severity_number")


def install() -> None:
    _patch.install()


def uninstall() -> None:
    _patch.uninstall()


def owns_process_hooks() -> bool:
    """Asked when a hook is called: which of the two is instrumented first is a matter of chance."""
    module = sys.modules.get(_MODULE)
    instrumentor = getattr(module, "UnhandledExceptionInstrumentor", None)
    # Never constructed to ask it: its __init__ runs again on the one instance and silences it.
    instance = getattr(instrumentor, "_instance", None)
    return bool(getattr(instance, "_is_instrumented_by_opentelemetry", False))


class _TheirLogger:
    """Emits our description of the error as their record."""

    def __init__(self, logger: Any, theirs: dict[str, Any]) -> None:
        self._logger = logger
        self._theirs = theirs
        self._log_record_limits = getattr(logger, "_log_record_limits", None)

    def enabled(self, **about: Any) -> bool:
        return bool(self._logger.enabled(**{**about, **self._known(about)}))

    def emit(self, **ours: Any) -> None:
        # Their body is the message; what ``before_send`` took out of that must not come back there.
        self._logger.emit(**{**ours, **self._theirs, "body": ours["attributes"].get(EXCEPTION_MESSAGE)})

    def _known(self, about: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in self._theirs.items() if key in about}


def _emit_exception(
    wrapped: Callable[..., Any], instrumentor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    done = False
    with guarded("contrib's exceptions instrumentation") as go:
        reporter = active.instrumented() if go else None
        error = args[0] if args else kwargs.get("exc")
        logger: Any = getattr(instrumentor, "_logger", None)
        # Exception only, as they do.
        if reporter is not None and isinstance(error, Exception) and logger is not None:
            if not is_not_an_error(error):
                own: Any = _TheirLogger(logger, {key: kwargs[key] for key in _THEIRS if key in kwargs})
                report(replace(reporter, own_logger=own), error, _occurrence(kwargs))
            done = True
    return None if done else wrapped(*args, **kwargs)


def _occurrence(kwargs: dict[str, Any]) -> Occurrence:
    fatal = kwargs.get("severity_number") is SeverityNumber.FATAL
    hook, caller = next(_callers(), ("excepthook" if fatal else "threading", None))
    if hook == "threading":
        where = origin.of_thread(threading.current_thread())
    elif hook == "asyncio" and caller is not None:
        where = of_situation(caller.f_locals.get("context"))
    else:
        where = origin.here()
    return Occurrence(hook, False, where, fatal=fatal)


def _callers() -> Iterator[tuple[str, FrameType]]:
    """Which of their hooks this runs in: they do not say."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(_FRAMES_LOOKED_AT):
        if frame is None:
            return
        hook = _HOOKS.get(frame.f_code.co_name)
        if hook is not None:
            yield hook, frame
        frame = frame.f_back


_patch = LatePatch(_MODULE, "UnhandledExceptionInstrumentor._emit_exception", _emit_exception)
