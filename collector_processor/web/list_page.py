"""``/``: the issues as a table, by state, with search, filters and a trend of each."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from collector_processor.api.asked import OPEN_STATES, Cursor, Text
from collector_processor.api.store_problems import as_problems
from collector_processor.issues.lifecycle import STATES, State
from collector_processor.issues.queries import IssueFilter, Sort
from collector_processor.issues.store import IssueStore
from collector_processor.issues.tallies import Tally, tallies
from collector_processor.web.charts import sparkline
from collector_processor.web.environment import page
from collector_processor.web.referenced import event_href, search_hint
from otel_errors.semconv import SEVERITIES

PAGE_ROWS: Final = 50
TREND_HOURS: Final = 24
SORTS: Final[tuple[tuple[Sort, str], ...]] = (
    ("last_seen", "Last seen"),
    ("first_seen", "First seen"),
    ("count", "Most events"),
    ("users", "Most users"),
)


class ListAsked(BaseModel):
    """The list's address: what the tabs, the form and the pager write. An empty value filters nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Literal["open", "new", "regressed", "acknowledged", "resolved", "ignored", "all"] = "open"
    q: Text = ""
    service: Text = ""
    severity: Literal["", "critical", "high", "medium", "low"] = ""
    sort: Sort = "last_seen"
    cursor: Cursor = Field("")

    def states(self) -> tuple[State, ...]:
        if self.state == "open":
            return OPEN_STATES
        return () if self.state == "all" else (self.state,)

    def href(self, root: str, **changes: str) -> str:
        """The same view with other values; the cursor goes unless it is one of them, for it belongs to one view."""
        values = {**self.model_dump(), "cursor": "", **changes}
        kept = {name: value for name, value in values.items() if value != type(self).model_fields[name].default}
        return root + ("?" + urlencode(kept) if kept else "")


def list_page(store: IssueStore) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"])
    def show(request: Request, asked: Annotated[ListAsked, Query()]) -> Response:
        wanted = IssueFilter(
            states=asked.states(),
            severities=(asked.severity,) if asked.severity else (),
            service_name=asked.service,
            search=asked.q,
        )
        now, root = time.time(), "./"
        with as_problems():
            of_reference = event_href(store, asked.q, root)
            if of_reference is not None:
                return RedirectResponse(of_reference, status_code=302)
            found = store.queries.list_issues(wanted, sort=asked.sort, limit=PAGE_ROWS, cursor=asked.cursor or None)
            trends = store.queries.trends([issue.id for issue in found.issues], hours=TREND_HOURS, now=now)
            counted = tallies(store.engine)
        return page(
            request,
            "list.html",
            now=now,
            section="issues",
            chosen=asked,
            tabs=_tabs(asked, counted, root),
            services=_services(asked, counted),
            severities=SEVERITIES,
            sorts=SORTS,
            filtered=bool(asked.q or asked.service or asked.severity),
            clear_href=asked.href(root, q="", service="", severity=""),
            hint=search_hint(asked.q) if not found.issues else "",
            issues=found.issues,
            sparks={issue: _spark([point.count for point in points]) for issue, points in trends.items()},
            first_href=asked.href(root) if asked.cursor else None,
            next_href=asked.href(root, cursor=found.next_cursor) if found.next_cursor else None,
        )

    return router


def _tabs(asked: ListAsked, counted: list[Tally], root: str) -> list[dict[str, Any]]:
    """A tab a state, with how many issues it has under the chosen service and severity (a search is not counted for
    each state)."""
    of: dict[State, int] = dict.fromkeys(STATES, 0)
    for row in counted:
        if asked.service in ("", row.service_name) and asked.severity in ("", row.severity):
            of[row.state] += row.issues
    numbers: list[tuple[str, int]] = [
        ("open", sum(of[state] for state in OPEN_STATES)),
        *of.items(),
        ("all", sum(of.values())),
    ]
    return [
        {
            "label": name.capitalize(),
            "count": number,
            "current": name == asked.state,
            "href": asked.href(root, state=name),
        }
        for name, number in numbers
    ]


def _services(asked: ListAsked, counted: list[Tally]) -> list[str]:
    """What can be chosen. A name with hidden characters cannot be asked for, so it is not offered."""
    names = {row.service_name for row in counted if row.service_name.isprintable()}
    return sorted((names | {asked.service}) - {""})


def _spark(counts: list[int]) -> Any:
    return sparkline(counts, label=f"{sum(counts):,} events in the last {TREND_HOURS} hours")
