"""Errors as problem documents (RFC 9457), for every path and every status.

A document names what was wrong with which key and what is allowed; an unexpected error says nothing about our insides.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE: Final = "application/problem+json"
MAX_VALUE_CHARACTERS: Final = 200
MAX_ERRORS: Final = 20

log = logging.getLogger(__name__)


class Problem(Exception):
    """An answer that is not the wanted one. ``errors``: one object per bad key with ``key``, ``value``, ``allowed``."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers
        self.members = members
        """Further members of the document, such as ``reasons``."""

    @classmethod
    def bad_value(cls, key: str, value: object, allowed: str) -> Problem:
        """422: ``key`` has a ``value`` that is not among what is ``allowed``."""
        shown = shown_value(value)
        return cls(
            422,
            f"{key}: {shown!r} is not allowed: {allowed}",
            errors=[{"key": key, "value": shown, "allowed": allowed}],
        )


def problem_response(problem: Problem, *, instance: str = "") -> Response:
    """The document; ``instance`` is the path that was asked for."""
    document: dict[str, Any] = {"type": "about:blank", "title": phrase(problem.status), "status": problem.status}
    if problem.detail:
        document["detail"] = problem.detail
    if instance:
        document["instance"] = instance
    if problem.errors:
        document["errors"] = list(problem.errors)
    document.update(problem.members)
    body = json.dumps(document, ensure_ascii=True).encode()
    return Response(body, status_code=problem.status, media_type=MEDIA_TYPE, headers=dict(problem.headers or {}))


def phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def shown_value(value: object) -> str | int | float | bool | None:
    """``value`` as it may stand in a document: a short text or a plain number."""
    if value is None or isinstance(value, (bool, int)):
        return (
            value
            if value is None or isinstance(value, bool) or abs(value) < 2**53
            else str(value)[:MAX_VALUE_CHARACTERS]
        )
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= MAX_VALUE_CHARACTERS else text[: MAX_VALUE_CHARACTERS - 1] + "…"


def from_http_exception(error: HTTPException, request_scope: Scope) -> Problem:
    """Starlette's own: no such path, method not allowed, and what its parsers raise."""
    path, method = request_scope.get("path", ""), request_scope.get("method", "")
    if error.status_code == 404 and error.detail == phrase(404):
        return Problem(404, f"{shown_value(path)}: no such path")
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return Problem(405, f"{method} is not allowed here; allowed: {allowed}", headers=error.headers)
    return Problem(error.status_code, str(error.detail), headers=error.headers)


def from_validation_error(error: RequestValidationError) -> Problem:
    """Every bad key with its value and what pydantic wanted in its place."""
    errors = []
    for one in error.errors()[:MAX_ERRORS]:
        place = [str(part) for part in one["loc"]]
        where = place[0] if place else ""
        # The number of a repeated parameter says nothing; in a body it tells which.
        key = ".".join(place[1:2] if where == "query" else place[1:])
        errors.append(
            {"key": key or where, "in": where, "value": shown_value(one.get("input")), "allowed": _allowed(one)}
        )
    first = errors[0]
    return Problem(422, f"{first['key']}: {first['value']!r}: {first['allowed']}", errors=errors)


def _allowed(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such key"
    if error["type"] == "json_invalid":
        return "a JSON document"
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


class UnexpectedErrors:
    """ASGI middleware: what nobody caught becomes a 500 without a word about our insides, and a log line without the
    error's text (which may hold what a client sent): its type and where it was raised."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            if scope["type"] != "http":
                raise
            where = " < ".join(
                f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}"
                for f in traceback.extract_tb(error.__traceback__)[:-8:-1]
            )
            log.error("%s %s: unexpected %s at %s", scope["method"], route_of(scope), type(error).__name__, where)
            if started:
                raise ConnectionAbortedError("the answer had begun") from None
            problem = Problem(500, "An unexpected error; the service's log names its place.")
            await problem_response(problem)(scope, receive, send)


def route_of(scope: Scope) -> str:
    """The path template that matched, never the path itself."""
    return str(getattr(scope.get("route"), "path", "(no route)"))


def install(app: FastAPI) -> None:
    """Register the handlers that turn every error of ``app`` into a problem document (or into a page: see ``web``)."""

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)  # noqa: S101 - what it is registered for
        return answer(request, error)

    async def on_http_exception(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        return answer(request, from_http_exception(error, request.scope))

    async def on_validation_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return answer(request, from_validation_error(error))

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_middleware(UnexpectedErrors)


def answer(request: Request, problem: Problem) -> Response:
    """The problem as a page for a browser that asked for a page, as a document for everything else."""
    render = getattr(request.app.state, "problem_page", None)
    if render is not None and wants_page(request):
        page: Response = render(request, problem)
        return page
    return problem_response(problem, instance=request.url.path)


MACHINE_PATHS: Final = ("/api/", "/metrics", "/healthz", "/readyz")


def wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(MACHINE_PATHS)
