"""``/api/v1``: issues, their occurrences, activity and trend, and what people do to them. Handlers block, so they run
in threads."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from collector_processor.api import documents as doc
from collector_processor.api.asked import (
    ActivityAsked,
    IssueChange,
    IssuesAsked,
    Merge,
    OccurrencesAsked,
    TrendAsked,
    issue_id,
    seconds_of,
    unknown_issue,
)
from collector_processor.api.problems import Problem, shown_value
from collector_processor.api.store_problems import as_problems
from collector_processor.issues.store import IssueStore

ACTOR: Final = "api"
"""Who acts, in the activity, as long as nobody logs in."""

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": doc.ProblemDocument, "content": {"application/problem+json": {}}} for status in (404, 422, 503)
}


def issues(store: IssueStore, public_url: str) -> APIRouter:
    router = APIRouter(prefix="/issues", tags=["issues"], responses=PROBLEMS)

    def existing(issue: str) -> doc.FullIssue:
        with as_problems():
            detail = store.queries.get_issue(issue_id(issue))
        if detail is None:
            raise unknown_issue(issue)
        return doc.FullIssue.of_detail(detail, public_url)

    @router.get("")
    def list_issues(asked: Annotated[IssuesAsked, Query()]) -> doc.IssueList:
        """Issues by filter, a page at a time."""
        with as_problems():
            page = store.queries.list_issues(
                asked.filter(),
                sort=asked.sort,
                descending=asked.order == "desc",
                limit=asked.limit,
                cursor=asked.cursor or None,
            )
        return doc.IssueList(
            issues=[doc.Issue.of(row, public_url) for row in page.issues], next_cursor=page.next_cursor
        )

    @router.post("/merge", responses={409: PROBLEMS[404]})
    def merge(body: Merge) -> doc.FullIssue:
        """Make several issues one. Their pages and ids lead to the one that stays."""
        with as_problems():
            store.commands.merge(body.into, body.issues, actor=ACTOR, note=body.note)
        return existing(body.into)

    @router.get("/{id}")
    def get_issue(id: str) -> doc.FullIssue:  # noqa: A002
        """An issue; the id of one that was merged gives the one that it was merged into."""
        return existing(id)

    @router.patch("/{id}", responses={409: PROBLEMS[404]})
    def change_issue(id: str, body: IssueChange) -> doc.FullIssue:  # noqa: A002
        """Answer an issue, assign it, set its severity. 409 when its state does not allow the change."""
        with as_problems():
            apply_change(store, issue_id(id), body, actor=ACTOR)
        return existing(id)

    @router.get("/{id}/occurrences")
    def occurrences(id: str, asked: Annotated[OccurrencesAsked, Query()]) -> doc.OccurrenceList:  # noqa: A002
        """The occurrences that are kept, newest first; the counts are of all."""
        existing(id)
        with as_problems():
            page = store.queries.occurrences(
                id, environment=asked.environment, limit=asked.limit, cursor=asked.cursor or None
            )
        return doc.OccurrenceList(
            occurrences=[doc.Occurrence.of(row) for row in page.occurrences], next_cursor=page.next_cursor
        )

    @router.get("/{id}/activity")
    def activity(id: str, asked: Annotated[ActivityAsked, Query()]) -> doc.ActivityList:  # noqa: A002
        """What people and events did to it, newest first."""
        existing(id)
        with as_problems():
            rows = store.queries.activity(id, limit=asked.limit)
        return doc.ActivityList(activity=[doc.Activity.of(row) for row in rows])

    @router.get("/{id}/trend")
    def trend(id: str, asked: Annotated[TrendAsked, Query()]) -> doc.Trend:  # noqa: A002
        """Events per hour."""
        existing(id)
        with as_problems():
            points = store.queries.trend(id, hours=asked.hours)
        return doc.Trend(bucket_seconds=3600, points=[doc.Point.of(point) for point in points])

    return router


def events(store: IssueStore) -> APIRouter:
    router = APIRouter(prefix="/events", tags=["events"], responses=PROBLEMS)

    @router.get("/{event_id}")
    def get_event(event_id: str) -> doc.Occurrence:
        """One error by its event id (``otel_errors.event_id``), while it is kept."""
        with as_problems():
            row = store.queries.event(event_id) if event_id.isprintable() and len(event_id) <= 200 else None
        if row is None:
            raise Problem(404, f"There is no event {shown_value(event_id)!r}, or it is no longer kept")
        return doc.Occurrence.of(row)

    return router


def apply_change(store: IssueStore, issue: str, change: IssueChange, *, actor: str) -> None:
    """The state first: it is what can be refused. Raises what the commands raise."""
    who = {"actor": actor, "note": change.note}
    commands = store.commands
    if change.state == "acknowledged":
        commands.acknowledge(issue, **who)
    elif change.state == "resolved":
        commands.resolve(issue, in_next_release=change.in_next_release, **who)
    elif change.state == "ignored":
        until = seconds_of(change.ignore_until) if change.ignore_until is not None else None
        commands.ignore(issue, until=until, for_events=change.ignore_events, **who)
    elif change.state == "new":
        commands.reopen(issue, **who)
    if change.assignee is not None:
        commands.assign(issue, change.assignee, **who)
    if change.team is not None:
        commands.assign_team(issue, change.team, **who)
    if change.severity is not None:
        commands.set_severity(issue, change.severity, **who)
