"""A batch of records becomes counts, issues and states: everything that happens to the store because of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from collector_processor.events import ErrorEvent
from collector_processor.issues import counts, occurrences, references, releases, schema, states, users
from collector_processor.issues.bulk import execute_many, one_of_values, select_in
from collector_processor.issues.counts import FingerprintChange
from collector_processor.issues.directory import Directory, Placed, effective_time
from collector_processor.issues.lifecycle import on_event, raise_severity
from collector_processor.issues.states import EVENTS_ACTOR, Activity, IssueRecord
from collector_processor.issues.tallying import tally

_RECEIVED = (
    update(schema.services).where(schema.services.c.id == bindparam("key")).values(last_received=bindparam("at"))
)
_table = schema.fingerprints
_ISSUES_OF = select(_table.c.id, _table.c.issue_id).where(one_of_values(_table.c.id))


class Counted(msgspec.Struct, frozen=True):
    """What became of a batch. Positions in order, issue ids without order."""

    counted: list[int]
    uncounted: list[int]
    """Copies of errors that were counted, and requests that came again."""
    created: list[str]
    regressed: list[str]
    new_identities: int


def count(
    connection: Connection,
    directory: Directory,
    records: Sequence[tuple[int, ErrorEvent]],
    *,
    now: float,
    window: float,
    occurrences_per_issue: int,
) -> Counted:
    """Count ``records`` (position, event) inside the caller's transaction."""
    now_ns = int(now * 1e9)
    batch = [Placed(position, event, effective_time(event, now_ns)) for position, event in records]
    services = directory.place_services(connection, batch, now)
    execute_many(connection, _RECEIVED, [{"key": service_id, "at": now} for service_id in services])
    directory.note_releases(connection, batch, now)
    born = directory.place_fingerprints(connection, batch)
    states.make_issues(connection, born.first, now)
    states.join_fingerprints(connection, born.joining)
    directory.place_series(connection, batch)
    growth = tally(connection, directory, batch, now=now, window=window)

    touched = {placed.fingerprint_id for placed in batch}
    touched.update(growth.series[series_id].fingerprint_id for series_id, _ in growth.places)
    issue_of = _issues_of(connection, touched)
    changes = counts.add_to_fingerprints(connection, batch, growth)
    counts.add_to_hours(connection, growth)
    counts.add_to_totals(connection, batch, growth)
    counts.add_to_environments(connection, batch, growth, issue_of)
    new_users = users.add_users(connection, directory, batch, issue_of)
    occurrences.store(connection, batch, issue_of, limit=occurrences_per_issue, now=now)
    references.note(connection, batch, now)
    created = {issue_of[fingerprint_id] for fingerprint_id in born.first}
    regressed = _live(connection, directory, batch, issue_of, changes, new_users, created, now)
    return Counted(
        counted=[placed.position for placed in batch if placed.counted],
        uncounted=[placed.position for placed in batch if not placed.counted],
        created=sorted(created),
        regressed=regressed,
        new_identities=growth.new_identities,
    )


def _issues_of(connection: Connection, fingerprint_ids: set[int]) -> dict[int, str]:
    return {row.id: row.issue_id for row in select_in(connection, _ISSUES_OF, sorted(fingerprint_ids))}


def _live(
    connection: Connection,
    directory: Directory,
    batch: Sequence[Placed],
    issue_of: Mapping[int, str],
    changes: Mapping[int, FingerprintChange],
    new_users: Mapping[str, int],
    created: set[str],
    now: float,
) -> list[str]:
    """Bring the issues up to date, and their states on; returns those that regressed."""
    records = states.load(connection, issue_of.values())
    counts_before = {record.id: record.count for record in records.values()}
    for fingerprint_id, change in changes.items():
        record = records[issue_of[fingerprint_id]]
        is_fresh = record.id in created and counts_before[record.id] == record.count == 0
        record.count += change.count
        record.first_seen = min(record.first_seen, change.first_seen)
        record.last_seen = max(record.last_seen, change.last_seen) if not is_fresh else change.last_seen
    for issue_id, added in new_users.items():
        records[issue_id].users += added
    activity: list[Activity] = []
    regressed: list[str] = []
    running = dict(counts_before)
    for placed in batch:
        record = records[issue_of[placed.fingerprint_id]]
        _raise_severity(record, placed, created, now, activity)
        if not placed.counted:
            continue
        running[record.id] += 1
        if record.state.state in ("resolved", "ignored"):
            _wake(connection, directory, record, placed, running[record.id], now, activity, regressed)
    states.save(connection, list(records.values()))
    states.note(connection, activity)
    return regressed


def _raise_severity(
    record: IssueRecord, placed: Placed, created: set[str], now: float, activity: list[Activity]
) -> None:
    raised = raise_severity(record.state, placed.event.severity)
    if raised is record.state:
        return
    if record.id not in created:
        change = (record.state.severity, raised.severity, "")
        activity.append((record.id, now, EVENTS_ACTOR, "severity", *change))
    record.state = raised


def _wake(
    connection: Connection,
    directory: Directory,
    record: IssueRecord,
    placed: Placed,
    running_count: int,
    now: float,
    activity: list[Activity],
    regressed: list[str],
) -> None:
    first_seen = directory.releases(connection, record.service_id)
    release = placed.event.release
    after = on_event(
        record.state,
        time=placed.time,
        release=release,
        count=running_count,
        now=now,
        is_older=lambda one, than: releases.is_older(one, than, first_seen),
    )
    if after is record.state:
        return
    note = f"release {release}" if release else ""
    activity.append((record.id, now, EVENTS_ACTOR, "regressed", record.state.state, after.state, note))
    record.state = after
    regressed.append(record.id)
