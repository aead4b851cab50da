"""What stands between our code and the application: nothing of ours raises into it, recurses through it or logs
into its logs."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from opentelemetry.instrumentation.utils import is_instrumentation_enabled

MAX_REPORTED_FAILURES = 5

_inside: ContextVar[bool] = ContextVar("otel_errors.inside", default=False)


if TYPE_CHECKING:
    _TextHandler = logging.StreamHandler[TextIO]
else:
    _TextHandler = logging.StreamHandler  # not subscriptable before Python 3.11


class _StderrHandler(_TextHandler):
    """Writes to what ``sys.stderr`` is at that moment: applications replace it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(logging.Formatter("otel_errors: %(message)s"))

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


log: logging.Logger = logging.getLogger("otel_errors.internal")
log.propagate = False  # the root logger may export over the very path that failed
if not log.handlers:
    log.addHandler(_StderrHandler())

_failures = 0


class guarded:
    """``with guarded("threading.excepthook") as go: if go: …``

    ``go`` is False inside another guarded block of the same context and while instrumentation is suppressed
    (exporters run so). An ``Exception`` ends the block and goes to stderr, the first few times; KeyboardInterrupt and
    SystemExit are the application's and pass.
    """

    __slots__ = ("_place", "_token")

    def __init__(self, place: str) -> None:
        self._place = place
        self._token: Token[bool] | None = None

    def __enter__(self) -> bool:
        try:
            if _inside.get() or not is_instrumentation_enabled():
                return False
            self._token = _inside.set(True)
        except Exception:
            return False
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if self._token is not None:
            try:
                _inside.reset(self._token)
            except ValueError:
                _inside.set(False)
        if error is None or not isinstance(error, Exception):
            return False
        tell_failure(self._place, error)
        return True


def tell_failure(place: str, error: Exception) -> None:
    global _failures
    if _failures >= MAX_REPORTED_FAILURES:
        return
    _failures += 1
    try:
        log.warning("an error of the library itself at %s; the application is not affected", place, exc_info=error)
    except Exception:
        pass
