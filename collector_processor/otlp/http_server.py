"""Run an ASGI application on uvicorn inside a loop that is already running, and OTLP/HTTP by that."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import socket
import ssl
from collections.abc import Iterable, Iterator
from typing import Any, Final

import uvicorn

from collector_processor.otlp.access_log import AccessLog
from collector_processor.otlp.admission import Admission
from collector_processor.otlp.connections import BoundedHttp, max_connections
from collector_processor.otlp.exchange import Handler
from collector_processor.otlp.http_app import OtlpHttp
from collector_processor.otlp.listening import listen
from collector_processor.otlp.tls import TlsFiles, TlsUnusable

RELOAD_SECONDS: Final = 1.0

log = logging.getLogger(__name__)


class HttpServer:
    """A started server. ``port`` is the real one when 0 was asked for."""

    def __init__(
        self, server: uvicorn.Server, serving: asyncio.Task[None], port: int, reloading: asyncio.Task[None] | None
    ) -> None:
        self._server = server
        self._serving = serving
        self._reloading = reloading
        self.port = port

    async def stop(self, grace_seconds: float) -> None:
        """Stop accepting at once, let running requests end within the grace, cut the rest. May be called again."""
        self._server.config.timeout_graceful_shutdown = math.ceil(max(grace_seconds, 0.0))
        self._server.should_exit = True
        if self._reloading is not None:
            self._reloading.cancel()
        await self._serving


async def start_http(
    handler: Handler,
    *,
    bind: str,
    max_request_bytes: int,
    cors_origins: Iterable[str] = (),
    share_port: bool = False,
    max_buffered_bytes: int | None = None,
    admission: Admission | None = None,
    tls: TlsFiles | None = None,
    access: AccessLog | None = None,
) -> HttpServer:
    """OTLP/HTTP on ``bind`` (``host:port``), in the clear without ``tls``.

    Raises ``OSError`` when the port cannot be had, ``ValueError`` for an origin that is none. ``share_port``: several
    processes may listen there, each gets some of the connections.
    """
    app = OtlpHttp(
        handler,
        max_request_bytes=max_request_bytes,
        admission=admission or Admission(cors_origins=cors_origins),
        max_buffered_bytes=max_buffered_bytes,
        access=access,
    )
    return await serve_app(app, bind=bind, share_port=share_port, lifespan=False, tls=tls)


async def serve_app(
    app: Any, *, bind: str, share_port: bool = False, lifespan: bool = True, tls: TlsFiles | None = None
) -> HttpServer:
    """Any ASGI application on ``bind``; returns when the port answers. Raises ``OSError`` when it cannot be had."""
    context = tls.context() if tls is not None else None
    listener = listen(bind, share_port)
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
    config.load()
    config.ssl = context
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
    reloading = asyncio.create_task(_reload(tls, context)) if tls is not None and context is not None else None
    return HttpServer(server, serving, listener.getsockname()[1], reloading)


async def _reload(tls: TlsFiles, context: ssl.SSLContext) -> None:
    """Take the files up again when they change."""
    current = tls.stamp()
    while True:
        await asyncio.sleep(RELOAD_SECONDS)
        now = tls.stamp()
        if now == current:
            continue
        try:
            tls.context()  # whether they fit together, before the one in use is touched
            tls.load_into(context)
        except TlsUnusable as error:
            log.error("the certificates of before stay in use: %s", error)
        current = now


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
