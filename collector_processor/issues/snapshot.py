"""The store's part of /metrics: read in one transaction, bounded, and summed so that no series appears twice.

Labels carry the service's name without its namespace, so services that share a name share their series. What is past a
bound counts under ``other``; the first services and types keep their names, so that a counter never changes its name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, func, or_, select

from collector_processor.issues import schema
from collector_processor.issues.bulk import chunks
from collector_processor.issues.directory import OTHER
from collector_processor.issues.rows import (
    DurationHistogram,
    EventTotal,
    IssueEnvironment,
    IssueInfo,
    IssueTally,
    MetricsSnapshot,
    ReleaseSeen,
    ServiceSeen,
)
from collector_processor.issues.states import DURATION_BOUNDS, INFINITE

MAX_ISSUES = 500
MAX_SERVICES = 1_000
MAX_TYPES = 100
MAX_RELEASES = 50

_HANDLED = {1: True, 0: False, -1: None}


def take(
    connection: Connection,
    *,
    max_issues: int = MAX_ISSUES,
    max_services: int = MAX_SERVICES,
    max_types: int = MAX_TYPES,
    max_releases: int = MAX_RELEASES,
) -> MetricsSnapshot:
    """Read everything. The bounds: issues seen last (every one that waits for an answer comes on top), services, types
    and releases of one service."""
    services = _first(max_services)
    # ids are given in order of appearance: the same ones keep their names in every process and after every restart
    names = {
        row.id: services(row.name)
        for row in connection.execute(
            select(schema.services.c.id, schema.services.c.name).order_by(schema.services.c.id)
        )
    }
    issues = _issues(connection, names, max_issues)
    return MetricsSnapshot(
        event_totals=_event_totals(connection, names, max_types),
        issue_environments=_environments(connection, names, {issue.issue_id for issue in issues}),
        issues=issues,
        issue_tallies=_tallies(connection, names),
        releases=_releases(connection, names, max_releases),
        services=_services(connection, names),
        durations=[_duration(connection, "ack"), _duration(connection, "resolve")],
    )


def _first(limit: int) -> Callable[[str], str]:
    """The first ``limit`` names that it is asked for, ``other`` for all further ones."""
    kept: set[str] = set()

    def of(name: str) -> str:
        if name in kept:
            return name
        if len(kept) >= limit:
            return OTHER
        kept.add(name)
        return name

    return of


def _event_totals(connection: Connection, names: dict[int, str], max_types: int) -> list[EventTotal]:
    table = schema.event_totals
    types: dict[str, Callable[[str], str]] = {}
    sums: dict[tuple[str, str, str, Any, int], list[Any]] = {}
    for row in connection.execute(select(table).where(table.c.total > 0).order_by(table.c.id)):
        service = names[row.service_id]
        kind = types.setdefault(service, _first(max_types))(row.type)
        entry = sums.setdefault((service, row.environment, kind, row.severity, row.handled), [0, "", 0])
        entry[0] += row.total
        if row.trace_time > entry[2]:
            entry[1:] = [row.trace_id, row.trace_time]
    return [
        EventTotal(service, environment, kind, severity, _HANDLED[handled], total, trace_id, trace_time / 1e9)
        for (service, environment, kind, severity, handled), (total, trace_id, trace_time) in sums.items()
    ]


def _issues(connection: Connection, names: dict[int, str], max_issues: int) -> list[IssueInfo]:
    table = schema.issues
    shown = (table.c.merged_into.is_(None), table.c.count > 0)
    latest = select(table.c.id).where(*shown).order_by(table.c.last_seen.desc(), table.c.id).limit(max_issues)
    wanted = or_(table.c.id.in_(latest), table.c.unacknowledged_since.is_not(None))
    # columns by name and rows by place: of fifty thousand rows each attribute looked up is a tenth of a second
    c = table.c
    columns = (c.id, c.service_id, c.title, c.type, c.culprit, c.severity, c.assignee, c.team, c.state, c.changed_at)
    query = select(*columns, c.unacknowledged_since).where(*shown, wanted).order_by(c.last_seen.desc(), c.id)
    rows = connection.execute(query).all()
    releases = _first_releases(connection, [row[0] for row in rows])
    return [
        IssueInfo(issue_id, names[service_id], title, kind, culprit, releases.get(issue_id, ""), *rest)
        for issue_id, service_id, title, kind, culprit, *rest in rows
    ]


def _first_releases(connection: Connection, issue_ids: list[str]) -> dict[str, str]:
    table, fingerprints = schema.series, schema.fingerprints
    found: dict[str, str] = {}
    for ids in chunks(issue_ids):
        query = (
            select(fingerprints.c.issue_id, table.c.release)
            .join(fingerprints, fingerprints.c.id == table.c.fingerprint_id)
            .where(fingerprints.c.issue_id.in_(ids), table.c.release != "")
            .order_by(table.c.first_seen.desc(), table.c.release)
        )
        for issue_id, release in connection.execute(query):
            found[issue_id] = release  # the earliest comes last
    return found


def _environments(connection: Connection, names: dict[int, str], shown: set[str]) -> list[IssueEnvironment]:
    table, issues = schema.issue_environments, schema.issues
    c = table.c
    figures = (c.total, c.users, c.first_seen, c.last_seen, c.trace_id, c.trace_time)
    query = (
        select(issues.c.service_id, c.issue_id, c.environment, *figures)
        .join(issues, issues.c.id == table.c.issue_id)
        .where(issues.c.merged_into.is_(None), issues.c.count > 0)
    )
    rows: list[IssueEnvironment] = []
    rest: dict[tuple[str, str], int] = {}
    for service_id, issue_id, environment, total, users, first, last, trace_id, trace_time in connection.execute(query):
        service = names[service_id]
        if issue_id in shown:
            seen = (users, first / 1e9, last / 1e9, trace_id, trace_time / 1e9)
            rows.append(IssueEnvironment(issue_id, service, environment, total, *seen))
        else:
            key = (service, environment)
            rest[key] = rest.get(key, 0) + total
    for (service, environment), total in rest.items():
        rows.append(IssueEnvironment(OTHER, service, environment, total, 0, 0.0, 0.0, "", 0.0))
    return rows


def _tallies(connection: Connection, names: dict[int, str]) -> list[IssueTally]:
    table = schema.issues
    query = (
        select(table.c.service_id, table.c.state, table.c.severity, func.count())
        .where(table.c.merged_into.is_(None), table.c.count > 0)
        .group_by(table.c.service_id, table.c.state, table.c.severity)
    )
    sums: dict[tuple[str, Any, Any], int] = {}
    for service_id, state, severity, number in connection.execute(query):
        key = (names[service_id], state, severity)
        sums[key] = sums.get(key, 0) + number
    return [IssueTally(*key, number) for key, number in sorted(sums.items())]


def _releases(connection: Connection, names: dict[int, str], max_releases: int) -> list[ReleaseSeen]:
    table = schema.releases
    earliest: dict[str, dict[str, int]] = {}
    for row in connection.execute(select(table)):
        of_service = earliest.setdefault(names[row.service_id], {})
        of_service[row.release] = min(row.first_seen, of_service.get(row.release, row.first_seen))
    return [
        ReleaseSeen(service, release, of_service[release] / 1e9)
        for service, of_service in sorted(earliest.items())
        for release in sorted(of_service, key=lambda name: (-of_service[name], name))[:max_releases]
    ]


def _services(connection: Connection, names: dict[int, str]) -> list[ServiceSeen]:
    table = schema.services
    latest: dict[str, float] = {}
    for row in connection.execute(select(table)):
        latest[names[row.id]] = max(row.last_received, latest.get(names[row.id], 0.0))
    return [ServiceSeen(name, received) for name, received in sorted(latest.items())]


def _duration(connection: Connection, kind: Any) -> DurationHistogram:
    table = schema.durations
    counted = {row.upper: row for row in connection.execute(select(table).where(table.c.kind == kind))}
    buckets = tuple(
        (math.inf if bound == INFINITE else bound, counted[bound]._mapping["count"] if bound in counted else 0)
        for bound in (*DURATION_BOUNDS, INFINITE)
    )
    return DurationHistogram(kind, buckets, sum(row.seconds for row in counted.values()))
