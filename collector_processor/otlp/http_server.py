"""Run an ASGI application on uvicorn inside a loop that is already running, and OTLP/HTTP by that."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from collections.abc import Iterable, Iterator
from typing import Any

import uvicorn

from collector_processor.otlp.connections import BoundedHttp, max_connections
from collector_processor.otlp.exchange import Handler
from collector_processor.otlp.http_app import OtlpHttp


class HttpServer:
    """A started server. ``port`` is the real one when 0 was asked for."""

    def __init__(self, server: uvicorn.Server, serving: asyncio.Task[None], port: int) -> None:
        self._server = server
        self._serving = serving
        self.port = port

    async def stop(self, grace_seconds: float) -> None:
        """Stop accepting at once, let running requests end within the grace, cut the rest. May be called again."""
        self._server.config.timeout_graceful_shutdown = math.ceil(max(grace_seconds, 0.0))
        self._server.should_exit = True
        await self._serving


async def start_http(
    handler: Handler,
    *,
    bind: str,
    max_request_bytes: int,
    cors_origins: Iterable[str] = (),
    share_port: bool = False,
    max_buffered_bytes: int | None = None,
) -> HttpServer:
    """OTLP/HTTP on ``bind`` (``host:port``). Raises ``OSError`` when the port cannot be had, ``ValueError`` for an
    origin that is none. ``share_port``: several processes may listen there, each gets some of the connections."""
    app = OtlpHttp(
        handler,
        max_request_bytes=max_request_bytes,
        cors_origins=cors_origins,
        max_buffered_bytes=max_buffered_bytes,
    )
    return await serve_app(app, bind=bind, share_port=share_port, lifespan=False)


async def serve_app(app: Any, *, bind: str, share_port: bool = False, lifespan: bool = True) -> HttpServer:
    """Any ASGI application on ``bind``; returns when the port answers. Raises ``OSError`` when it cannot be had."""
    listener = _listen(bind, share_port)
    config = uvicorn.Config(
        app,
        lifespan="auto" if lifespan else "off",
        log_config=None,  # logging belongs to the service
        log_level="error",  # a warning for each request that is none would fill the log at the pace of whoever sends
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody may tell us who they are
        ws="none",
        timeout_keep_alive=75,
        h11_max_incomplete_event_size=64 * 1024,
        http=_protocol(),
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    started = asyncio.create_task(server.listening.wait())
    try:
        await asyncio.wait({serving, started}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        started.cancel()
    if serving.done():
        listener.close()
        raise OSError(f"{bind}: the server did not start") from serving.exception()
    return HttpServer(server, serving, listener.getsockname()[1])


def _protocol() -> type[BoundedHttp]:
    return type("Connection", (BoundedHttp,), {"limit": max_connections()})


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals belong to the service: it drains every role in its order


def _listen(bind: str, share_port: bool) -> socket.socket:
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if share_port:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(address)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
        return listener
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {bind}: {error.strerror or error}") from None
