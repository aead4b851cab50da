"""The answer over HTTP to an error: status, headers, and a body by ``Accept``. Pure; what is made here is what every
middleware sends."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

from otel_errors.app_errors import BaseAppError
from otel_errors.guard import tell_failure
from otel_errors.handled import Handled
from otel_errors.middleware.page import error_page, plain_text
from otel_errors.negotiation import best_media_type

__all__ = ["ErrorResponse", "Page", "response_to"]

PROBLEM: Final = "application/problem+json"
HTML: Final = "text/html"
PLAIN: Final = "text/plain"
OFFERED: Final = (PROBLEM, HTML, PLAIN)
"""The first one is what programs get that say ``*/*`` or nothing: they read JSON, and so do people at a terminal."""

PAGE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE: Final = re.compile(r"[\x20-\x7e]{0,4096}")
_OURS: Final = frozenset({"content-type", "content-length", "transfer-encoding", "connection"})


class Page(Protocol):
    """An error page of the application's own: HTML, with everything escaped.

    >>> from html import escape
    >>> def shop_page(handled: Handled) -> str:
    ...     return f"<!doctype html><title>Shop</title><p>{escape(str(handled))}</p>"
    >>> page: Page = shop_page
    """

    def __call__(self, handled: Handled, /) -> str: ...


@dataclass(frozen=True)
class ErrorResponse:
    """Ready to be sent.

    >>> ErrorResponse(404, [("Content-Type", "text/plain")], b"Not found").reason
    'Not Found'
    """

    status: int
    headers: list[tuple[str, str]]
    """``Content-Length`` is that of the body, also where HEAD has none."""
    body: bytes

    @property
    def reason(self) -> str:
        """The reason phrase of the status; never empty.

        >>> ErrorResponse(404, [], b"").reason
        'Not Found'
        """
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Error"


def response_to(
    handled: Handled, *, method: str = "GET", accept: str | None = None, type_base: str = "", page: Page | None = None
) -> ErrorResponse:
    """``accept``: the header of the request. Nothing that the application's own ``page`` or error class does makes this
    raise.

    >>> from otel_errors.handler import ErrorHandler
    >>> response = response_to(ErrorHandler().handle(KeyError("secret")), accept="text/html")
    >>> response.status, dict(response.headers)["Content-Type"], b"secret" in response.body
    (500, 'text/html; charset=utf-8', False)
    """
    kind = best_media_type(accept, OFFERED)
    own_policy = False
    if kind == HTML:
        text, own_policy = _page(handled, page)
    elif kind == PLAIN:
        text = plain_text(handled)
    else:
        text = _document(handled, type_base)
    body = text.encode("utf-8", "replace")
    headers = [
        ("Content-Type", kind if kind == PROBLEM else f"{kind}; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Content-Language", handled.language),
        ("Cache-Control", "no-store"),
        ("Vary", "Accept, Accept-Language"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if own_policy:
        headers.append(("Content-Security-Policy", PAGE_POLICY))
    taken = {name.lower() for name, _ in headers}
    # An error class may say its own; what would break the answer in two is left out.
    headers += [
        (name, value)
        for name, value in handled.headers().items()
        if isinstance(name, str)
        and isinstance(value, str)
        and _TOKEN.fullmatch(name)
        and _VALUE.fullmatch(value)
        and name.lower() not in taken | _OURS
    ]
    return ErrorResponse(handled.status, headers, b"" if method.upper() == "HEAD" else body)


def _page(handled: Handled, page: Page | None) -> tuple[str, bool]:
    """(HTML, whether it is ours)"""
    if page is not None:
        try:
            text: object = page(handled)
            if isinstance(text, str):
                return text, False
            raise TypeError(f"page: {type(text).__name__} was returned; HTML text is needed")
        except Exception as failure:
            tell_failure("the application's own error page", failure)
    return error_page(handled), True


def _document(handled: Handled, type_base: str) -> str:
    try:
        return json.dumps(handled.problem(type_base=type_base), ensure_ascii=False, allow_nan=False)
    except Exception as failure:  # a subclass with a document of its own that is not JSON
        tell_failure("the problem document of an error", failure)
        plain = BaseAppError.to_problem(handled.error, language=handled.language, reference=handled.reference)
        return json.dumps(plain, ensure_ascii=False)
