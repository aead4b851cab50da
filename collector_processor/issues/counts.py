"""Writing what a batch changes: one statement for each table, whatever the batch holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, bindparam, case, func, select, update

from collector_processor.issues import schema
from collector_processor.issues.database import upsert
from collector_processor.issues.directory import Placed, chunks
from collector_processor.issues.tallying import Growth

MAX_USERS = 10_000
"""Rows (pseudonym × environment) told apart for one fingerprint; further users are not counted."""
NEVER = 1 << 62


class FingerprintChange:
    """What a batch says about one fingerprint."""

    __slots__ = ("count", "first_seen", "last_seen")

    def __init__(self) -> None:
        self.count = 0
        self.first_seen = NEVER
        self.last_seen = 0

    def see(self, time: int) -> None:
        self.first_seen = min(self.first_seen, time)
        self.last_seen = max(self.last_seen, time)


def add_to_fingerprints(
    connection: Connection, batch: Sequence[Placed], growth: Growth
) -> dict[int, FingerprintChange]:
    """Counts and times per fingerprint and per series. Copies have times too, wherever their count went."""
    fingerprints: dict[int, FingerprintChange] = {}
    series: dict[int, FingerprintChange] = {}
    for placed in batch:
        for changes, key in ((fingerprints, placed.fingerprint_id), (series, placed.series.id)):
            change = changes.get(key)
            if change is None:
                change = changes[key] = FingerprintChange()
            change.see(placed.time)
    for (series_id, _), errors in growth.places.items():
        fingerprint_id = growth.series[series_id].fingerprint_id
        fingerprints.setdefault(fingerprint_id, FingerprintChange()).count += errors
        series.setdefault(series_id, FingerprintChange()).count += errors
    for table, changes in ((schema.fingerprints, fingerprints), (schema.series, series)):
        query = (
            update(table)
            .where(table.c.id == bindparam("key"))
            .values(
                count=table.c.count + bindparam("errors"),
                first_seen=_least(table.c.first_seen, bindparam("first")),
                last_seen=_greatest(table.c.last_seen, bindparam("last")),
            )
        )
        connection.execute(
            query,
            [
                {"key": key, "errors": change.count, "first": change.first_seen, "last": change.last_seen}
                for key, change in changes.items()
            ],
        )
    return fingerprints


def add_to_hours(connection: Connection, growth: Growth) -> None:
    """The trend of each fingerprint."""
    changes: dict[tuple[int, int], int] = {}
    for (series_id, hour), errors in growth.places.items():
        key = (growth.series[series_id].fingerprint_id, hour)
        changes[key] = changes.get(key, 0) + errors
    rows = [{"fingerprint_id": key[0], "hour": key[1], "count": errors} for key, errors in changes.items() if errors]
    if rows:
        query = upsert(connection, schema.hours)
        count = schema.hours.c.count + query.excluded.count
        connection.execute(
            query.on_conflict_do_update(index_elements=["fingerprint_id", "hour"], set_={"count": count}), rows
        )


def add_to_totals(connection: Connection, batch: Sequence[Placed], growth: Growth) -> None:
    """The exposed counters of events: they pay off what a correction took back before they grow again."""
    changes: dict[int, int] = {}
    for (series_id, _), errors in growth.places.items():
        total_id = growth.series[series_id].total_id
        changes[total_id] = changes.get(total_id, 0) + errors
    traces = _last_traces((placed.series.total_id, placed) for placed in batch)
    table = schema.event_totals
    query = update(table).where(table.c.id == bindparam("key")).values(_counter(table.c, bindparam("errors")))
    rows = [{"key": key, "errors": errors, **traces.get(key, _NO_TRACE)} for key, errors in changes.items() if errors]
    if rows:
        connection.execute(query, rows)


_NO_TRACE: Mapping[str, Any] = {"trace": "", "at": 0}


def _last_traces(records: Iterable[tuple[Any, Placed]]) -> dict[Any, Mapping[str, Any]]:
    return {
        key: {"trace": placed.event.trace_id, "at": placed.time}
        for key, placed in records
        if placed.counted and placed.event.trace_id
    }


def _counter(columns: Any, errors: Any) -> dict[str, Any]:
    grows = errors > columns.owed
    newer = bindparam("trace") != ""
    return {
        "total": case((grows, columns.total + errors - columns.owed), else_=columns.total),
        "owed": case((grows, 0), else_=columns.owed - errors),
        "trace_id": case((newer, bindparam("trace")), else_=columns.trace_id),
        "trace_time": case((newer, bindparam("at")), else_=columns.trace_time),
    }


def add_to_environments(
    connection: Connection, batch: Sequence[Placed], growth: Growth, issue_of: Mapping[int, str]
) -> None:
    """The figures of each issue in each environment, its exposed counter among them."""
    changes: dict[tuple[str, str], FingerprintChange] = {}
    for placed in batch:
        key = (issue_of[placed.fingerprint_id], placed.series.environment)
        change = changes.get(key)
        if change is None:
            change = changes[key] = FingerprintChange()
        change.see(placed.time)
    for (series_id, _), errors in growth.places.items():
        series = growth.series[series_id]
        changes.setdefault((issue_of[series.fingerprint_id], series.environment), FingerprintChange()).count += errors
    traces = _last_traces(((issue_of[p.fingerprint_id], p.series.environment), p) for p in batch)
    table = schema.issue_environments
    empty = {"total": 0, "owed": 0, "users": 0, "first_seen": NEVER, "last_seen": 0, "trace_id": "", "trace_time": 0}
    connection.execute(
        upsert(connection, table).on_conflict_do_nothing(),
        [{"issue_id": issue_id, "environment": environment, **empty} for issue_id, environment in changes],
    )
    query = (
        update(table)
        .where(table.c.issue_id == bindparam("key"), table.c.environment == bindparam("of"))
        .values(
            **_counter(table.c, bindparam("errors")),
            first_seen=_least(table.c.first_seen, bindparam("first")),
            last_seen=_greatest(table.c.last_seen, bindparam("last")),
        )
    )
    rows = []
    for (issue_id, environment), change in changes.items():
        row = {"key": issue_id, "of": environment, "errors": change.count}
        seen = {"first": change.first_seen, "last": change.last_seen}
        rows.append({**row, **seen, **traces.get((issue_id, environment), _NO_TRACE)})
    connection.execute(query, rows)


def add_users(connection: Connection, batch: Sequence[Placed], issue_of: Mapping[int, str]) -> dict[str, int]:
    """Note the pseudonyms; returns how many new users each issue has, and counts them per environment."""
    wanted = {(p.fingerprint_id, p.event.user, p.series.environment) for p in batch if p.event.user}
    if not wanted:
        return {}
    table, fingerprints = schema.users, schema.fingerprints
    room: dict[int, int] = {}
    for ids in chunks(sorted({fingerprint_id for fingerprint_id, _, _ in wanted})):
        query = select(fingerprints.c.id, fingerprints.c.user_rows).where(fingerprints.c.id.in_(ids))
        room.update({row.id: MAX_USERS - row.user_rows for row in connection.execute(query)})
    rows = [
        {"fingerprint_id": fingerprint_id, "pseudonym": user, "environment": environment}
        for fingerprint_id, user, environment in sorted(wanted)
        if room[fingerprint_id] > 0
    ]
    if not rows:
        return {}
    insert = upsert(connection, table).on_conflict_do_nothing().returning(*table.c)
    added = [(row.fingerprint_id, row.pseudonym, row.environment) for row in connection.execute(insert, rows)]
    if not added:
        return {}
    grown: dict[int, int] = {}
    by_issue: dict[str, list[tuple[str, str]]] = {}
    for fingerprint_id, user, environment in added:
        grown[fingerprint_id] = grown.get(fingerprint_id, 0) + 1
        by_issue.setdefault(issue_of[fingerprint_id], []).append((user, environment))
    connection.execute(
        update(fingerprints)
        .where(fingerprints.c.id == bindparam("key"))
        .values(user_rows=fingerprints.c.user_rows + bindparam("rows")),
        [{"key": key, "rows": rows} for key, rows in grown.items()],
    )
    return {issue_id: _count_new_users(connection, issue_id, pairs) for issue_id, pairs in by_issue.items()}


def _count_new_users(connection: Connection, issue_id: str, added: Sequence[tuple[str, str]]) -> int:
    """Of the (user, environment) rows just added, what was not there in another fingerprint or environment."""
    table, fingerprints = schema.users, schema.fingerprints
    stored: dict[tuple[str, str], int] = {}
    for names in chunks(sorted({user for user, _ in added})):
        query = (
            select(table.c.pseudonym, table.c.environment, func.count())
            .join(fingerprints, fingerprints.c.id == table.c.fingerprint_id)
            .where(fingerprints.c.issue_id == issue_id, table.c.pseudonym.in_(names))
            .group_by(table.c.pseudonym, table.c.environment)
        )
        for user, environment, rows in connection.execute(query):
            stored[user, environment] = rows
    mine: dict[tuple[str, str], int] = {}
    for pair in added:
        mine[pair] = mine.get(pair, 0) + 1
    new_pairs = [pair for pair in mine if stored[pair] == mine[pair]]
    per_environment: dict[str, int] = {}
    for _, environment in new_pairs:
        per_environment[environment] = per_environment.get(environment, 0) + 1
    environments = schema.issue_environments
    for environment, users in per_environment.items():
        connection.execute(
            update(environments)
            .where(environments.c.issue_id == issue_id, environments.c.environment == environment)
            .values(users=environments.c.users + users)
        )
    all_stored: dict[str, int] = {}
    for (user, _), rows in stored.items():
        all_stored[user] = all_stored.get(user, 0) + rows
    all_mine: dict[str, int] = {}
    for (user, _), rows in mine.items():
        all_mine[user] = all_mine.get(user, 0) + rows
    return sum(all_stored[user] == rows for user, rows in all_mine.items())


def _least(column: Column[Any], value: Any) -> Any:
    return case((value < column, value), else_=column)


def _greatest(column: Column[Any], value: Any) -> Any:
    return case((value > column, value), else_=column)
