"""Catalogue's HTTP interface."""

from __future__ import annotations

import socket

from ..wsgi_server import JsonApplication, ThreadingWSGIServer  # noqa: TID252
from . import categories, products, search, stock


def create_app() -> JsonApplication:
    """The application."""
    app = JsonApplication()
    app.route("GET", "/healthz", lambda: (200, {"status": "ok"}))
    app.route("GET", r"/products/(\d+)", products.show)
    app.route("GET", r"/categories/([a-z]+)", categories.tree)
    app.route("GET", r"/warehouses/(\d+)/stock", stock.show)
    app.route("GET", r"/search/([a-z]+)", search.search)
    return app


def serve(listening: socket.socket) -> None:
    """Serve on ``listening`` until SIGTERM."""
    ThreadingWSGIServer(listening, create_app()).run()
