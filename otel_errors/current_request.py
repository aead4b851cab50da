"""The request that the code which runs now serves, found where its framework keeps it: for spans that are not sampled
and applications without them.

Flask has it in a context variable. The others pass it down as an argument: it is in the frames that called this one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, Final

from otel_errors.safe_text import text_of
from otel_errors.semconv import HTTP_REQUEST_METHOD, HTTP_ROUTE

MAX_FRAMES: Final = 200
MAX_CHARACTERS: Final = 256


def current_request() -> dict[str, str]:
    """Route and method by the names of the conventions; what is not known is left out. Never raises."""
    try:
        found = _of_flask() or _of_the_callers()
    except Exception:  # another version of a framework
        return {}
    return {key: text_of(value)[0][:MAX_CHARACTERS] for key, value in found.items() if isinstance(value, str) and value}


def _of_flask() -> dict[str, Any]:
    flask: Any = sys.modules.get("flask")
    if flask is None or not flask.has_request_context():
        return {}
    rule = flask.request.url_rule
    return {HTTP_ROUTE: rule.rule if rule is not None else None, HTTP_REQUEST_METHOD: flask.request.method}


def _of_the_callers() -> dict[str, Any]:
    if sys.modules.keys().isdisjoint(_FRAMEWORKS):
        return {}
    found: dict[str, Any] = {}
    frame: FrameType | None = sys._getframe(1)
    for _ in range(MAX_FRAMES):
        if frame is None:
            break
        read = _FRAMEWORKS.get(frame.f_globals.get("__name__", ""))
        if read is not None:
            # Outer frames know less than inner ones: only those behind the router know the route.
            found = {**{key: value for key, value in read(frame.f_locals).items() if value}, **found}
            if len(found) == 2:
                break
        frame = frame.f_back
    return found


def _of_django(variables: Mapping[str, Any]) -> dict[str, Any]:
    request = variables.get("request")
    match = getattr(request, "resolver_match", None)
    return {HTTP_ROUTE: getattr(match, "route", None), HTTP_REQUEST_METHOD: getattr(request, "method", None)}


def _of_starlette(variables: Mapping[str, Any]) -> dict[str, Any]:
    scope = variables.get("scope")
    if not isinstance(scope, Mapping) or scope.get("type") != "http":
        return {}
    # FastAPI puts the route into the scope; of Starlette's there is the route itself, which handles the request.
    route = scope.get("route") or variables.get("self")
    path = getattr(route, "path", None) if hasattr(route, "endpoint") else None
    return {HTTP_ROUTE: path, HTTP_REQUEST_METHOD: scope.get("method")}


def _of_aiohttp(variables: Mapping[str, Any]) -> dict[str, Any]:
    request = variables.get("request")
    match = getattr(request, "match_info", None)
    resource = getattr(getattr(match, "route", None), "resource", None)
    return {HTTP_ROUTE: getattr(resource, "canonical", None), HTTP_REQUEST_METHOD: getattr(request, "method", None)}


_FRAMEWORKS: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "django.core.handlers.base": _of_django,
    "django.core.handlers.exception": _of_django,
    "fastapi.routing": _of_starlette,
    "starlette.routing": _of_starlette,
    "starlette.middleware.errors": _of_starlette,
    "aiohttp.web_app": _of_aiohttp,
    "aiohttp.web_protocol": _of_aiohttp,
}
"""By the module whose functions have it among their arguments."""
