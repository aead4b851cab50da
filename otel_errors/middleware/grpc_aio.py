"""gRPC, the asyncio server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Any, NoReturn

import grpc.aio

from otel_errors.handled import Handled
from otel_errors.handler import ErrorHandler
from otel_errors.middleware.answering import Answering
from otel_errors.middleware.grpc import MECHANISM, Behaviour, rebuilt, status_of
from otel_errors.middleware.grpc_status import Trailer, accept_language, trailers_of

__all__ = ["ErrorInterceptor"]


class ErrorInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """For ``grpc.aio.server(interceptors=[ErrorInterceptor()])``; otherwise as
    ``otel_errors.middleware.grpc.ErrorInterceptor``. Methods may be coroutines, asynchronous generators and plain
    functions.

    >>> interceptor = ErrorInterceptor(domain="shop.example")
    """

    def __init__(self, handler: ErrorHandler | None = None, *, domain: str = "") -> None:
        self._answering = Answering(handler, mechanism=MECHANISM)
        self._domain = domain

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any) -> Any:
        """Called by gRPC for each call.

        >>> import asyncio
        >>> async def unknown(details):
        ...     return None
        >>> asyncio.run(ErrorInterceptor().intercept_service(unknown, None)) is None
        True
        """
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method = str(handler_call_details.method)

        def watched(behaviour: Behaviour) -> Behaviour:
            return self._watched(behaviour, method, bool(handler.response_streaming))

        return rebuilt(handler, watched)

    def _watched(self, behaviour: Behaviour, method: str, streams: bool) -> Behaviour:
        """As asynchronous as ``behaviour``: gRPC chooses by that how it calls it."""

        async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
            try:
                async for message in behaviour(request, context):
                    yield message
            except Exception as error:
                if self._answering.passes(error):
                    raise
                await self._abort(error, context, method)

        async def call(request: Any, context: Any) -> Any:
            try:
                return await behaviour(request, context)
            except Exception as error:
                if self._answering.passes(error):
                    raise
                await self._abort(error, context, method)

        def plain_stream(request: Any, context: Any) -> Iterator[Any]:
            try:
                yield from behaviour(request, context)
            except Exception as error:
                if self._answering.passes(error):
                    raise
                # Not abort(): in a thread it may overtake the message before it, and gRPC then never ends the call.
                handled, code, trailers = self._answer(error, context, method)
                context.set_trailing_metadata(trailers)
                context.set_details(str(handled))
                context.set_code(code)

        def plain_call(request: Any, context: Any) -> Any:
            try:
                return behaviour(request, context)
            except Exception as error:
                if self._answering.passes(error):
                    raise
                handled, code, trailers = self._answer(error, context, method)
                return context.abort(code, str(handled), trailers)

        if _is(isasyncgenfunction, behaviour):
            return stream
        if _is(iscoroutinefunction, behaviour):
            return call
        return plain_stream if streams else plain_call

    async def _abort(self, error: Exception, context: Any, method: str) -> NoReturn:
        handled, code, trailers = self._answer(error, context, method)
        await context.abort(code, str(handled), trailers)
        raise AssertionError("context.abort() raises")

    def _answer(self, error: Exception, context: Any, method: str) -> tuple[Handled, Any, tuple[Trailer, ...]]:
        handled = self._answering.call(error, {"method": method}, accept_language(context.invocation_metadata()))
        code = status_of(handled.error.grpc_status)
        # The context of plain functions does not tell what they set.
        given = context.trailing_metadata() if hasattr(context, "trailing_metadata") else None
        return handled, code, (*(given or ()), *trailers_of(handled, code.value[0], self._domain))


def _is(kind: Callable[[Any], bool], behaviour: Behaviour) -> bool:
    """Also of an object with ``__call__``."""
    return kind(behaviour) or kind(getattr(behaviour, "__call__", None))  # noqa: B004
