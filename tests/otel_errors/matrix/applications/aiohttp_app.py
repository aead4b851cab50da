from __future__ import annotations

import os
import socket
import sys

from aiohttp import web

sys.path.insert(0, os.path.dirname(__file__))
from failing import fail


async def ready(request):
    return web.Response(text="ready")


async def unhandled(request):
    fail("aiohttp, unhandled")


async def missing(request):
    raise web.HTTPNotFound(reason="aiohttp, HTTPNotFound")


async def moved(request):
    raise web.HTTPFound("/ready")


async def unavailable(request):
    raise web.HTTPServiceUnavailable(reason="aiohttp, HTTPServiceUnavailable")


async def behind_the_middleware(request):
    return web.Response()


@web.middleware
async def middleware(request, handler):
    if request.path == "/middleware":
        fail("aiohttp, error in a middleware")
    return await handler(request)


if __name__ == "__main__":
    app = web.Application(middlewares=[middleware])
    for handler in (ready, unhandled, missing, moved, unavailable):
        app.router.add_get(f"/{handler.__name__}", handler)
    app.router.add_get("/middleware", behind_the_middleware)
    web.run_app(app, sock=socket.socket(fileno=int(sys.argv[1])), print=None, access_log=None)
