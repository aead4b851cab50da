"""ASGI and WSGI applications called without a server, for what must hold for thousands of errors."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Called:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    messages: list[dict[str, Any]] = field(default_factory=list)


def call_asgi(
    application: Callable[..., Any], headers: dict[str, str] | None = None, *, method: str = "GET", **scope: Any
) -> Called:
    called = Called()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        called.messages.append(message)

    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    whole = {"type": "http", "method": method, "path": "/orders", "query_string": b"", "headers": pairs, **scope}
    asyncio.run(application(whole, receive, send))
    for message in called.messages:
        if message["type"].endswith(".start"):
            called.status = message["status"]
            called.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        called.body += message.get("body", b"")
    return called


def call_wsgi(
    application: Callable[..., Iterable[bytes]],
    headers: dict[str, str] | None = None,
    *,
    method: str = "GET",
    path: str = "/orders",
) -> Called:
    called = Called()

    def start_response(status: str, pairs: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
        called.status = int(status.partition(" ")[0])
        called.headers = {name.lower(): value for name, value in pairs}
        return lambda data: None

    names = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()}
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SERVER_NAME": "shop.example",
        "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
        **names,
    }
    body = application(environ, start_response)
    called.body = b"".join(body)
    close = getattr(body, "close", None)
    if close is not None:
        close()
    return called
