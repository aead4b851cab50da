"""What is not answered, and what servers and frameworks are owed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import flask
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from werkzeug.exceptions import NotFound, ServiceUnavailable

from otel_errors import not_errors
from otel_errors.app_errors import BaseAppError, ConflictError, ResourceNotFoundError
from otel_errors.handler import ErrorHandler
from otel_errors.middleware import asgi, wsgi
from otel_errors.middleware import fastapi as fastapi_errors
from otel_errors.middleware import flask as flask_errors
from otel_errors.testing import capturing
from tests.otel_errors.middleware.calling import call_asgi, call_wsgi


def asgi_raising(error: BaseException) -> asgi.ErrorMiddleware:
    async def shop(scope: Any, receive: Any, send: Any) -> None:
        raise error

    return asgi.ErrorMiddleware(shop)


def wsgi_raising(error: BaseException, **options: Any) -> wsgi.ErrorMiddleware:
    def shop(environ: Any, start_response: Any) -> Any:
        raise error

    return wsgi.ErrorMiddleware(shop, **options)


NOT_OURS = (
    KeyboardInterrupt(),
    SystemExit(1),
    asyncio.CancelledError(),
    GeneratorExit(),
    HTTPException(404),
    HTTPException(503),
    NotFound(),
    ServiceUnavailable(),
    ClientDisconnect(),
)


@pytest.mark.parametrize("error", NOT_OURS, ids=lambda error: type(error).__name__)
def test_control_flow_and_the_answers_of_frameworks_pass(error: BaseException) -> None:
    with capturing() as errors:
        for call in (lambda: call_asgi(asgi_raising(error)), lambda: call_wsgi(wsgi_raising(error))):
            with pytest.raises(type(error)) as caught:
                call()
            assert caught.value is error or isinstance(error, asyncio.CancelledError)  # asyncio.run makes another
    assert not errors


def test_a_group_of_one_error_is_answered_as_that_error() -> None:
    ExceptionGroup = pytest.importorskip("builtins").__dict__.get("ExceptionGroup")
    if ExceptionGroup is None:
        pytest.skip("groups came with Python 3.11")
    for group, status in (
        (ExceptionGroup("tasks", [ResourceNotFoundError("no row")]), 404),
        (ExceptionGroup("tasks", [ResourceNotFoundError("no row"), ConflictError("version 3")]), 500),
        (ExceptionGroup("tasks", [KeyError("x")]), 500),
    ):
        assert call_asgi(asgi_raising(group)).status == status


def test_lifespan_passes_untouched() -> None:
    error = RuntimeError("no database")

    async def run() -> None:
        await asgi_raising(error)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]

    with capturing() as errors, pytest.raises(RuntimeError) as caught:
        asyncio.run(run())
    assert caught.value is error
    assert not errors


def test_the_word_of_the_application_on_what_is_not_an_error(caplog: pytest.LogCaptureFixture) -> None:
    class SoldOut(ConflictError):
        pass

    name = f"{SoldOut.__module__}.{SoldOut.__qualname__}"
    with capturing() as errors, caplog.at_level(logging.INFO):
        not_errors.change([name])
        try:
            answer = call_asgi(asgi_raising(SoldOut("none left")))
        finally:
            not_errors.change([])
    assert answer.status == 409
    assert "support-reference" not in answer.headers
    assert not errors
    assert not caplog.records


def test_one_exception_object_is_logged_and_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    error = KeyError("x")
    with capturing() as errors, caplog.at_level(logging.INFO):
        first = call_asgi(asgi.ErrorMiddleware(asgi_raising(error)))
        second = call_wsgi(wsgi_raising(error))
    assert first.headers["support-reference"] == second.headers["support-reference"]
    assert errors.one().mechanism == "asgi"
    assert errors.one().handled is False
    assert len(caplog.records) == 1


def test_the_application_s_own_handler_and_facts_of_the_request(caplog: pytest.LogCaptureFixture) -> None:
    async def shop(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("x")

    middleware = asgi.ErrorMiddleware(shop, ErrorHandler("shop", language="fr"))
    with capturing() as errors, caplog.at_level(logging.INFO):
        answer = call_asgi(middleware, query_string=b"token=secret")
    (record,) = caplog.records
    assert record.name == "shop"
    assert (vars(record)["context.method"], vars(record)["context.path"]) == ("GET", "/orders")
    assert errors.one().tags == {"method": "GET", "path": "/orders"}
    assert "secret" not in str(vars(record))
    assert answer.headers["content-language"] == "fr"


class Body:
    def __init__(self, parts: Iterator[bytes], error: Exception | None = None) -> None:
        self.parts = parts
        self.error = error
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return self.parts

    def close(self) -> None:
        self.closed += 1
        if self.error is not None:
            raise self.error


def failing(*parts: bytes) -> Iterator[bytes]:
    yield from parts
    raise KeyError("x")


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (lambda: Body(iter([b"one", b"two"])), 200, None),
        (lambda: Body(iter([])), 200, None),
        (lambda: Body(failing()), 500, None),
        (lambda: Body(failing(b"", b"")), 500, None),
        (lambda: Body(failing(b"one")), 200, KeyError),
        (lambda: Body(iter([b"one"]), KeyError("x")), 200, None),
        (lambda: Body(failing(b"one"), KeyError("x")), 200, KeyError),
    ],
)
def test_a_body_is_closed_once_whatever_happens(body: Any, status: int, error: type[Exception] | None) -> None:
    made = body()

    def shop(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return made

    statuses: list[str] = []
    answer = wsgi.ErrorMiddleware(shop)({}, lambda status, headers: statuses.append(status))  # type: ignore[arg-type, func-returns-value]
    try:
        if error is not None:
            with pytest.raises(error):
                list(answer)
        else:
            list(answer)
    finally:
        answer.close()  # type: ignore[attr-defined]
    assert made.closed == 1
    assert [int(one[:3]) for one in statuses] == [status]


def test_a_generator_that_says_its_status_late() -> None:
    def shop(environ: Any, start_response: Any) -> Iterator[bytes]:
        if environ["PATH_INFO"] == "/fails":
            raise ConflictError("version 3")
        start_response("201 Created", [("Content-Type", "text/plain")])
        yield b"made"

    called = call_wsgi(wsgi.ErrorMiddleware(shop))
    assert (called.status, called.body) == (201, b"made")
    assert call_wsgi(wsgi.ErrorMiddleware(shop), path="/fails").status == 409


def test_trailers_belong_to_the_answer() -> None:
    async def shop(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
        await send({"type": "http.response.body", "body": b"whole"})
        raise KeyError("x")

    with pytest.raises(KeyError):
        call_asgi(asgi.ErrorMiddleware(shop))


def test_a_body_that_is_there_already_reaches_the_server_as_it_is() -> None:
    whole = [b"whole"]

    def shop(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return whole

    assert wsgi.ErrorMiddleware(shop)({}, lambda status, headers: lambda data: None) is whole


def test_debuggers_get_what_the_application_did_not_mean_to_raise() -> None:
    with pytest.raises(KeyError):
        call_wsgi(wsgi_raising(KeyError("x"), debug=True))
    assert call_wsgi(wsgi_raising(ConflictError("version 3"), debug=True)).status == 409

    app = flask.Flask("shop")
    flask_errors.handle_errors(app)

    @app.get("/fail/<kind>")
    def fail(kind: str) -> str:
        raise KeyError("x") if kind == "unknown" else ConflictError("version 3")

    assert app.test_client().get("/fail/unknown").status_code == 500
    app.testing = True
    assert app.test_client().get("/fail/known").status_code == 409
    with pytest.raises(KeyError):
        app.test_client().get("/fail/unknown")

    api = FastAPI(debug=True)
    fastapi_errors.handle_errors(api)

    @api.get("/fail/{kind}")
    def fail_too(kind: str) -> str:
        raise KeyError("x") if kind == "unknown" else ConflictError("version 3")

    assert call_asgi(api, path="/fail/known").status == 409
    with pytest.raises(KeyError):  # as Starlette does after it showed its debugger
        call_asgi(api, path="/fail/unknown")


def test_a_place_that_is_taken_is_named() -> None:
    app = flask.Flask("shop")
    app.register_error_handler(Exception, lambda error: "mine")
    with pytest.raises(ValueError, match=r"'shop' has an errorhandler\(Exception\) already"):
        flask_errors.handle_errors(app)
    for place in (Exception, 500):
        api = FastAPI()
        api.add_exception_handler(place, lambda request, error: None)  # type: ignore[arg-type, return-value]
        with pytest.raises(ValueError, match="exception_handler for Exception or 500 already"):
            fastapi_errors.handle_errors(api)


def test_an_errorhandler_for_500_keeps_what_is_unknown() -> None:
    app = flask.Flask("shop")
    flask_errors.handle_errors(app)
    app.register_error_handler(500, lambda error: ("the application's own", 500))

    @app.get("/<kind>")
    def fail(kind: str) -> str:
        raise KeyError("x") if kind == "unknown" else ConflictError("version 3")

    with capturing() as errors:
        assert app.test_client().get("/unknown").text == "the application's own"
        assert app.test_client().get("/known").status_code == 409
    assert [error.mechanism for error in errors] == ["flask", "flask"]


def test_narrower_handlers_of_the_application_come_first() -> None:
    class Mine(BaseAppError):
        pass

    app = flask.Flask("shop")
    flask_errors.handle_errors(app)
    app.register_error_handler(Mine, lambda error: ("mine", 418))

    @app.get("/")
    def fail() -> str:
        raise Mine("x")

    assert app.test_client().get("/").status_code == 418


def test_a_websocket_whose_client_is_gone_is_not_spoken_to() -> None:
    sent: list[Any] = []

    async def shop(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        raise KeyError("x")

    async def receive() -> Any:
        return {"type": "websocket.disconnect", "code": 1001}

    async def send(message: Any) -> None:
        sent.append(message)

    with capturing() as errors, pytest.raises(KeyError):
        asyncio.run(asgi.ErrorMiddleware(shop)({"type": "websocket", "path": "/", "headers": []}, receive, send))
    assert sent == []
    assert errors.one().handled is False
