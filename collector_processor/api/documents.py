"""The documents that the API answers with. Times are RFC 3339 in UTC; null means none, ``""`` means unknown."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from collector_processor.api.times import iso
from collector_processor.issues.lifecycle import State
from collector_processor.issues.references import Found
from collector_processor.issues.rows import (
    ActivityRow,
    FacetRow,
    FingerprintRow,
    IssueDetail,
    IssueRow,
    OccurrenceRow,
    TrendPoint,
)
from otel_errors.semconv import Severity


class Issue(BaseModel):
    """An issue as a list shows it."""

    id: str
    url: str = Field(description="Its page, for people.")
    title: str
    culprit: str = Field(description="Where it is raised, as a module or file and a function.")
    type: str
    language: str
    state: State
    severity: Severity
    service_namespace: str
    service_name: str
    count: int = Field(description="Errors, each counted once.")
    users: int
    first_seen: str | None
    last_seen: str | None
    state_changed_at: str | None
    unacknowledged_since: str | None = Field(description="Null once somebody acknowledged, resolved or ignored it.")
    assignee: str
    team: str
    fingerprints: list[str]

    @classmethod
    def of(cls, row: IssueRow, public_url: str) -> Issue:
        return cls(**_issue(row, public_url))


class IssueList(BaseModel):
    issues: list[Issue]
    next_cursor: str | None = Field(description="For the parameter cursor of the next request; null at the end.")


class Facet(BaseModel):
    """Events of an issue in one environment or with one release."""

    name: str
    count: int
    first_seen: str | None
    last_seen: str | None

    @classmethod
    def of(cls, row: FacetRow) -> Facet:
        return cls(name=row.name, count=row.count, first_seen=iso(row.first_seen), last_seen=iso(row.last_seen))


class Fingerprint(BaseModel):
    fingerprint: str
    count: int
    users: int
    first_seen: str | None
    last_seen: str | None

    @classmethod
    def of(cls, row: FingerprintRow) -> Fingerprint:
        times = {"first_seen": iso(row.first_seen), "last_seen": iso(row.last_seen)}
        return cls(fingerprint=row.fingerprint, count=row.count, users=row.users, **times)


class FullIssue(Issue):
    """An issue and what is known about it, but for its occurrences, activity and trend."""

    environments: list[Facet]
    releases: list[Facet] = Field(description="By first seen, oldest first.")
    fingerprint_counts: list[Fingerprint]
    merged_issues: list[str] = Field(description="Ids of issues that were merged into this one.")
    resolved_at: str | None
    resolved_release: str = Field(description="The newest release of the service when it was resolved.")
    in_next_release: bool
    ignored_until: str | None
    ignored_until_count: int | None = Field(description="The count at which an ignored issue comes back.")
    last_trace_id: str

    @classmethod
    def of_detail(cls, detail: IssueDetail, public_url: str) -> FullIssue:
        return cls(
            **_issue(detail.issue, public_url),
            environments=[Facet.of(row) for row in detail.environments],
            releases=[Facet.of(row) for row in detail.releases],
            fingerprint_counts=[Fingerprint.of(row) for row in detail.fingerprints],
            merged_issues=detail.merged_issues,
            resolved_at=iso(detail.resolved_at),
            resolved_release=detail.resolved_release,
            in_next_release=detail.in_next_release,
            ignored_until=iso(detail.ignored_until),
            ignored_until_count=detail.ignored_until_count,
            last_trace_id=detail.last_trace_id,
        )


class Occurrence(BaseModel):
    """One error that is kept, redacted."""

    id: int
    issue_id: str
    time: str | None = Field(description="As the application said.")
    received_at: str | None
    event_id: str
    fingerprint: str
    type: str
    message: str
    stacktrace: str
    language: str
    severity: Severity
    handled: bool | None
    mechanism: str
    service_namespace: str
    service_name: str
    release: str
    environment: str
    trace_id: str
    span_id: str
    user: str = Field(description="A keyed pseudonym.")
    error_code: str
    support_reference: str
    tags: dict[str, str]
    attributes: dict[str, str]
    redacted: int = Field(description="How many pieces of text were replaced.")

    @classmethod
    def of(cls, row: OccurrenceRow) -> Occurrence:
        event = row.event
        shared = {name: getattr(event, name) for name in cls.model_fields if hasattr(event, name)}
        return cls(
            **{
                **shared,
                "id": row.id,
                "issue_id": row.issue_id,
                "time": iso(row.time),
                "received_at": iso(row.received),
            }
        )


class OccurrenceList(BaseModel):
    occurrences: list[Occurrence]
    next_cursor: str | None


class Lookup(BaseModel):
    """The event that a support reference stands for."""

    support_reference: str = Field(description="As it is written everywhere.")
    issue: Issue
    url: str = Field(description="The page of this very event, for people.")
    event_id: str
    trace_id: str
    time: str | None
    occurrence: Occurrence | None = Field(description="The error itself, redacted; null when it is no longer kept.")
    trace_url: str | None = Field(description="From the template links.trace; null without it.")
    logs_url: str | None = Field(description="From the template links.logs; null without it.")
    logs_query: str | None = Field(description="What finds its line in Loki (LogQL); null without loki.url.")

    @classmethod
    def of(
        cls,
        reference: str,
        found: Found,
        issue: IssueRow,
        public_url: str,
        *,
        trace_url: str | None,
        logs_url: str | None,
        logs_query: str | None,
    ) -> Lookup:
        return cls(
            support_reference=reference,
            issue=Issue.of(issue, public_url),
            url=f"{public_url}/issues/{issue.id}?reference={reference}",
            event_id=found.event_id,
            trace_id=found.trace_id,
            time=iso(found.time),
            occurrence=Occurrence.of(found.occurrence) if found.occurrence is not None else None,
            trace_url=trace_url,
            logs_url=logs_url,
            logs_query=logs_query,
        )


class Activity(BaseModel):
    """Something that was done to an issue, by a person or (``otel-errors``) by events."""

    time: str | None
    actor: str
    action: str
    before: str
    after: str
    note: str

    @classmethod
    def of(cls, row: ActivityRow) -> Activity:
        words = {name: getattr(row, name) for name in ("actor", "action", "before", "after", "note")}
        return cls(time=iso(row.time), **words)


class ActivityList(BaseModel):
    activity: list[Activity]


class Point(BaseModel):
    start: str | None
    count: int

    @classmethod
    def of(cls, row: TrendPoint) -> Point:
        return cls(start=iso(row.start), count=row.count)


class Trend(BaseModel):
    bucket_seconds: int
    points: list[Point] = Field(description="Without gaps, oldest first; a bucket without events has the count 0.")


class ProblemError(BaseModel):
    key: str
    value: Any = None
    allowed: str


class ProblemDocument(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    errors: list[ProblemError] | None = None


def _issue(row: IssueRow, public_url: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "url": f"{public_url}/issues/{row.id}",
        "title": row.title,
        "culprit": row.culprit,
        "type": row.type,
        "language": row.language,
        "state": row.state,
        "severity": row.severity,
        "service_namespace": row.service_namespace,
        "service_name": row.service_name,
        "count": row.count,
        "users": row.users,
        "first_seen": iso(row.first_seen),
        "last_seen": iso(row.last_seen),
        "state_changed_at": iso(row.changed_at),
        "unacknowledged_since": iso(row.unacknowledged_since),
        "assignee": row.assignee,
        "team": row.team,
        "fingerprints": list(row.fingerprints),
    }
