from __future__ import annotations

import os
import sys

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

sys.path.insert(0, os.path.dirname(__file__))
from failing import fail


class Expected(Exception):
    pass


class Wrapped(Exception):
    pass


def ready(request):
    return PlainTextResponse("ready")


async def unhandled(request):
    fail("Starlette, unhandled")


async def mounted_unhandled(request):
    fail("Starlette, handler of Exception")


async def handler(request):
    raise Wrapped("Starlette, exception handler that answers 500")


async def expected(request):
    raise Expected("exception handler that answers 409")


async def unavailable(request):
    raise HTTPException(503, "Starlette, HTTPException(503)")


async def missing(request):
    raise HTTPException(404, "Starlette, HTTPException(404)")


class Answering:
    """A handler that is an object."""

    def __init__(self, status):
        self.status = status

    async def __call__(self, request, error):
        return PlainTextResponse("sorry", self.status)


mounted = Starlette(routes=[Route("/unhandled", mounted_unhandled)], exception_handlers={Exception: Answering(500)})
app = Starlette(
    routes=[
        *(Route(f"/{one.__name__}", one) for one in (ready, unhandled, handler, expected, unavailable, missing)),
        Mount("/mounted", mounted),
    ],
    exception_handlers={Wrapped: Answering(500), Expected: Answering(409)},
)
