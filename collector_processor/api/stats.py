"""``GET /api/v1/stats``: the state of everything in one small document."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from collector_processor.api.asked import OPEN_STATES
from collector_processor.api.issues import PROBLEMS
from collector_processor.api.store_problems import as_problems
from collector_processor.issues.lifecycle import STATES
from collector_processor.issues.store import IssueStore
from collector_processor.issues.tallies import Tally, tallies
from collector_processor.sinks.metrics import ServiceMetrics
from otel_errors.semconv import SEVERITIES


class ServiceStats(BaseModel):
    service_namespace: str
    service_name: str
    open_issues: int
    issues: int
    events: int


class QueueStats(BaseModel):
    events: int = Field(description="Error events that are durable and not yet counted.")
    bytes: int
    oldest_seconds: float


class Stats(BaseModel):
    issues: dict[str, int] = Field(description="By state.")
    open_issues: int
    open_by_severity: dict[str, int]
    events: int = Field(description="Errors counted of all issues.")
    services: list[ServiceStats]
    queue: QueueStats


def stats(store: IssueStore, metrics: ServiceMetrics) -> APIRouter:
    router = APIRouter(prefix="/stats", tags=["stats"], responses={503: PROBLEMS[503]})

    @router.get("")
    def get_stats() -> Stats:
        """Issues by state and severity, services, the queue."""
        with as_problems():
            rows = tallies(store.engine)
        events, size, oldest = metrics.total().queue
        return Stats(
            issues={state: sum(row.issues for row in rows if row.state == state) for state in STATES},
            open_issues=sum(row.issues for row in rows if row.state in OPEN_STATES),
            open_by_severity={
                severity: sum(row.issues for row in rows if row.severity == severity and row.state in OPEN_STATES)
                for severity in SEVERITIES
            },
            events=sum(row.events for row in rows),
            services=_services(rows),
            queue=QueueStats(events=events, bytes=size, oldest_seconds=oldest),
        )

    return router


def _services(rows: list[Tally]) -> list[ServiceStats]:
    found: dict[tuple[str, str], ServiceStats] = {}
    for row in rows:
        key = (row.service_namespace, row.service_name)
        service = found.setdefault(
            key, ServiceStats(service_namespace=key[0], service_name=key[1], open_issues=0, issues=0, events=0)
        )
        service.issues += row.issues
        service.events += row.events
        service.open_issues += row.issues if row.state in OPEN_STATES else 0
    return list(found.values())
