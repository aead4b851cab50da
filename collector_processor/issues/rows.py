"""What the read side answers with. Times: seconds since 1970 (UTC), None when there is none; ``""`` means unknown."""

from __future__ import annotations

from typing import Literal

import msgspec

from collector_processor.events import ErrorEvent
from collector_processor.issues.lifecycle import State
from otel_errors.semconv import Severity


class IssueRow(msgspec.Struct, frozen=True, kw_only=True):
    """An issue as a list shows it."""

    id: str
    title: str
    culprit: str
    type: str
    language: str
    state: State
    severity: Severity
    severity_set: bool
    """A person chose the severity: events no longer raise it."""
    service_namespace: str
    service_name: str
    count: int
    users: int
    """Distinct pseudonyms seen; at most ``store.MAX_USERS`` are told apart per fingerprint."""
    first_seen: float
    last_seen: float
    created_at: float
    changed_at: float
    """Of the state."""
    unacknowledged_since: float | None
    assignee: str
    team: str
    fingerprints: tuple[str, ...]


class IssuePage(msgspec.Struct, frozen=True):
    issues: list[IssueRow]
    next_cursor: str | None


class FacetRow(msgspec.Struct, frozen=True):
    """Events of an issue in one environment, or with one release."""

    name: str
    count: int
    first_seen: float
    last_seen: float


class FingerprintRow(msgspec.Struct, frozen=True):
    fingerprint: str
    count: int
    users: int
    first_seen: float
    last_seen: float


class IssueDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An issue and everything about it but its occurrences, activity and trend."""

    issue: IssueRow
    environments: list[FacetRow]
    releases: list[FacetRow]
    """By first seen, oldest first; events without a release are not in it."""
    fingerprints: list[FingerprintRow]
    merged_issues: list[str]
    """Ids of issues that were merged into this one; their pages lead here."""
    resolved_at: float | None
    resolved_release: str
    in_next_release: bool
    ignored_until: float | None
    ignored_until_count: int | None
    """The count of the issue at which it comes back."""
    last_trace_id: str


class OccurrenceRow(msgspec.Struct, frozen=True):
    id: int
    issue_id: str
    event: ErrorEvent
    time: float
    received: float


class OccurrencePage(msgspec.Struct, frozen=True):
    occurrences: list[OccurrenceRow]
    """Newest first."""
    next_cursor: str | None


class ActivityRow(msgspec.Struct, frozen=True):
    time: float
    actor: str
    """Who did it; ``otel-errors`` for what events caused."""
    action: str
    before: str
    after: str
    note: str


class TrendPoint(msgspec.Struct, frozen=True):
    start: float
    count: int


# --- the figures of /metrics: aggregated and bounded so that no two rows give the same series ---


class EventTotal(msgspec.Struct, frozen=True):
    """``otel_errors_events_total``: never decreases."""

    service_name: str
    environment: str
    type: str
    severity: Severity
    handled: bool | None
    total: int
    trace_id: str
    """Of the last counted event that had one, for the exemplar; ``trace_time`` is that event's."""
    trace_time: float


class IssueEnvironment(msgspec.Struct, frozen=True):
    """An issue in one environment. ``total`` never decreases and does not move by a merge."""

    issue_id: str
    service_name: str
    environment: str
    total: int
    users: int
    first_seen: float
    last_seen: float
    trace_id: str
    trace_time: float


class IssueInfo(msgspec.Struct, frozen=True):
    """One per issue: what ``_info``, ``_state``, ``_state_changed`` and ``_unacknowledged_since`` say."""

    issue_id: str
    service_name: str
    title: str
    type: str
    culprit: str
    first_release: str
    severity: Severity
    owner: str
    team: str
    state: State
    changed_at: float
    unacknowledged_since: float | None


class IssueTally(msgspec.Struct, frozen=True):
    """``otel_errors_issues``."""

    service_name: str
    state: State
    severity: Severity
    issues: int


class ReleaseSeen(msgspec.Struct, frozen=True):
    service_name: str
    release: str
    first_seen: float


class ServiceSeen(msgspec.Struct, frozen=True):
    service_name: str
    last_received: float


class DurationHistogram(msgspec.Struct, frozen=True):
    kind: Literal["ack", "resolve"]
    buckets: tuple[tuple[float, int], ...]
    """(upper bound in seconds, observations in this bucket alone), ascending, the last bound is infinity."""
    sum_seconds: float


class MetricsSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All store metrics at one moment, from one transaction."""

    event_totals: list[EventTotal]
    issue_environments: list[IssueEnvironment]
    """Of the issues in ``issues``, then a row for each (service, environment) whose other issues are summed under the
    id ``other`` (users 0, times 0: they are not summable)."""
    issues: list[IssueInfo]
    """Those seen last and every one that is not acknowledged."""
    issue_tallies: list[IssueTally]
    releases: list[ReleaseSeen]
    services: list[ServiceSeen]
    durations: list[DurationHistogram]
