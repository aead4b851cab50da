from __future__ import annotations

import os
import sys

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException
from fastapi.responses import PlainTextResponse, StreamingResponse
from opentelemetry import trace

sys.path.insert(0, os.path.dirname(__file__))
from failing import fail

app = FastAPI()


class Expected(Exception):
    pass


class Wrapped(Exception):
    pass


@app.get("/ready")
async def ready():
    return "ready"


@app.get("/unhandled")
async def unhandled():
    fail("FastAPI, unhandled")


@app.get("/sync")
def sync():
    fail("FastAPI, unhandled in a thread")


@app.get("/span")
async def span():
    with trace.get_tracer("shop").start_as_current_span("load"):
        fail("FastAPI, unhandled in a span")


def dependency():
    fail("FastAPI, unhandled in a dependency")


@app.get("/dependency", dependencies=[Depends(dependency)])
async def with_dependency():
    return "never"


@app.middleware("http")
async def middleware(request, call_next):
    if request.url.path == "/middleware":
        fail("FastAPI, error in a middleware")
    return await call_next(request)


@app.get("/middleware")
async def behind_the_middleware():
    return "never"


@app.get("/background")
async def background(tasks: BackgroundTasks):
    tasks.add_task(fail, "FastAPI, background task")
    return "done"


@app.get("/stream")
async def stream():
    def lines():
        yield "one\n"
        fail("FastAPI, a stream that fails")

    return StreamingResponse(lines())


@app.get("/handler")
async def handler():
    raise Wrapped("FastAPI, exception_handler that answers 500")


@app.exception_handler(Wrapped)
async def wrapped(request, error):
    return PlainTextResponse("sorry", 500)


@app.exception_handler(Expected)
def expected(request, error):
    return PlainTextResponse("sold out", 409)


@app.get("/expected")
async def sold_out():
    raise Expected("exception_handler that answers 409")


@app.get("/missing")
async def missing():
    raise HTTPException(404, "FastAPI, HTTPException(404)")


@app.get("/unavailable")
async def unavailable():
    raise HTTPException(503, "FastAPI, HTTPException(503)")


@app.get("/number/{number}")
async def number(number: int):
    return number
