from __future__ import annotations

import logging
import os
import sys

from fastapi import BackgroundTasks, FastAPI, HTTPException, WebSocket
from fastapi.responses import PlainTextResponse, StreamingResponse

from otel_errors.middleware.fastapi import handle_errors

sys.path.insert(0, os.path.dirname(__file__))
from shop import Sold, error, stream

logging.basicConfig()
app = FastAPI()


class Middleware:
    def __init__(self, app, case):
        self.app = app
        self.case = case

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"] == f"/{self.case}":
            raise error(self.case)
        if scope["type"] == "http" and scope["path"] == f"/{self.case}/framework":
            raise HTTPException(418, "the framework's own")
        await self.app(scope, receive, send)


app.add_middleware(Middleware, case="inner")
handle_errors(app, page=lambda handled: f"<h1>The shop</h1>{handled.reference}")
app.add_middleware(Middleware, case="outer")


@app.get("/ready")
async def ready():
    return "ready"


@app.api_route("/error/{case}", methods=["GET", "HEAD"])
async def fail(case):
    raise error(case)


@app.get("/thread/{case}")
def fail_in_thread(case):
    raise error(case)


@app.exception_handler(Sold)
async def sold(request, error):
    return PlainTextResponse("the application's own", 409)


@app.get("/framework/{status}")
async def framework(status: int):
    raise HTTPException(status, "the framework's own")


@app.get("/stream/{case}")
async def streaming(case):
    return StreamingResponse(stream(case), media_type="text/plain")


@app.get("/background")
async def background(tasks: BackgroundTasks):
    def later():
        raise error("background")

    tasks.add_task(later)
    return PlainTextResponse("whole")


@app.websocket("/websocket")
async def websocket(socket: WebSocket):
    await socket.accept()
    await socket.receive_text()
    raise error("websocket")
