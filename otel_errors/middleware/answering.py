"""What every middleware does with an error, in one place: whose it is, handle it once, make the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach

from otel_errors.app_errors import BaseAppError
from otel_errors.handled import Handled
from otel_errors.handler import ErrorHandler
from otel_errors.middleware.response import ErrorResponse, Page, response_to
from otel_errors.not_errors import is_control_flow, is_not_an_error

__all__ = ["Answering", "Asked"]


@dataclass(frozen=True)
class Asked:
    """What the answer depends on, and what the log line says of the request.

    >>> Asked("GET", "/orders/7", accept="text/html").facts
    {'method': 'GET', 'path': '/orders/7'}
    """

    method: str
    path: str
    """Without the query, which may hold more than the log should."""
    accept: str | None = None
    """Headers as they came."""
    accept_language: str | None = None

    @property
    def facts(self) -> dict[str, str]:
        return {"method": self.method, "path": self.path}


class Answering:
    """``mechanism``: the framework's name in ``otel_errors.mechanism``. ``debug``: whether errors that are none of
    ``otel_errors.app_errors`` are left to the framework, which then shows its debugger.

    >>> answering = Answering(None, mechanism="wsgi")
    >>> answering.response(KeyError("x"), Asked("GET", "/")).status
    500
    """

    def __init__(
        self,
        handler: ErrorHandler | None,
        *,
        mechanism: str,
        type_base: str = "",
        page: Page | None = None,
        debug: Callable[[], bool] = bool,
    ) -> None:
        self.handler: ErrorHandler = handler if handler is not None else ErrorHandler()
        self._mechanism = mechanism
        self._type_base = type_base
        self._page = page
        self._debug = debug

    def passes(self, error: BaseException, *, unknown: bool = False) -> bool:
        """Whether ``error`` is somebody else's to answer: a status exception of the framework, control flow, and
        whatever the application did not mean to raise, in debug mode and where ``unknown`` says so for this request."""
        if isinstance(error, BaseAppError):
            return False
        return unknown or is_control_flow(error) or bool(self._debug())

    def handled(self, error: BaseException, asked: Asked, context: Context | None = None) -> Handled:
        """``error`` will be answered. ``context``: of the request, whose span may be over by now."""
        with _in(context):
            return self._handle(error, asked.facts, asked.accept_language, None)

    def response(self, error: BaseException, asked: Asked, context: Context | None = None) -> ErrorResponse:
        """``error``, handled, and the answer to it over HTTP."""
        return self.response_to(self.handled(error, asked, context), asked)

    def response_to(self, handled: Handled, asked: Asked) -> ErrorResponse:
        return response_to(
            handled, method=asked.method, accept=asked.accept, type_base=self._type_base, page=self._page
        )

    def late(self, error: BaseException, asked: Asked, context: Context | None = None) -> None:
        """``error`` can no longer be answered: the answer has begun, or was sent."""
        with _in(context):
            self._handle(error, asked.facts, asked.accept_language, False)

    def call(self, error: BaseException, facts: Mapping[str, str], accept_language: str | None) -> Handled:
        """As ``handled``, for what is not HTTP."""
        return self._handle(error, facts, accept_language, None)

    def _handle(
        self, error: BaseException, facts: Mapping[str, str], language: str | None, handled: bool | None
    ) -> Handled:
        # The application's own word (OTEL_ERRORS_NOT_ERRORS): answered like any other, and nothing is recorded.
        if is_not_an_error(error):
            return self.handler.answer(error, language)
        return self.handler.handle(error, facts, language=language, handled=handled, mechanism=self._mechanism)


@contextmanager
def _in(context: Context | None) -> Iterator[None]:
    if context is None or trace.get_current_span().get_span_context().is_valid:
        yield
        return
    token = attach(context)
    try:
        yield
    finally:
        detach(token)
