"""Starlette and FastAPI: what nobody handles, with or without an instrumentation that makes a span, and what an
``exception_handler`` turns into an answer of 500 and above, which nothing else sees."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

from otel_errors import active
from otel_errors.guard import guarded
from otel_errors.hooks.framework import failed, watching_handler
from otel_errors.not_errors import is_not_an_error
from otel_errors.patching import LatePatch

MECHANISM = "starlette"


def install() -> None:
    for patch in _patches:
        patch.install()


def uninstall() -> None:
    for patch in _patches:
        patch.uninstall()


def _error_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> BaseException | None:
    return next((one for one in (*args, *kwargs.values()) if isinstance(one, BaseException)), None)


def _lookup(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    handler = wrapped(*args, **kwargs)
    if handler is None:
        return None
    with guarded("Starlette exception handler") as go:
        error = _error_of(args, kwargs)
        if go and active.instrumented() is not None and error is not None and not is_not_an_error(error):
            return watching_handler(MECHANISM, handler, error, asynchronous=_is_asynchronous(handler))
    return handler


def _is_asynchronous(handler: Any) -> bool:
    return iscoroutinefunction(handler) or iscoroutinefunction(getattr(handler, "__call__", None))  # noqa: B004


def _respond(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    failed(MECHANISM, _error_of(args, kwargs))
    return wrapped(*args, **kwargs)


# With a handler of the application for 500 these two are not called; then the server logs the error, which is raised
# again in any case, and that is seen.
_patches = (
    LatePatch("starlette._exception_handler", "_lookup_exception_handler", _lookup),
    LatePatch("starlette.middleware.errors", "ServerErrorMiddleware.error_response", _respond),
    LatePatch("starlette.middleware.errors", "ServerErrorMiddleware.debug_response", _respond),
)
