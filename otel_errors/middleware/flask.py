"""Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import flask
from werkzeug.exceptions import HTTPException, InternalServerError

from otel_errors.handler import ErrorHandler
from otel_errors.middleware.answering import Answering
from otel_errors.middleware.response import Page
from otel_errors.middleware.wsgi import AnsweredWSGI, asked_of

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

__all__ = ["handle_errors"]

MECHANISM: Final = "flask"


def handle_errors(
    app: flask.Flask, handler: ErrorHandler | None = None, *, type_base: str = "", page: Page | None = None
) -> None:
    """Answer what no other ``errorhandler`` of ``app`` takes, and see what fails after the answer has begun. Arguments
    as of ``otel_errors.middleware.wsgi.ErrorMiddleware``.

    Flask's own ``abort()`` and other HTTP exceptions are answered as before. With ``debug``, ``testing`` or
    ``PROPAGATE_EXCEPTIONS``, and with an ``errorhandler(500)`` of the application, only errors of
    ``otel_errors.app_errors`` are answered. Raises ``ValueError`` when ``app``
    has an ``errorhandler(Exception)`` already.

    >>> from otel_errors.app_errors import ResourceNotFoundError
    >>> app = flask.Flask("shop")
    >>> handle_errors(app)
    >>> @app.get("/orders/<number>")
    ... def order(number: str) -> str:
    ...     raise ResourceNotFoundError("no row in orders", resource_id=number)
    >>> answer = app.test_client().get("/orders/7")
    >>> answer.status_code, answer.mimetype, "row" in answer.text
    (404, 'application/problem+json', False)
    """
    if Exception in app.error_handler_spec[None][None]:
        raise ValueError(
            f"app: {app.name!r} has an errorhandler(Exception) already, and handle_errors needs that place: "
            "name narrower classes in yours"
        )

    def propagates() -> bool:
        said = app.config["PROPAGATE_EXCEPTIONS"]
        return bool(app.testing or app.debug if said is None else said)

    answering = Answering(handler, mechanism=MECHANISM, type_base=type_base, page=page, debug=propagates)

    def answer(error: Exception) -> ResponseReturnValue:
        cause: BaseException = error
        if isinstance(error, InternalServerError) and error.original_exception is not None:
            cause = error.original_exception  # Flask's wrapper for what a handler or an after_request raised
        elif isinstance(error, HTTPException):
            return error
        own = bool(app.error_handler_spec[None].get(500))
        if answering.passes(cause, unknown=own):
            if isinstance(error, HTTPException):
                return error
            raise error
        response = answering.response(cause, asked_of(flask.request.environ))
        result = flask.Response(response.body, response.status)
        result.headers.clear()
        result.headers.extend(response.headers)  # with the length of the body that HEAD does not have
        return result

    app.register_error_handler(Exception, answer)
    app.wsgi_app = AnsweredWSGI(app.wsgi_app, answering)  # type: ignore[method-assign]
