"""The read side of the store, for the API, the pages and the terminal. Every call is one read transaction.

Issues that were merged into another are answered for by that one. An issue whose every error turned out to be a copy of
an error counted elsewhere (count 0) is in no list.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, Literal, get_args

import msgspec
from sqlalchemy import Column, Connection, Engine, Row, Select, and_, exists, func, literal_column, or_, select

from collector_processor.events import ErrorEvent
from collector_processor.issues import schema, snapshot
from collector_processor.issues.bulk import chunks
from collector_processor.issues.database import reading
from collector_processor.issues.lifecycle import STATES
from collector_processor.issues.questions import IssueQueryError, make_cursor, not_text, one_of, page_size, read_cursor
from collector_processor.issues.rows import (
    ActivityRow,
    FacetRow,
    FingerprintRow,
    IssueDetail,
    IssuePage,
    IssueRow,
    MetricsSnapshot,
    OccurrencePage,
    OccurrenceRow,
    TrendPoint,
)
from otel_errors.semconv import SEVERITIES

Sort = Literal["last_seen", "first_seen", "count", "users"]
SORTS: Final[tuple[Sort, ...]] = get_args(Sort)
MAX_TREND_HOURS = 90 * 24
MAX_SEARCH_WORDS = 10

_events = msgspec.msgpack.Decoder(ErrorEvent)


class IssueFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which issues; what is empty filters nothing."""

    states: Sequence[str] = ()
    severities: Sequence[str] = ()
    service_name: str = ""
    service_namespace: str | None = None
    environment: str = ""
    assignee: str = ""
    search: str = ""
    """Words that all occur in title, culprit, type or service name; upper and lower case are the same."""


class IssueQueries:
    """See the module. Raises ``StoreUnavailable`` when the database fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list_issues(
        self,
        wanted: IssueFilter | None = None,
        *,
        sort: str = "last_seen",
        descending: bool = True,
        limit: int = 50,
        cursor: str | None = None,
    ) -> IssuePage:
        """A page of issues. ``cursor`` is the ``next_cursor`` of the page before, under the same sort and filter.

        Raises ``IssueQueryError``.
        """
        table = schema.issues
        order = one_of("sort", sort, SORTS)
        size = page_size(limit)
        column = table.c[order]
        query = _issue_rows().where(*_conditions(wanted or IssueFilter()))
        if cursor:
            value, last_id = read_cursor(cursor, order, descending)
            beyond = column < value if descending else column > value
            past = table.c.id < last_id if descending else table.c.id > last_id
            query = query.where(or_(beyond, and_(column == value, past)))
        ordering = (column.desc(), table.c.id.desc()) if descending else (column, table.c.id)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(*ordering).limit(size + 1)).all()
            page = _with_fingerprints(connection, rows[:size])
        more = len(rows) > size
        last = rows[size - 1] if more else None
        following = make_cursor(order, descending, getattr(last, order), last.id) if last is not None else None
        return IssuePage(page, following)

    def get_issue(self, issue_id: str) -> IssueDetail | None:
        """An issue, or what it was merged into; None when there is none of this id."""
        with reading(self._engine) as connection:
            followed = _follow(connection, issue_id)
            return _detail(connection, followed) if followed else None

    def issue_by_fingerprint(
        self, fingerprint: str, *, service_name: str = "", service_namespace: str | None = None
    ) -> IssueDetail | None:
        """The issue that a fingerprint belongs to, of the given service, else of the one that had it last."""
        if not_text(fingerprint + service_name + (service_namespace or "")):
            return None
        table, services = schema.fingerprints, schema.services
        query = (
            select(table.c.issue_id)
            .join(services, services.c.id == table.c.service_id)
            .where(table.c.fingerprint == fingerprint)
            .order_by(table.c.last_seen.desc())
            .limit(1)
        )
        if service_name:
            query = query.where(services.c.name == service_name)
        if service_namespace is not None:
            query = query.where(services.c.namespace == service_namespace)
        with reading(self._engine) as connection:
            issue_id = connection.execute(query).scalar()
            return _detail(connection, issue_id) if issue_id else None

    def occurrences(
        self, issue_id: str, *, environment: str = "", limit: int = 50, cursor: str | None = None
    ) -> OccurrencePage:
        """The occurrences that are kept of an issue, newest first. Raises ``IssueQueryError``."""
        table = schema.occurrences
        size = page_size(limit)
        with reading(self._engine) as connection:
            query = _occurrence_rows().where(schema.fingerprints.c.issue_id == (_follow(connection, issue_id) or ""))
            if environment:
                query = query.where(table.c.environment == environment)
            if cursor:
                moment, last_id = read_cursor(cursor, "time", True)
                query = query.where(or_(table.c.time < moment, and_(table.c.time == moment, table.c.id < last_id)))
            rows = connection.execute(query.order_by(table.c.time.desc(), table.c.id.desc()).limit(size + 1)).all()
        last = rows[size - 1] if len(rows) > size else None
        following = make_cursor("time", True, last.time, last.id) if last is not None else None
        return OccurrencePage([_occurrence(row) for row in rows[:size]], following)

    def activity(self, issue_id: str, *, limit: int = 100) -> list[ActivityRow]:
        """What happened to an issue, newest first."""
        table = schema.activity
        columns = (table.c.time, table.c.actor, table.c.action, table.c.before, table.c.after, table.c.note)
        with reading(self._engine) as connection:
            of_issue = table.c.issue_id == (_follow(connection, issue_id) or "")
            query = select(*columns).where(of_issue).order_by(table.c.id.desc()).limit(page_size(limit))
            return [ActivityRow(*row) for row in connection.execute(query)]

    def trend(self, issue_id: str, *, hours: int = 168, now: float | None = None) -> list[TrendPoint]:
        """Events of each of the last ``hours`` whole hours (UTC), the running one included, oldest first."""
        with reading(self._engine) as connection:
            followed = _follow(connection, issue_id) or issue_id
        return self.trends([followed], hours=hours, now=now)[followed]

    def trends(
        self, issue_ids: Sequence[str], *, hours: int = 24, now: float | None = None
    ) -> dict[str, list[TrendPoint]]:
        """``trend`` for many issues at once (ids as lists give them)."""
        if not 1 <= hours <= MAX_TREND_HOURS:
            raise IssueQueryError(f"hours: {hours!r}: a number from 1 to {MAX_TREND_HOURS} is needed")
        end = int(time.time() if now is None else now) // 3600
        counted: dict[str, dict[int, int]] = {issue_id: {} for issue_id in issue_ids}
        table, fingerprints = schema.hours, schema.fingerprints
        with reading(self._engine) as connection:
            for ids in chunks(list(counted)):
                query = (
                    select(fingerprints.c.issue_id, table.c.hour, func.sum(table.c.count))
                    .join(fingerprints, fingerprints.c.id == table.c.fingerprint_id)
                    .where(fingerprints.c.issue_id.in_(ids), table.c.hour > end - hours)
                    .group_by(fingerprints.c.issue_id, table.c.hour)
                )
                for issue_id, hour, errors in connection.execute(query):
                    counted[issue_id][hour] = int(errors)
        span = range(end - hours + 1, end + 1)
        return {
            issue_id: [TrendPoint(hour * 3600.0, by_hour.get(hour, 0)) for hour in span]
            for issue_id, by_hour in counted.items()
        }

    def event(self, event_id: str) -> OccurrenceRow | None:
        """The occurrence with this event id, while it is kept."""
        return self._one_occurrence(schema.occurrences.c.event_id, event_id)

    def event_by_support_reference(self, reference: str) -> OccurrenceRow | None:
        """The occurrence that a user was told this reference of, while it is kept."""
        return self._one_occurrence(schema.occurrences.c.support_reference, reference)

    def _one_occurrence(self, column: Column[Any], value: str) -> OccurrenceRow | None:
        if not value or not_text(value):
            return None
        # the index holds only what is not empty: the database has to be told that this is not
        with reading(self._engine) as connection:
            newest = schema.occurrences.c.id.desc()
            query = _occurrence_rows().where(column == value, column != literal_column("''"))
            row = connection.execute(query.order_by(newest).limit(1)).first()
        return _occurrence(row) if row else None

    def services(self) -> list[tuple[str, str]]:
        """(namespace, name) of every service that sent an error, by name."""
        table = schema.services
        with reading(self._engine) as connection:
            rows = connection.execute(select(table.c.namespace, table.c.name).order_by(table.c.name, table.c.namespace))
            return [(row.namespace, row.name) for row in rows]

    def environments(self) -> list[str]:
        """Every environment that an error came from."""
        column = schema.issue_environments.c.environment
        with reading(self._engine) as connection:
            return list(connection.scalars(select(column).where(column != "").distinct().order_by(column)))

    def metrics_snapshot(self, **bounds: int) -> MetricsSnapshot:
        """Everything that the store's metrics say, bounded; see ``snapshot.take``."""
        with reading(self._engine) as connection:
            return snapshot.take(connection, **bounds)


# --- queries ---


def _issue_rows() -> Select[Any]:
    table, services = schema.issues, schema.services
    return (
        select(table, services.c.namespace, services.c.name)
        .join(services, services.c.id == table.c.service_id)
        .where(table.c.merged_into.is_(None))
    )


def _conditions(wanted: IssueFilter) -> list[Any]:
    table, services = schema.issues, schema.services
    for key in ("service_name", "service_namespace", "environment", "assignee", "search"):
        text = getattr(wanted, key)
        if text and not_text(text):
            raise IssueQueryError(f"{key}: {text!r:.80}: a text without NUL and without halves of characters is needed")
    conditions: list[Any] = [table.c.count > 0]
    if wanted.states:
        conditions.append(table.c.state.in_([one_of("state", state, STATES) for state in wanted.states]))
    if wanted.severities:
        known = [one_of("severity", severity, SEVERITIES) for severity in wanted.severities]
        conditions.append(table.c.severity.in_(known))
    if wanted.service_name:
        conditions.append(services.c.name == wanted.service_name)
    if wanted.service_namespace is not None:
        conditions.append(services.c.namespace == wanted.service_namespace)
    if wanted.assignee:
        conditions.append(table.c.assignee == wanted.assignee)
    if wanted.environment:
        seen = schema.issue_environments
        of_issue = seen.c.issue_id == table.c.id
        conditions.append(exists().where(of_issue, seen.c.environment == wanted.environment))
    for word in wanted.search.lower().split()[:MAX_SEARCH_WORDS]:
        conditions.append(table.c.search_text.contains(word, autoescape=True))
    return conditions


def _follow(connection: Connection, issue_id: str) -> str | None:
    if not_text(issue_id):
        return None
    table = schema.issues
    row = connection.execute(select(table.c.id, table.c.merged_into).where(table.c.id == issue_id)).first()
    return (row.merged_into or row.id) if row else None


def _with_fingerprints(connection: Connection, rows: Sequence[Row[Any]]) -> list[IssueRow]:
    table = schema.fingerprints
    of: dict[str, list[str]] = {row.id: [] for row in rows}
    for ids in chunks(list(of)):
        query = select(table.c.issue_id, table.c.fingerprint).where(table.c.issue_id.in_(ids))
        for issue_id, fingerprint in connection.execute(query.order_by(table.c.id)):
            of[issue_id].append(fingerprint)
    return [_issue(row, of[row.id]) for row in rows]


def _issue(row: Row[Any], fingerprints: Sequence[str]) -> IssueRow:
    return IssueRow(
        id=row.id,
        title=row.title,
        culprit=row.culprit,
        type=row.type,
        language=row.language,
        state=row.state,
        severity=row.severity,
        severity_set=row.severity_set,
        service_namespace=row.namespace,
        service_name=row.name,
        count=row._mapping["count"],
        users=row.users,
        first_seen=row.first_seen / 1e9,
        last_seen=row.last_seen / 1e9,
        created_at=row.created_at,
        changed_at=row.changed_at,
        unacknowledged_since=row.unacknowledged_since,
        assignee=row.assignee,
        team=row.team,
        fingerprints=tuple(fingerprints),
    )


def _detail(connection: Connection, issue_id: str) -> IssueDetail | None:
    table = schema.issues
    row = connection.execute(_issue_rows().where(table.c.id == issue_id)).first()
    if row is None:
        return None
    fingerprints = _fingerprints(connection, issue_id)
    seen = schema.issue_environments
    traced = seen.c.trace_id != ""
    last_trace = (
        select(seen.c.trace_id).where(seen.c.issue_id == issue_id, traced).order_by(seen.c.trace_time.desc()).limit(1)
    )
    merged = select(table.c.id).where(table.c.merged_into == issue_id).order_by(table.c.id)
    releases = [facet for facet in _facets(connection, issue_id, "release") if facet.name]
    return IssueDetail(
        issue=_issue(row, [fingerprint.fingerprint for fingerprint in fingerprints]),
        environments=_facets(connection, issue_id, "environment"),
        releases=releases,
        fingerprints=fingerprints,
        merged_issues=list(connection.scalars(merged)),
        resolved_at=row.resolved_at / 1e9 if row.resolved_at is not None else None,
        resolved_release=row.resolved_release,
        in_next_release=row.in_next_release,
        ignored_until=row.ignored_until,
        ignored_until_count=row.ignored_until_count,
        last_trace_id=connection.execute(last_trace).scalar() or "",
    )


def _fingerprints(connection: Connection, issue_id: str) -> list[FingerprintRow]:
    table, users = schema.fingerprints, schema.users
    of_issue = table.c.issue_id == issue_id
    distinct = func.count(func.distinct(users.c.pseudonym))
    query = select(users.c.fingerprint_id, distinct).join(table, table.c.id == users.c.fingerprint_id).where(of_issue)
    counted: dict[int, int] = {}
    for fingerprint_id, number in connection.execute(query.group_by(users.c.fingerprint_id)):
        counted[fingerprint_id] = number
    return [
        FingerprintRow(
            row.fingerprint, row._mapping["count"], counted.get(row.id, 0), row.first_seen / 1e9, row.last_seen / 1e9
        )
        for row in connection.execute(select(table).where(of_issue).order_by(table.c.id))
    ]


def _facets(connection: Connection, issue_id: str, name: str) -> list[FacetRow]:
    table, fingerprints = schema.series, schema.fingerprints
    column = table.c[name]
    first, last = func.min(table.c.first_seen), func.max(table.c.last_seen)
    query = (
        select(column, func.sum(table.c.count), first, last)
        .join(fingerprints, fingerprints.c.id == table.c.fingerprint_id)
        .where(fingerprints.c.issue_id == issue_id)
        .group_by(column)
        .order_by(first, column)
    )
    return [FacetRow(row[0], int(row[1]), row[2] / 1e9, row[3] / 1e9) for row in connection.execute(query)]


def _occurrence_rows() -> Select[Any]:
    table, fingerprints = schema.occurrences, schema.fingerprints
    return select(table, fingerprints.c.issue_id).join(fingerprints, fingerprints.c.id == table.c.fingerprint_id)


def _occurrence(row: Row[Any]) -> OccurrenceRow:
    return OccurrenceRow(row.id, row.issue_id, _events.decode(row.body), row.time / 1e9, row.received)
