"""Any ASGI application: HTTP and WebSocket. Lifespan passes untouched."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from otel_errors.handled import Handled
from otel_errors.handler import ErrorHandler
from otel_errors.middleware.answering import Answering, Asked
from otel_errors.middleware.response import ErrorResponse, Page

__all__ = ["ErrorMiddleware", "asked_of"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

# RFC 6455 and the registry of close codes.
POLICY: Final = 1008
INTERNAL: Final = 1011
TRY_AGAIN: Final = 1013


class AnsweredASGI:
    """``application``, whose errors ``answering`` answers."""

    def __init__(self, app: ASGIApplication, answering: Answering) -> None:
        self._app = app
        self._answering = answering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = trailers = sent = False

        async def watched(message: Message) -> None:
            nonlocal started, trailers, sent
            if message["type"] == "http.response.start":
                started, trailers = True, bool(message.get("trailers", False))
            await send(message)
            sent = message["type"] == "http.response.body" and not message.get("more_body", False) and not trailers

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if self._answering.passes(error, unknown=_is_debugged(scope)):
                raise
            asked = asked_of(scope)
            if sent:
                # Work for after the answer. Raised on, it would only close a connection that is in order.
                self._answering.late(error, asked)
                return
            if started:
                # The server cuts the connection without the end of the body: the client sees that it is not all.
                self._answering.late(error, asked)
                raise
            await _respond(send, self._answering.response(error, asked))

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        accepted = over = False

        async def watched_receive() -> Message:
            nonlocal over
            message = await receive()
            over = over or message["type"] == "websocket.disconnect"
            return message

        async def watched_send(message: Message) -> None:
            nonlocal accepted, over
            accepted = accepted or message["type"] == "websocket.accept"
            over = over or message["type"] in ("websocket.close", "websocket.http.response.start")
            await send(message)

        try:
            await self._app(scope, watched_receive, watched_send)
        except Exception as error:
            if self._answering.passes(error):
                raise
            asked = asked_of(scope)
            if over:
                self._answering.late(error, asked)
                raise
            handled = self._answering.handled(error, asked)
            if not accepted and "websocket.http.response" in (scope.get("extensions") or {}):
                await _respond(send, self._answering.response_to(handled, asked), "websocket.http.response")
            else:
                await send({"type": "websocket.close", "code": _close_code(handled), "reason": _close_reason(handled)})


class ErrorMiddleware(AnsweredASGI):
    """Around an ASGI application, as the outermost of its middleware that can fail.

    ``handler``: None for one that logs to ``otel_errors.handler``. ``type_base``: the address before the code in the
    ``type`` of problem documents. ``page``: makes the HTML instead of ours.

    >>> import asyncio
    >>> async def shop(scope, receive, send):
    ...     raise KeyError("internal")
    >>> async def send(message):
    ...     print(message.get("status"), b"internal" in message.get("body", b""))
    >>> asyncio.run(ErrorMiddleware(shop)({"type": "http", "method": "GET", "path": "/", "headers": []}, None, send))
    500 False
    None False
    """

    def __init__(
        self,
        app: ASGIApplication,
        handler: ErrorHandler | None = None,
        *,
        type_base: str = "",
        page: Page | None = None,
    ) -> None:
        super().__init__(app, Answering(handler, mechanism="asgi", type_base=type_base, page=page))


async def _respond(send: Send, response: ErrorResponse, kind: str = "http.response") -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    await send({"type": f"{kind}.start", "status": response.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": response.body})


def _is_debugged(scope: Scope) -> bool:
    """Starlette and its relatives put the application there, and show their debugger themselves."""
    return getattr(scope.get("app"), "debug", False) is True


def asked_of(scope: Scope) -> Asked:
    """The request of a scope of HTTP or a WebSocket.

    >>> asked_of({"type": "http", "path": "/orders", "headers": [(b"accept", b"text/html")]}).accept
    'text/html'
    """
    found: dict[str, str] = {}
    for name, value in scope.get("headers") or ():
        key = bytes(name).lower().decode("latin-1")
        if key in ("accept", "accept-language"):
            text = bytes(value).decode("latin-1")
            found[key] = f"{found[key]}, {text}" if key in found else text
    return Asked(
        str(scope.get("method", "GET")), str(scope.get("path", "")), found.get("accept"), found.get("accept-language")
    )


def _close_code(handled: Handled) -> int:
    if handled.status in (429, 503):
        return TRY_AGAIN
    return INTERNAL if handled.status >= 500 else POLICY


def _close_reason(handled: Handled) -> str:
    """At most 123 bytes fit into the frame."""
    return f"{handled.code} {handled.reference}".encode("ascii", "replace")[:123].decode("ascii").strip()
