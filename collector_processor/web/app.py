"""The HTTP app of the service, put together: API, pages, metrics, health, and what stands before them all."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from collector_processor.api import guard, problems
from collector_processor.api.health import health
from collector_processor.api.issues import events, issues
from collector_processor.api.lookup import lookup
from collector_processor.api.stats import stats
from collector_processor.api.store_problems import as_problems
from collector_processor.issues.rows import MetricsSnapshot
from collector_processor.issues.store import IssueStore
from collector_processor.settings import Settings
from collector_processor.sinks.metrics import ServiceMetrics
from collector_processor.sinks.store_metrics import StoreCollector
from collector_processor.web.environment import page
from collector_processor.web.issue_page import issue_page
from collector_processor.web.list_page import list_page
from collector_processor.web.referenced import links_of
from collector_processor.web.static_files import static_files


def create_app(
    *, store: IssueStore, settings: Settings, metrics: ServiceMetrics, readiness: Callable[[], list[str]]
) -> FastAPI:
    """The whole HTTP face. ``readiness()`` gives the reasons why ``/readyz`` says no; empty when all is well."""
    public_url = settings.public_url.rstrip("/")
    app = FastAPI(
        title="otel-errors",
        summary="Error tracking on OpenTelemetry: issues, their occurrences, and what people do to them.",
        version="1",
        openapi_url="/api/v1/openapi.json",
        # The interactive pages load their scripts from another site.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )

    def snapshot() -> MetricsSnapshot:
        with as_problems():
            return store.queries.metrics_snapshot()

    collectors = (metrics.registry, StoreCollector(snapshot, public_url=public_url))
    api = APIRouter(prefix="/api/v1")
    for router in (
        issues(store, public_url),
        events(store),
        lookup(store, public_url, links_of(settings.links), in_loki=settings.loki.url is not None),
        stats(store, metrics),
    ):
        api.include_router(router)
    for router in (
        api,
        health(readiness, collectors),
        static_files(),
        list_page(store),
        issue_page(store, settings.links),
    ):
        app.include_router(router)

    problems.install(app)
    app.state.problem_page = _problem_page
    app.add_middleware(guard.Guard, public_url=public_url, open_to_network=settings.api.auth == "none")
    return app


def _problem_page(request: Request, problem: problems.Problem) -> Response:
    shown = page(
        request,
        "problem.html",
        now=time.time(),
        status=problem.status,
        problem_status=problem.status,
        problem_title=problems.phrase(problem.status),
        problem_detail=problem.detail,
    )
    shown.headers.update(problem.headers or {})
    return shown
