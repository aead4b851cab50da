"""What machines ask: is it alive, is it ready, what does it count."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter, Request
from prometheus_client.registry import Collector
from starlette.responses import JSONResponse, Response

from collector_processor.api.problems import Problem
from collector_processor.sinks.exposition import exposition


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

    @router.get("/metrics")
    def metrics(request: Request) -> Response:
        """OpenMetrics or Prometheus text, as ``Accept`` says."""
        content_type, body = exposition(request.headers.get("accept", ""), *collectors)
        return Response(body, headers={"Content-Type": content_type})

    return router
