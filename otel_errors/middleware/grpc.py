"""gRPC, the synchronous server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

import grpc

from otel_errors.handler import ErrorHandler
from otel_errors.middleware.answering import Answering
from otel_errors.middleware.grpc_status import accept_language, trailers_of

__all__ = ["ErrorInterceptor", "rebuilt", "status_of"]

MECHANISM: Final = "grpc"
Behaviour = Callable[[Any, Any], Any]


class ErrorInterceptor(grpc.ServerInterceptor):  # type: ignore[misc]
    """For ``grpc.server(…, interceptors=[ErrorInterceptor()])``, in front of the others: what they and the methods
    raise ends the call with the status of the error, the text for the user and, in the trailers, the support reference
    and ``google.rpc.Status``. ``context.abort()`` stays as it is.

    ``handler``: None for one that logs to ``otel_errors.handler``. ``domain``: of ``google.rpc.ErrorInfo``, such as
    ``shop.example``.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> server = grpc.server(ThreadPoolExecutor(1), interceptors=[ErrorInterceptor(domain="shop.example")])
    """

    def __init__(self, handler: ErrorHandler | None = None, *, domain: str = "") -> None:
        self._answering = Answering(handler, mechanism=MECHANISM)
        self._domain = domain

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        """Called by gRPC for each call.

        >>> ErrorInterceptor().intercept_service(lambda details: None, None) is None
        True
        """
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        method = str(handler_call_details.method)

        def watched(behaviour: Behaviour) -> Behaviour:
            def call(request: Any, context: Any) -> Any:
                try:
                    return behaviour(request, context)
                except Exception as error:
                    if self._passes(error, context):
                        raise
                    self._abort(error, context, method)

            def stream(request: Any, context: Any) -> Iterator[Any]:
                try:
                    yield from behaviour(request, context)
                except Exception as error:
                    if self._passes(error, context):
                        raise
                    self._abort(error, context, method)

            return stream if handler.response_streaming else call

        return rebuilt(handler, watched)

    def _passes(self, error: Exception, context: Any) -> bool:
        # The client went away while its stream was read: there is nobody to answer.
        gone = type(error) is grpc.RpcError and not context.is_active()
        return gone or self._answering.passes(error)

    def _abort(self, error: Exception, context: Any, method: str) -> NoReturn:
        handled = self._answering.call(error, {"method": method}, accept_language(context.invocation_metadata()))
        code = status_of(handled.error.grpc_status)
        given = tuple(context.trailing_metadata() or ())
        context.set_trailing_metadata((*given, *trailers_of(handled, code.value[0], self._domain)))
        context.abort(code, str(handled))
        raise AssertionError("context.abort() raises")


def status_of(name: str) -> Any:
    """``grpc.StatusCode`` by its name; INTERNAL for names that are none, and for OK, which is no error.

    >>> status_of("NOT_FOUND"), status_of("OK")
    (<StatusCode.NOT_FOUND: (5, 'not found')>, <StatusCode.INTERNAL: (13, 'internal')>)
    """
    code = getattr(grpc.StatusCode, name, None)
    return code if isinstance(code, grpc.StatusCode) and code is not grpc.StatusCode.OK else grpc.StatusCode.INTERNAL


def rebuilt(handler: Any, watched: Callable[[Behaviour], Behaviour]) -> Any:
    """The same method with another behaviour, whichever of the four shapes it has.

    >>> handler = grpc.stream_unary_rpc_method_handler(lambda requests, context: b"")
    >>> rebuilt(handler, lambda behaviour: behaviour).request_streaming
    True
    """
    name = f"{'stream' if handler.request_streaming else 'unary'}_{'stream' if handler.response_streaming else 'unary'}"
    make = getattr(grpc, f"{name}_rpc_method_handler")
    return make(
        watched(getattr(handler, name)),
        request_deserializer=handler.request_deserializer,
        response_serializer=handler.response_serializer,
    )
