"""Starlette and FastAPI."""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from otel_errors.handler import ErrorHandler
from otel_errors.middleware.answering import Answering
from otel_errors.middleware.asgi import AnsweredASGI, asked_of
from otel_errors.middleware.response import Page

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request

__all__ = ["handle_errors"]

MECHANISM: Final = "starlette"


def handle_errors(
    app: Starlette, handler: ErrorHandler | None = None, *, type_base: str = "", page: Page | None = None
) -> None:
    """Answer what no ``exception_handler`` of ``app`` takes, wherever it is raised: in an endpoint, a dependency, a
    middleware, a WebSocket. Arguments as of ``otel_errors.middleware.asgi.ErrorMiddleware``.

    Call it before ``add_middleware`` of what must see the answers too, such as ``CORSMiddleware``. ``HTTPException``
    and FastAPI's validation errors are answered as before. With ``debug``, only errors of ``otel_errors.app_errors``
    are answered. Raises ``ValueError`` when ``app`` has a handler for ``Exception`` or 500 already.

    >>> import asyncio, httpx
    >>> from fastapi import FastAPI
    >>> app = FastAPI()
    >>> handle_errors(app)
    >>> @app.get("/orders/{number}")
    ... def order(number: int) -> str:
    ...     raise KeyError("internal")
    >>> shop = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.example")
    >>> answer = asyncio.run(shop.get("/orders/7"))
    >>> answer.status_code, "internal" in answer.text, answer.json()["reference"] == answer.headers["Support-Reference"]
    (500, False, True)
    """
    if Exception in app.exception_handlers or 500 in app.exception_handlers:
        raise ValueError(
            "app: it has an exception_handler for Exception or 500 already, and handle_errors needs that place: "
            "name narrower classes in yours"
        )
    answering = Answering(handler, mechanism=MECHANISM, type_base=type_base, page=page)

    async def answer(request: Request, error: Exception) -> Response:
        """What a middleware outside of ours raised. Starlette raises it on to the server after it was answered."""
        if isinstance(error, HTTPException):
            return await _own_answer(app, request, error)
        response = answering.response(error, asked_of(request.scope))
        return Response(response.body, response.status, dict(response.headers))

    app.add_middleware(AnsweredASGI, answering)
    app.add_exception_handler(Exception, answer)


async def _own_answer(app: Starlette, request: Request, error: HTTPException) -> Response:
    """As it is answered when an endpoint raises it."""
    for kind in type(error).__mro__:
        handler = app.exception_handlers.get(kind)
        if handler is not None and kind is not Exception:
            answer = handler(request, error)
            response = await answer if isawaitable(answer) else answer
            if isinstance(response, Response):
                return response
    return PlainTextResponse(error.detail, error.status_code, headers=error.headers)
