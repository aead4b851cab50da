"""Read by type checkers, and imported: what users of the middleware get as types, and what their frameworks take."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import flask
import grpc
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from typing_extensions import assert_type

from otel_errors.handler import ErrorHandler, Handled
from otel_errors.middleware import asgi, fastapi, wsgi
from otel_errors.middleware import flask as flask_errors
from otel_errors.middleware import grpc as grpc_errors
from otel_errors.middleware.response import ErrorResponse, Page, response_to

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

handler = ErrorHandler("shop")


def page(handled: Handled) -> str:
    return handled.message


own_page: Page = page


def shop(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b""]


wsgi_application: WSGIApplication = wsgi.ErrorMiddleware(shop, handler, type_base="https://shop.example/", page=page)

api = FastAPI()
assert_type(fastapi.handle_errors(api, handler, page=page), None)
starlette = Starlette(middleware=[Middleware(asgi.ErrorMiddleware, handler, page=page)])
starlette.add_middleware(asgi.ErrorMiddleware, handler=handler)
assert_type(asgi.ErrorMiddleware(api), asgi.ErrorMiddleware)

application = flask.Flask("shop")
assert_type(flask_errors.handle_errors(application, handler), None)
application.wsgi_app = wsgi.ErrorMiddleware(application.wsgi_app)  # type: ignore[method-assign]

interceptor = grpc_errors.ErrorInterceptor(handler, domain="shop.example")
server: Any = grpc.server(ThreadPoolExecutor(1), interceptors=[interceptor])

answer = response_to(handler.answer(KeyError("x")), accept="text/html")
assert_type(answer, ErrorResponse)
assert_type(answer.headers, list[tuple[str, str]])
assert_type(handler.answer(KeyError("x")).retry_after, int | None)
