"""Django: views and middleware that raise, and what a ``process_exception`` turns into an answer of 500 and above.

``response_for_exception`` is given errors in middleware too, which contrib's instrumentation does not see, those of
unsampled requests (contrib's binds ``use_span`` when it is imported), and what Django answers with less than
500, for applications that count some of it as errors. The signal comes also from what answers by itself, such as the
REST framework.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from otel_errors.hooks.framework import LateSignal, answered, drop_our_frame, failed
from otel_errors.patching import LatePatch

MECHANISM = "django"


def install() -> None:
    for hook in _hooks:
        hook.install()


def uninstall() -> None:
    for hook in _hooks:
        hook.uninstall()


def _got_request_exception(**arguments: Any) -> None:
    failed(MECHANISM, sys.exc_info()[1])


def _response_for_exception(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    failed(MECHANISM, args[1] if len(args) > 1 else kwargs.get("exc"))
    try:
        return wrapped(*args, **kwargs)
    except BaseException as own:  # the application's handler of 500 fails, too
        drop_our_frame(own)
        raise


def _process_exception(wrapped: Callable[..., Any], handler: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        answer = wrapped(*args, **kwargs)
    except BaseException as own:
        drop_our_frame(own)
        raise
    error = args[0] if args else kwargs.get("exception")
    if answer is not None and isinstance(error, BaseException):
        answered(MECHANISM, error, answer)
    return answer


_hooks = (
    LatePatch("django.core.handlers.exception", "response_for_exception", _response_for_exception),
    LateSignal("django.core.signals", "got_request_exception", _got_request_exception),
    LatePatch("django.core.handlers.base", "BaseHandler.process_exception_by_middleware", _process_exception),
)
