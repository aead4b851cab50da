"""Which occurrences are kept to look at: of each issue the first, the latest, and a sample of all.

The sample is drawn by a number made from the record's identity, so it is the same whatever the order of arrival. A
storm writes few bodies for each batch; the figures are exact all the same, they do not come from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from collector_processor.issues import schema
from collector_processor.issues.bulk import CHUNK, chunks, execute_many, one_of_values, select_in
from collector_processor.issues.directory import Placed
from collector_processor.issues.references import written

PER_BATCH = (10, 5)
PER_BATCH_WHEN_FULL = (2, 2)
"""(latest, sample) written of one issue for one batch."""

Kept = tuple[int, int, int]
"""(id, time, rank)"""

_fingerprints = schema.fingerprints
_of_issues = schema.occurrences.join(_fingerprints, schema.occurrences.c.fingerprint_id == _fingerprints.c.id)
_INSERT = insert(schema.occurrences)
_HELD = (
    select(_fingerprints.c.issue_id, func.count().label("held"))
    .select_from(_of_issues)
    .where(one_of_values(_fingerprints.c.issue_id))
    .group_by(_fingerprints.c.issue_id)
)
_KEPT = (
    select(_fingerprints.c.issue_id, schema.occurrences.c.id, schema.occurrences.c.time, schema.occurrences.c.rank)
    .select_from(_of_issues)
    .where(one_of_values(_fingerprints.c.issue_id))
)
_encoder = msgspec.msgpack.Encoder()


def surplus(kept: Sequence[Kept], limit: int) -> list[int]:
    """Ids to remove so that ``limit`` stay: the first by time, then the latest for half of the rest, then the lowest
    ranks."""
    if len(kept) <= limit:
        return []
    by_time = sorted(kept, key=lambda row: (row[1], row[0]))
    head = by_time[:1] if limit > 1 else []
    rest = by_time[len(head) :]
    latest = (limit - len(head) + 1) // 2
    sample = sorted(rest[: len(rest) - latest], key=lambda row: (row[2], row[0]))
    return [row[0] for row in sample[limit - len(head) - latest :]]


def choose(records: Sequence[Placed], *, full: bool) -> list[Placed]:
    """What of one issue's records in a batch is written at all: less for an issue that has its share already."""
    latest_wanted, sample_wanted = PER_BATCH_WHEN_FULL if full else PER_BATCH
    if len(records) <= latest_wanted + sample_wanted:
        return list(records)
    by_time = sorted(records, key=lambda placed: (placed.time, placed.position))
    first, rest, latest = by_time[0], by_time[1:-latest_wanted], by_time[-latest_wanted:]
    return [first, *sorted(rest, key=lambda placed: placed.rank)[: sample_wanted - 1], *latest]


def store(
    connection: Connection, batch: Sequence[Placed], issue_of: Mapping[int, str], *, limit: int, now: float
) -> None:
    """Write the chosen ones of a batch's counted records, remove what is too many."""
    by_issue: dict[str, list[Placed]] = {}
    for placed in batch:
        if placed.counted:
            by_issue.setdefault(issue_of[placed.fingerprint_id], []).append(placed)
    held = {row.issue_id: row.held for row in select_in(connection, _HELD, by_issue)}
    rows: list[dict[str, object]] = []
    for issue_id, records in by_issue.items():
        chosen = choose(records, full=held.get(issue_id, 0) >= limit)
        held[issue_id] = held.get(issue_id, 0) + len(chosen)
        rows.extend(_row(placed, now) for placed in chosen)
    execute_many(connection, _INSERT, rows)
    # once an issue is a tenth above: removing one at a time would cost each batch
    crowded = [issue_id for issue_id in by_issue if held[issue_id] > limit + limit // 10]
    kept: dict[str, list[Kept]] = {}
    for row in select_in(connection, _KEPT, crowded):
        kept.setdefault(row.issue_id, []).append((row.id, row.time, row.rank))
    for ids in chunks([gone for rows_of_issue in kept.values() for gone in surplus(rows_of_issue, limit)]):
        connection.execute(delete(schema.occurrences).where(schema.occurrences.c.id.in_(ids)))


def _row(placed: Placed, now: float) -> dict[str, object]:
    event = placed.event
    body = _encoder.encode(event)
    return {
        "fingerprint_id": placed.fingerprint_id,
        "time": placed.time,
        "received": now,
        "rank": placed.rank,
        "event_id": event.event_id,
        "support_reference": written(event.support_reference),
        "trace_id": event.trace_id,
        "environment": event.environment,
        "size": len(body),
        "body": body,
    }


def forget(connection: Connection, *, received_before: float, max_bytes: int) -> None:
    """Remove the bodies received before a time (s), then the oldest past ``max_bytes`` of all issues together."""
    table = schema.occurrences
    while True:  # ids follow the time of arrival
        oldest = connection.execute(select(table.c.id, table.c.received).order_by(table.c.id).limit(CHUNK)).all()
        past = [row.id for row in oldest if row.received < received_before]
        if not past:
            break
        connection.execute(delete(table).where(table.c.id <= past[-1]))
    rows = connection.execute(select(func.count()).select_from(table)).scalar() or 0
    while (connection.execute(select(func.sum(table.c.size))).scalar() or 0) > max_bytes:
        # a twentieth at a time: few rounds, and little more goes than has to
        part = select(table.c.id).order_by(table.c.id).limit(max(1, rows // 20))
        connection.execute(delete(table).where(table.c.id.in_(part)))
