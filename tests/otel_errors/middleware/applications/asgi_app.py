from __future__ import annotations

import logging
import os
import sys

from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

from otel_errors.middleware.asgi import ErrorMiddleware

sys.path.insert(0, os.path.dirname(__file__))
from shop import error, stream

logging.basicConfig()


async def shop(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        if os.environ.get("SHOP_DOES_NOT_START"):
            raise error("lifespan")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    case = scope["path"].rpartition("/")[2]
    if scope["type"] == "websocket":
        await receive()
        if case != "denied":
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": "hello"})
        raise error("missing" if case == "policy" else "down" if case == "later" else case)
    if case not in ("ready", "stream", "background"):
        raise error(case)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    if case == "stream":
        for part in stream(case):
            await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b"whole"})
    if case == "background":
        raise error(case)


app = OpenTelemetryMiddleware(ErrorMiddleware(shop, type_base="https://shop.example/errors/"), exclude_spans=["send"])
