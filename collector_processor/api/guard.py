"""What every request passes before a handler sees it, and what every answer carries: the service has no login yet and
listens on loopback.

- The Host must be one of ours: a page of another site whose name suddenly resolves to 127.0.0.1 (DNS rebinding) must
not read issues.
- A request that changes something must come from our own pages or from a program, not from a page of another site: JSON
for the API (which a foreign page cannot send without a preflight that we do not answer), a same-origin ``Origin`` or
``Sec-Fetch-Site`` for the pages' forms.
- Bodies are small and bounded.
- Answers run no script, load nothing from elsewhere, stand in no frame and stay in no cache.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import MutableMapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector_processor.api.problems import Problem, problem_response, shown_value

MAX_BODY_BYTES: Final = 64 * 1024
BODY_SECONDS: float = 10.0
"""In which the body must have arrived."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

PRIVATE_SUFFIXES: Final = (".svc", ".cluster.local", ".internal", ".local", ".localhost", ".home.arpa")
"""Names that nobody can register in public DNS, so that no foreign page can be served under them."""

ANSWER_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": with that, browsers send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, *, public_url: str, open_to_network: bool) -> None:
        """``open_to_network``: bound beyond loopback on purpose (``api.auth: none``), so names of private networks are
        ours too."""
        self._app = app
        self._public = urlsplit(public_url)
        self._open = open_to_network

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_headers(message)
            await send(message)

        headers = Headers(scope=scope)
        try:
            self._check_host(headers)
            if scope["method"] not in SAFE_METHODS:
                self._check_origin(headers, scope)
            body = await asyncio.wait_for(bounded_body(receive, headers), BODY_SECONDS)
        except asyncio.TimeoutError:
            late = Problem(
                408, f"The body did not arrive within {BODY_SECONDS:g} seconds", headers={"Connection": "close"}
            )
            await problem_response(late, instance=scope["path"])(scope, receive, send_guarded)
            return
        except Problem as problem:
            await problem_response(problem, instance=scope["path"])(scope, receive, send_guarded)
            return
        await self._app(scope, replayed(body, receive), send_guarded)

    def _check_host(self, headers: Headers) -> None:
        host = headers.get("host", "")
        name = host_name(host)
        if name is None or not self._is_ours(name):
            raise Problem(
                421,
                f"Host {shown_value(host)!r} is not served here; "
                "allowed: loopback names, IP addresses and the host of api.public_url",
            )

    def _is_ours(self, name: str) -> bool:
        if name in ("localhost", self._public.hostname):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return self._open and ("." not in name or name.endswith(PRIVATE_SUFFIXES))
        return True  # a page served under an address is served by that address: no name to rebind

    def _check_origin(self, headers: Headers, scope: Scope) -> None:
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None and site not in ("same-origin", "none"):
            raise Problem(
                403, f"Sec-Fetch-Site: {shown_value(site)!r}: a page of another site may not change anything here"
            )
        if origin is not None and not self._same_origin(origin, headers.get("host", "")):
            raise Problem(403, f"Origin: {shown_value(origin)!r}: a page of another site may not change anything here")
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if scope["path"].startswith("/api/"):
            # DELETE has no body; a foreign page cannot send it without a preflight either.
            if scope["method"] != "DELETE" and media_type != "application/json":
                raise Problem(
                    415,
                    f"Content-Type: {shown_value(media_type)!r}: the API takes application/json",
                    headers={"Accept": "application/json"},
                )
        elif site is None and origin is None:
            raise Problem(
                403, "A form needs an Origin or Sec-Fetch-Site header, which browsers send; programs use /api/v1"
            )

    def _same_origin(self, origin: str, host: str) -> bool:
        sent = urlsplit_or_none(origin)
        if sent is None or sent.scheme not in ("http", "https"):
            return False
        # Behind a proxy that ends TLS the scheme that we see is not the browser's; the host is what tells sites apart.
        return sent.netloc.lower() == host.lower() or (sent.scheme, sent.netloc.lower()) == (
            self._public.scheme,
            self._public.netloc.lower(),
        )


def host_name(host: str) -> str | None:
    """The name in a Host header without port and brackets, in lower case; None when it is not one."""
    if not host or any(c in host for c in "/@?#\\ ,"):
        return None
    split = urlsplit_or_none("//" + host)
    try:
        if split is None or not split.hostname or split.port == 0:
            return None
    except ValueError:
        return None
    return split.hostname.rstrip(".")


def urlsplit_or_none(text: str) -> SplitResult | None:
    try:
        return urlsplit(text)
    except ValueError:
        return None


async def bounded_body(receive: Receive, headers: Headers) -> bytes:
    """The whole body, at most ``MAX_BODY_BYTES``. Raises ``Problem`` 413 before it reads more, 400 for a length that is
    no number."""
    length = headers.get("content-length")
    if length is not None and not length.isdigit():
        raise Problem(400, f"Content-Length: {shown_value(length)!r} is not a number")
    if length is None and "transfer-encoding" not in headers:
        return b""
    if length is not None and int(length) > MAX_BODY_BYTES:
        raise too_large()
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Problem(400, "The request ended before its body did")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            raise too_large()
        if not message.get("more_body", False):
            return b"".join(parts)


def too_large() -> Problem:
    return Problem(413, f"The body is larger than {MAX_BODY_BYTES} bytes")


def replayed(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives the body that was read, then what the connection says next."""
    given = False

    async def again() -> MutableMapping[str, Any]:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again


def add_headers(message: Message) -> None:
    message.setdefault("headers", [])
    headers = MutableHeaders(scope=message)
    for name, value in ANSWER_HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")
