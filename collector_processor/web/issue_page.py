"""``/issues/{id}``: everything about one issue, and the buttons to answer it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import RedirectResponse, Response

from collector_processor.api.asked import FINGERPRINT, Cursor, Text, issue_id, unknown_issue
from collector_processor.api.problems import Problem, shown_value
from collector_processor.api.store_problems import as_problems
from collector_processor.events import ErrorEvent
from collector_processor.issues.rows import FacetRow, IssueDetail, OccurrencePage, OccurrenceRow
from collector_processor.issues.store import IssueStore
from collector_processor.settings import LinkSettings
from collector_processor.stacktraces import parse
from collector_processor.web.answers import answer, answers_for, form_fields
from collector_processor.web.charts import trend_chart
from collector_processor.web.environment import page
from collector_processor.web.issue_texts import activity_text, occurrence_facts, state_line
from collector_processor.web.links import filled
from collector_processor.web.referenced import links_of, referenced
from collector_processor.web.source_links import source_links
from collector_processor.web.stack_view import stack_view
from collector_processor.web.surroundings import surroundings
from otel_errors.semconv import SEVERITIES

OCCURRENCE_ROWS: Final = 15
ACTIVITY_ROWS: Final = 30
FACET_ROWS: Final = 10

Range = Literal["24h", "7d", "30d", "90d"]
RANGES: Final[dict[Range, tuple[int, int]]] = {"24h": (24, 1), "7d": (168, 3), "30d": (720, 12), "90d": (2160, 24)}
"""Hours shown, and hours of one bar."""


class IssueAsked(BaseModel):
    """The page's address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    range: Range = "7d"
    occurrence: Annotated[int, Query(ge=0, lt=2**63)] | None = None
    cursor: Cursor = ""
    reference: Text = ""
    """A support reference: its event is shown. What the search leads to."""


def issue_page(store: IssueStore, links: LinkSettings) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.api_route("/issues/{id}", methods=["GET", "HEAD"])
    def show(request: Request, id: str, asked: Annotated[IssueAsked, Query()]) -> Response:  # noqa: A002
        detail = _existing(store, id)
        if detail.issue.id != id:
            return RedirectResponse(detail.issue.id, status_code=302)  # it was merged; its address stays good
        return _page(request, store, links, detail, asked)

    @router.post("/issues/{id}/actions")
    def act(request: Request, id: str, fields: Annotated[dict[str, str], Depends(form_fields)]) -> Response:  # noqa: A002
        detail = _existing(store, id)
        try:
            with as_problems():
                answer(store, detail.issue.id, fields)
        except Problem as problem:
            if problem.status not in (404, 409, 422):
                raise
            now_detail = _existing(store, id)
            shown = _page(request, store, links, now_detail, IssueAsked(), notice=problem.detail, root="../../")
            shown.status_code = problem.status
            return shown
        # After a POST, a GET: reloading the page must not answer again.
        return RedirectResponse(f"../{detail.issue.id}", status_code=303)

    @router.api_route("/f/{fingerprint}", methods=["GET", "HEAD"])
    def by_fingerprint(fingerprint: str, service_name: Annotated[Text, Query()] = "") -> Response:
        """The address in ``otel_errors.issue.url``: known before there is an issue, follows merges."""
        detail = None
        if FINGERPRINT.fullmatch(fingerprint):
            with as_problems():
                detail = store.queries.issue_by_fingerprint(fingerprint, service_name=service_name)
        if detail is None:
            raise Problem(404, f"There is no issue with the fingerprint {shown_value(fingerprint)!r} (yet)")
        return RedirectResponse(f"../issues/{detail.issue.id}", status_code=302)

    return router


def _existing(store: IssueStore, value: str) -> IssueDetail:
    with as_problems():
        detail = store.queries.get_issue(issue_id(value))
    if detail is None:
        raise unknown_issue(value)
    return detail


def _page(
    request: Request,
    store: IssueStore,
    links: LinkSettings,
    detail: IssueDetail,
    asked: IssueAsked,
    *,
    notice: str = "",
    root: str = "../",
) -> Response:
    issue, now = detail.issue, time.time()
    hours, bar_hours = RANGES[asked.range]
    with as_problems():
        kept = store.queries.occurrences(issue.id, limit=OCCURRENCE_ROWS, cursor=asked.cursor or None)
        trend = store.queries.trend(issue.id, hours=hours, now=now)
        activity = store.queries.activity(issue.id, limit=ACTIVITY_ROWS)
        found, of_reference = referenced(store, links_of(links), issue.id, asked.reference)
    shown = next((row for row in kept.occurrences if row.id == asked.occurrence), None)
    if found is not None and found.occurrence is not None:
        shown = found.occurrence
    if shown is None and kept.occurrences:
        shown = kept.occurrences[0]
    here = f"{root}issues/{issue.id}"
    bars = _bars([(point.start, point.count) for point in trend], bar_hours)
    return page(
        request,
        "issue.html",
        now=now,
        section="issues",
        notice=notice,
        of_reference=of_reference,
        act=f"{here}/actions",
        detail=detail,
        issue=issue,
        state_line=state_line(detail, now),
        severities=SEVERITIES,
        ranges=[
            {"label": name, "current": name == asked.range, "href": _href(here, asked, range=name)} for name in RANGES
        ],
        chart=trend_chart(
            bars,
            bucket_seconds=bar_hours * 3600,
            label=f"{sum(count for _, count in bars):,} events in the last {asked.range}",
        ),
        facets=[("Releases", _shares(detail.releases)), ("Environments", _shares(detail.environments))],
        activity=[{"text": activity_text(row), "time": row.time, "note": row.note} for row in activity],
        **answers_for(issue.state),
        **_occurrences(here, asked, links, kept, shown),
    )


def _occurrences(
    here: str, asked: IssueAsked, links: LinkSettings, kept: OccurrencePage, shown: OccurrenceRow | None
) -> dict[str, Any]:
    """The table of occurrences, and the one that is shown in full."""
    return {
        "occurrences": [
            {
                "current": shown is not None and row.id == shown.id,
                "href": _href(here, asked, occurrence=str(row.id), cursor=asked.cursor) + "#occurrence",
                "time": row.time,
                "message": row.event.message or row.event.title,
                "environment": row.event.environment,
                "release": row.event.release,
                "trace_id": row.event.trace_id,
                "trace_href": _trace_href(links, row.event),
            }
            for row in kept.occurrences
        ],
        "older_href": _href(here, asked, cursor=kept.next_cursor) + "#occurrences" if kept.next_cursor else None,
        "newest_href": _href(here, asked) + "#occurrences" if asked.cursor else None,
        "latest": shown is not None and not asked.cursor and shown.id == kept.occurrences[0].id,
        **(_shown(links, shown) if shown is not None else {"shown": None}),
    }


def _shown(links: LinkSettings, row: OccurrenceRow) -> dict[str, Any]:
    event = row.event
    stack = parse(event.stacktrace, event.language, type=event.type, message=event.message)
    source_of = source_links(event, stack.language, links.source, links.source_roots)
    view = stack_view(stack.exceptions, source_of)
    return {
        "shown": {
            "time": row.time,
            "message": event.message,
            "stacktrace": event.stacktrace,
            "trace_id": event.trace_id,
            "tags": event.tags,
        },
        "around": surroundings(event.attributes),
        "stack_view": view,
        "message_in_stack": view.has_frames and view.exceptions[0].message.strip() == event.message.strip(),
        "shown_facts": occurrence_facts(event),
        "trace_href": _trace_href(links, event),
    }


def _href(here: str, asked: IssueAsked, **changes: str | None) -> str:
    values = {"range": asked.range, **changes}
    kept = {name: value for name, value in values.items() if value and (name, value) != ("range", "7d")}
    # Values are ours, digits or of the cursor's alphabet: nothing to encode.
    return here + ("?" + "&".join(f"{name}={value}" for name, value in kept.items()) if kept else "")


def _bars(points: Sequence[tuple[float, int]], hours: int) -> list[tuple[float, int]]:
    """Neighbouring hours put together, from the end, so that the last bar is a whole one."""
    groups = [points[max(end - hours, 0) : end] for end in range(len(points), 0, -hours)]
    return [(group[0][0], sum(count for _, count in group)) for group in reversed(groups)]


def _shares(rows: Sequence[FacetRow]) -> list[dict[str, Any]]:
    """The largest few, with their share of all."""
    total = sum(row.count for row in rows) or 1
    largest = sorted(rows, key=lambda row: (-row.count, row.name))
    shares = [
        {"name": row.name, "count": row.count, "percent": f"{100 * row.count / total:.1f}"}
        for row in largest[:FACET_ROWS]
    ]
    rest = sum(row.count for row in largest[FACET_ROWS:])
    if rest:
        name = f"{len(largest) - FACET_ROWS} more"
        shares.append({"name": name, "count": rest, "percent": f"{100 * rest / total:.1f}"})
    return shares


def _trace_href(links: LinkSettings, event: ErrorEvent) -> str | None:
    return filled(links.trace, trace_id=event.trace_id, span_id=event.span_id, service_name=event.service_name)
