"""Which occurrences are kept to look at: of each issue the first, the latest, and a sample of all.

The sample is drawn by a number made from the record's identity, so it is the same whatever the order of arrival. A
storm writes few bodies for each batch; the figures are exact all the same, they do not come from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from collector_processor.issues import schema
from collector_processor.issues.bulk import chunks, execute_many
from collector_processor.issues.directory import Placed

LATEST_PER_BATCH = 10
SAMPLE_PER_BATCH = 5

Kept = tuple[int, int, int]
"""(id, time, rank)"""
_INSERT = insert(schema.occurrences)
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


def choose(records: Sequence[Placed]) -> list[Placed]:
    """What of one issue's records in a batch is written at all."""
    if len(records) <= LATEST_PER_BATCH + SAMPLE_PER_BATCH:
        return list(records)
    by_time = sorted(records, key=lambda placed: (placed.time, placed.position))
    first, rest, latest = by_time[0], by_time[1:-LATEST_PER_BATCH], by_time[-LATEST_PER_BATCH:]
    return [first, *sorted(rest, key=lambda placed: placed.rank)[: SAMPLE_PER_BATCH - 1], *latest]


def store(
    connection: Connection, batch: Sequence[Placed], issue_of: Mapping[int, str], *, limit: int, now: float
) -> None:
    """Write the chosen ones of a batch's counted records, remove what is too many."""
    by_issue: dict[str, list[Placed]] = {}
    for placed in batch:
        if placed.counted:
            by_issue.setdefault(issue_of[placed.fingerprint_id], []).append(placed)
    rows = [_row(placed, now) for records in by_issue.values() for placed in choose(records)]
    if rows:
        execute_many(connection, _INSERT, rows)
        prune(connection, by_issue, limit=limit)


def _row(placed: Placed, now: float) -> dict[str, object]:
    event = placed.event
    body = _encoder.encode(event)
    return {
        "fingerprint_id": placed.fingerprint_id,
        "time": placed.time,
        "received": now,
        "rank": placed.rank,
        "event_id": event.event_id,
        "support_reference": event.support_reference,
        "trace_id": event.trace_id,
        "environment": event.environment,
        "size": len(body),
        "body": body,
    }


def prune(connection: Connection, issue_ids: Iterable[str], *, limit: int) -> None:
    """Bring issues down to ``limit`` once they are a tenth above it: removing one at a time would cost each batch."""
    table, fingerprints = schema.occurrences, schema.fingerprints
    crowded: list[str] = []
    for part in chunks(sorted(issue_ids)):
        query = (
            select(fingerprints.c.issue_id)
            .join(table, table.c.fingerprint_id == fingerprints.c.id)
            .where(fingerprints.c.issue_id.in_(part))
            .group_by(fingerprints.c.issue_id)
            .having(func.count() > limit + limit // 10)
        )
        crowded.extend(connection.scalars(query))
    for issue_id in crowded:
        rows = connection.execute(
            select(table.c.id, table.c.time, table.c.rank)
            .join(fingerprints, fingerprints.c.id == table.c.fingerprint_id)
            .where(fingerprints.c.issue_id == issue_id)
        )
        for part_ids in chunks(surplus([(row.id, row.time, row.rank) for row in rows], limit)):
            connection.execute(delete(table).where(table.c.id.in_(part_ids)))


def forget(connection: Connection, *, received_before: float, max_bytes: int) -> None:
    """Remove the bodies received before a time (s), then the oldest past ``max_bytes`` of all issues together."""
    table = schema.occurrences
    connection.execute(delete(table).where(table.c.received < received_before))
    while (connection.execute(select(func.sum(table.c.size))).scalar() or 0) > max_bytes:
        oldest = select(table.c.id).order_by(table.c.received, table.c.id).limit(chunk_of_oldest(connection))
        connection.execute(delete(table).where(table.c.id.in_(oldest)))


def chunk_of_oldest(connection: Connection) -> int:
    """A twentieth of all, so that few rounds are needed and little more goes than has to."""
    return max(1, (connection.execute(select(func.count()).select_from(schema.occurrences)).scalar() or 0) // 20)
