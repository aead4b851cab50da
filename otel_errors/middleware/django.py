"""Django, over WSGI and ASGI. The module is one entry of ``MIDDLEWARE``, the first:
``otel_errors.middleware.django.ErrorMiddleware``."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any, ClassVar, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from opentelemetry.context import get_current

from otel_errors.app_errors import BaseAppError
from otel_errors.handler import ErrorHandler
from otel_errors.middleware.answering import Answering, Asked
from otel_errors.middleware.response import Page

__all__ = ["ErrorMiddleware"]

MECHANISM: Final = "django"
_FAILED: Final = "_otel_errors_failed"


class ErrorMiddleware:
    """Answers what views and the middleware below it raise, and sees what fails while a streaming response is sent.

    Django's own ``Http404``, ``PermissionDenied`` and the like are answered as before. With ``DEBUG``, only errors of
    ``otel_errors.app_errors`` are answered. Options are attributes of a subclass, as of
    ``otel_errors.middleware.wsgi.ErrorMiddleware``:

    >>> from otel_errors.handler import ErrorHandler
    >>> class ShopErrors(ErrorMiddleware):
    ...     handler = ErrorHandler("shop")
    ...     type_base = "https://shop.example/errors/"
    """

    sync_capable: ClassVar[bool] = True
    async_capable: ClassVar[bool] = True

    handler: ClassVar[ErrorHandler | None] = None
    type_base: ClassVar[str] = ""
    page: ClassVar[Page | None] = None

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        options = type(self)  # by the class: a function there is not a method
        self._answering = Answering(
            options.handler,
            mechanism=MECHANISM,
            type_base=options.type_base,
            page=options.page,
            debug=lambda: bool(settings.DEBUG),
        )
        self._is_async = bool(iscoroutinefunction(get_response))
        if self._is_async:
            markcoroutinefunction(self)
        got_request_exception.connect(_note, dispatch_uid=_FAILED)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._call_async(request)
        return self._answered(request, self._get_response(request))

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        return self._answered(request, await self._get_response(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Called by Django with what a view raised."""
        # The others go Django's way: its signal, its log, its mail to the administrators; then the answer is replaced.
        return self._response(request, exception) if isinstance(exception, BaseAppError) else None

    def _answered(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        error = request.__dict__.pop(_FAILED, None)
        if error is not None and response.status_code >= 500 and not self._answering.passes(error):
            return self._response(request, error)
        if response.streaming and getattr(response, "file_to_stream", None) is None:
            self._watch(request, response)
        return response

    def _response(self, request: HttpRequest, error: Exception) -> HttpResponseBase:
        answer = self._answering.response(error, _asked(request))
        response = HttpResponse(answer.body, status=answer.status)
        for name, value in answer.headers:
            response.headers[name] = value
        response._has_been_logged = True  # by the handler; Django would say "Not Found: /orders/7" once more
        return response

    def _watch(self, request: HttpRequest, response: Any) -> None:
        asked, context = _asked(request), get_current()  # the request's span is over when the body is sent

        def late(error: Exception) -> None:
            if not self._answering.passes(error):
                self._answering.late(error, asked, context)

        def parts(inner: Iterable[bytes]) -> Iterator[bytes]:
            try:
                yield from inner
            except Exception as error:
                late(error)
                raise

        async def async_parts(inner: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
            try:
                async for part in inner:
                    yield part
            except Exception as error:
                late(error)
                raise

        content = response.streaming_content
        response.streaming_content = async_parts(content) if getattr(response, "is_async", False) else parts(content)


def _note(sender: object, request: HttpRequest | None = None, **arguments: object) -> None:
    """Django makes an answer of the error before any middleware sees it."""
    if request is not None:
        request.__dict__[_FAILED] = sys.exc_info()[1]


def _asked(request: HttpRequest) -> Asked:
    return Asked(
        str(request.method or "GET"),
        request.path,
        request.META.get("HTTP_ACCEPT"),
        request.META.get("HTTP_ACCEPT_LANGUAGE"),
    )
