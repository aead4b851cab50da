"""What the hooks of frameworks share.

They take the places where a framework hands an exception on as an argument or a signal, never those that the exception
passes as it is raised: a wrapper there would add its frame to the application's tracebacks, and cost every request that
does not fail.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

import wrapt

from otel_errors import active, origin
from otel_errors.emit import Occurrence
from otel_errors.guard import guarded
from otel_errors.not_errors import is_not_an_error, is_said_to_be_one
from otel_errors.report import report

FIRST_SERVER_ERROR = 500


def failed(mechanism: str, error: object) -> None:
    """``error`` is what the request or task that runs now failed with, in whatever way the framework answers it."""
    with guarded(mechanism) as go:
        reporter = active.instrumented() if go else None
        if reporter is None or not isinstance(error, BaseException) or is_not_an_error(error):
            return
        where = origin.here()
        report(reporter, error, Occurrence(mechanism, False, where), span=where.span)


def answered(mechanism: str, error: BaseException, answer: object) -> None:
    """The application turned ``error`` into ``answer``: a failure when that says so, or the application's list; else
    the way that it works."""
    with guarded(mechanism) as go:
        fails = go and (status_of(answer) >= FIRST_SERVER_ERROR or is_said_to_be_one(error))
    if fails:
        failed(mechanism, error)


def status_of(answer: object) -> int:
    """Of a response object of any framework, or of what a Flask view may return in its place; 200 when it says
    nothing."""
    if isinstance(answer, tuple):
        # (body, status) or (body, status, headers); (body, headers) has no status.
        status = answer[1] if len(answer) > 1 else None
        if isinstance(status, str):
            status = status.partition(" ")[0]
            return int(status) if status.isdecimal() else 200
        return int(status) if isinstance(status, int) else status_of(answer[0]) if answer else 200
    for name in ("status_code", "code", "status"):
        status = getattr(answer, name, None)
        if isinstance(status, int):
            return int(status)
    return 200


def watching_handler(mechanism: str, handler: Any, error: BaseException, *, asynchronous: bool) -> Callable[..., Any]:
    """``handler``, the application's own for ``error``, with a look at what it answers. As synchronous or
    asynchronous as it was: frameworks choose by that how they call it."""
    if asynchronous:

        async def watched_async(*args: Any, **kwargs: Any) -> Any:
            try:
                answer = await handler(*args, **kwargs)
            except BaseException as own:
                drop_our_frame(own)
                raise
            answered(mechanism, error, answer)
            return answer

        return watched_async

    def watched(*args: Any, **kwargs: Any) -> Any:
        try:
            answer = handler(*args, **kwargs)
        except BaseException as own:
            drop_our_frame(own)
            raise
        answered(mechanism, error, answer)
        return answer

    return watched


_traceback: Any = BaseException.__dict__["__traceback__"]


def drop_our_frame(error: BaseException) -> None:
    """Called where ``error`` was caught, before a bare ``raise``: the application's tracebacks stay its own. (Python
    3.10 keeps the frame: there a bare ``raise`` does not look at the exception's traceback.)"""
    try:
        found = _traceback.__get__(error)
        if isinstance(found, TracebackType) and found.tb_next is not None:
            _traceback.__set__(error, found.tb_next)
    except Exception:
        pass


class LateSignal:
    """A receiver of a framework's signal (blinker's, Django's, Celery's: all have ``connect`` and ``disconnect``),
    connected when the application imports the framework."""

    def __init__(self, module: str, name: str, receiver: Callable[..., None]) -> None:
        self._module = module
        self._name = name
        self._receiver = receiver
        self._wanted = False
        self._registered = False
        self._signal: Any = None

    def install(self) -> None:
        self._wanted = True
        if not self._registered:
            self._registered = True
            wrapt.register_post_import_hook(self._on_import, self._module)
        elif self._signal is not None:
            self._signal.connect(self._receiver)

    def uninstall(self) -> None:
        self._wanted = False
        if self._signal is not None:
            self._signal.disconnect(self._receiver)

    def _on_import(self, module: Any) -> None:
        # Raising in here would fail the application's import of that module.
        with guarded(f"connecting to {self._module}.{self._name}"):
            self._signal = getattr(module, self._name)
            if self._wanted:
                self._signal.connect(self._receiver)
