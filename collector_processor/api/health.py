"""What machines ask: is it alive, is it ready, what does it count."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from fastapi import APIRouter, Request
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from collector_processor.api.problems import Problem
from collector_processor.sinks.exposition import exposition, is_openmetrics


def health(readiness: Callable[[], list[str]], collectors: Sequence[Collector]) -> APIRouter:
    """``/healthz``, ``/readyz``, ``/metrics``. ``readiness()`` gives the reasons not to be ready."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/healthz", methods=["GET", "HEAD"])
    def healthz() -> JSONResponse:
        """200 while the process answers at all."""
        return JSONResponse({"status": "ok"})

    @router.api_route("/readyz", methods=["GET", "HEAD"])
    def readyz() -> JSONResponse:
        """200 when every part takes work, else 503 with the reasons."""
        reasons = readiness()
        if reasons:
            raise Problem(503, "Not ready: " + "; ".join(reasons), reasons=reasons)
        return JSONResponse({"status": "ready"})

    running: dict[bool, asyncio.Task[tuple[str, bytes]]] = {}

    def forget(key: bool, done: asyncio.Task[tuple[str, bytes]]) -> None:
        if running.get(key) is done:
            del running[key]
        if not done.cancelled():
            done.exception()  # read here too: whoever asked may be gone

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        """OpenMetrics or Prometheus text, as ``Accept`` says."""
        accept = request.headers.get("accept", "")
        # Who asks while an answer is being made gets that one: with very many issues it takes seconds and megabytes,
        # and scrapers that give up and ask again would pile them up.
        key = is_openmetrics(accept)
        task = running.get(key)
        if task is None or task.done():
            task = running[key] = asyncio.create_task(run_in_threadpool(exposition, accept, *collectors))
            task.add_done_callback(lambda done: forget(key, done))
        content_type, body = await asyncio.shield(task)
        return Response(body, headers={"Content-Type": content_type})

    return router
