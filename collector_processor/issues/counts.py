"""Writing what a batch changes: one statement for each table, whatever the batch holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Insert, Table, Update, bindparam, case, literal_column, update

from collector_processor.issues import schema
from collector_processor.issues.bulk import execute_many
from collector_processor.issues.database import upsert
from collector_processor.issues.directory import Placed
from collector_processor.issues.tallying import Growth

NEVER = 1 << 62


def _least(column: Column[Any], value: Any) -> Any:
    return case((value < column, value), else_=column)


def _greatest(column: Column[Any], value: Any) -> Any:
    return case((value > column, value), else_=column)


def _counter(columns: Any, errors: Any) -> dict[str, Any]:
    grows = errors > columns.owed
    newer = bindparam("trace") != literal_column("''")
    return {
        "total": case((grows, columns.total + errors - columns.owed), else_=columns.total),
        "owed": case((grows, literal_column("0")), else_=columns.owed - errors),
        "trace_id": case((newer, bindparam("trace")), else_=columns.trace_id),
        "trace_time": case((newer, bindparam("at")), else_=columns.trace_time),
    }


def _counting(table: Table) -> Update:
    values = {
        "count": table.c.count + bindparam("errors"),
        "first_seen": _least(table.c.first_seen, bindparam("first")),
        "last_seen": _greatest(table.c.last_seen, bindparam("last")),
    }
    return update(table).where(table.c.id == bindparam("key")).values(values)


_totals, _environments = schema.event_totals.c, schema.issue_environments.c
_COUNT_FINGERPRINTS = _counting(schema.fingerprints)
_COUNT_SERIES = _counting(schema.series)
_COUNT_TOTALS = (
    update(schema.event_totals).where(_totals.id == bindparam("key")).values(_counter(_totals, bindparam("errors")))
)
_COUNT_ENVIRONMENTS = (
    update(schema.issue_environments)
    .where(_environments.issue_id == bindparam("key"), _environments.environment == bindparam("of"))
    .values(
        **_counter(_environments, bindparam("errors")),
        first_seen=_least(_environments.first_seen, bindparam("first")),
        last_seen=_greatest(_environments.last_seen, bindparam("last")),
    )
)


@lru_cache
def _count_hours(dialect: str) -> Insert:
    query = upsert(dialect, schema.hours)
    count = schema.hours.c.count + query.excluded.count
    made: Insert = query.on_conflict_do_update(index_elements=["fingerprint_id", "hour"], set_={"count": count})
    return made


@lru_cache
def _make_environments(dialect: str) -> Insert:
    made: Insert = upsert(dialect, schema.issue_environments).on_conflict_do_nothing()
    return made


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
    for statement, changes in ((_COUNT_FINGERPRINTS, fingerprints), (_COUNT_SERIES, series)):
        rows = [
            {"key": key, "errors": change.count, "first": change.first_seen, "last": change.last_seen}
            for key, change in changes.items()
        ]
        execute_many(connection, statement, rows)
    return fingerprints


def add_to_hours(connection: Connection, growth: Growth) -> None:
    """The trend of each fingerprint."""
    changes: dict[tuple[int, int], int] = {}
    for (series_id, hour), errors in growth.places.items():
        key = (growth.series[series_id].fingerprint_id, hour)
        changes[key] = changes.get(key, 0) + errors
    rows = [{"fingerprint_id": key[0], "hour": key[1], "count": errors} for key, errors in changes.items() if errors]
    execute_many(connection, _count_hours(connection.dialect.name), rows)


def add_to_totals(connection: Connection, batch: Sequence[Placed], growth: Growth) -> None:
    """The exposed counters of events: they pay off what a correction took back before they grow again."""
    changes: dict[int, dict[int, int]] = {}
    for (series_id, _), errors in growth.places.items():
        series = growth.series[series_id]
        totals = changes.setdefault(series.fingerprint_id, {})
        totals[series.total_id] = totals.get(series.total_id, 0) + errors
    sums: dict[int, int] = {}
    for totals in changes.values():
        for total_id, errors in without_moves(totals).items():
            sums[total_id] = sums.get(total_id, 0) + errors
    traces = _last_traces((placed.series.total_id, placed) for placed in batch)
    rows = [{"key": key, "errors": errors, **traces.get(key, _NO_TRACE)} for key, errors in sums.items() if errors]
    execute_many(connection, _COUNT_TOTALS, rows)


def without_moves(changes: Mapping[int, int]) -> dict[int, int]:
    """The changes of one bug's counters without what one lost to another.

    A later copy of an error may say that it was unhandled after all, or worse. What was exposed cannot be taken back
    from a counter, and exposing it under the new labels as well would show one error twice: it stays where it is.
    """
    lost = -sum(errors for errors in changes.values() if errors < 0)
    kept = {key: errors for key, errors in changes.items() if errors > 0}
    for key in sorted(kept):
        moved = min(lost, kept[key])
        kept[key] -= moved
        lost -= moved
    for key in sorted(key for key, errors in changes.items() if errors < 0):
        kept[key] = max(changes[key], -lost)
        lost += kept[key]
    return kept


_NO_TRACE: Mapping[str, Any] = {"trace": "", "at": 0}


def _last_traces(records: Iterable[tuple[Any, Placed]]) -> dict[Any, Mapping[str, Any]]:
    return {
        key: {"trace": placed.event.trace_id, "at": placed.time}
        for key, placed in records
        if placed.counted and placed.event.trace_id
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
    empty = {"total": 0, "owed": 0, "users": 0, "first_seen": NEVER, "last_seen": 0, "trace_id": "", "trace_time": 0}
    execute_many(
        connection,
        _make_environments(connection.dialect.name),
        [{"issue_id": issue_id, "environment": environment, **empty} for issue_id, environment in changes],
    )
    rows = []
    for (issue_id, environment), change in changes.items():
        row = {"key": issue_id, "of": environment, "errors": change.count}
        seen = {"first": change.first_seen, "last": change.last_seen}
        rows.append({**row, **seen, **traces.get((issue_id, environment), _NO_TRACE)})
    execute_many(connection, _COUNT_ENVIRONMENTS, rows)
