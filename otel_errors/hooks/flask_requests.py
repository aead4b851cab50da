"""Flask: what nobody handles, and what an ``errorhandler`` turns into an answer of 500 and above, which nothing else
sees."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

from otel_errors import active
from otel_errors.guard import guarded
from otel_errors.hooks.framework import LateSignal, failed, watching_handler
from otel_errors.not_errors import is_not_an_error
from otel_errors.patching import LatePatch

MECHANISM = "flask"


def install() -> None:
    for hook in _hooks:
        hook.install()


def uninstall() -> None:
    for hook in _hooks:
        hook.uninstall()


def _got_request_exception(sender: Any, exception: object = None, **extra: Any) -> None:
    failed(MECHANISM, exception)


def _find_error_handler(wrapped: Callable[..., Any], app: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    handler = wrapped(*args, **kwargs)
    with guarded("Flask error handler") as go:
        if not go or active.instrumented() is None:
            return handler
        error = next((one for one in (*args, *kwargs.values()) if isinstance(one, BaseException)), None)
        # With an original exception it is Flask's own wrapper for what the signal told already.
        if error is None or getattr(error, "original_exception", None) is not None or is_not_an_error(error):
            return handler
        if handler is not None:
            return watching_handler(MECHANISM, handler, error, asynchronous=iscoroutinefunction(handler))
    if handler is None and error is not None and _is_an_answer(error):
        failed(MECHANISM, error)  # abort(503): it is its own answer
    return handler


def _is_an_answer(error: BaseException) -> bool:
    return any(
        (base.__module__, base.__name__) == ("werkzeug.exceptions", "HTTPException") for base in type(error).__mro__
    )


_hooks = (
    LateSignal("flask.signals", "got_request_exception", _got_request_exception),
    LatePatch("flask.app", "Flask._find_error_handler", _find_error_handler),
)
