"""How far queue files were counted and pushed to sinks. In the store, so that they change with the counts or not at
all.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from collector_processor.events import ErrorEvent
from collector_processor.issues import schema
from collector_processor.issues.bulk import chunks
from collector_processor.issues.database import upsert
from collector_processor.sink import SinkRecord


def counted_upto(connection: Connection, queue_id: str) -> int:
    """The last position that was counted; 0 at the start."""
    table = schema.queue_positions
    return connection.execute(select(table.c.position).where(table.c.queue_id == queue_id)).scalar() or 0


def set_counted(connection: Connection, queue_id: str, position: int) -> None:
    query = upsert(connection.dialect.name, schema.queue_positions).values(queue_id=queue_id, position=position)
    connection.execute(query.on_conflict_do_update(index_elements=["queue_id"], set_={"position": position}))


def pushed_upto(connection: Connection, sink: str, queue_id: str) -> tuple[int, int]:
    """The last position that a sink has, and how many records of this queue it lost for good; (0, 0) at the start."""
    table = schema.sink_positions
    where = (table.c.sink == sink, table.c.queue_id == queue_id)
    row = connection.execute(select(table.c.position, table.c.dropped).where(*where)).first()
    return (row.position, row.dropped) if row else (0, 0)


def set_pushed(connection: Connection, sink: str, queue_id: str, position: int, dropped: int) -> None:
    """Move a sink's cursor; ``dropped`` is added to what it lost before."""
    table = schema.sink_positions
    query = upsert(connection.dialect.name, table).values(
        sink=sink, queue_id=queue_id, position=position, dropped=dropped
    )
    connection.execute(
        query.on_conflict_do_update(
            index_elements=["sink", "queue_id"],
            set_={"position": position, "dropped": table.c.dropped + query.excluded.dropped},
        )
    )


def note_uncounted(connection: Connection, queue_id: str, positions: Sequence[int]) -> None:
    """Records that sinks must not show: copies, and requests that came again."""
    if positions:
        query = insert(schema.uncounted)
        connection.execute(query, [{"queue_id": queue_id, "position": position} for position in positions])


def forget_uncounted(connection: Connection, queue_id: str, upto: int) -> None:
    table = schema.uncounted
    connection.execute(delete(table).where(table.c.queue_id == queue_id, table.c.position <= upto))


def for_sink(connection: Connection, queue_id: str, records: Sequence[tuple[int, ErrorEvent]]) -> list[SinkRecord]:
    """The counted ones of ``records`` (in order) with the issue that each belongs to now.

    Records of fingerprints that the store does not know (it was made anew) are left out too.
    """
    if not records:
        return []
    table = schema.uncounted
    between = (table.c.position >= records[0][0], table.c.position <= records[-1][0])
    left_out = set(connection.scalars(select(table.c.position).where(table.c.queue_id == queue_id, *between)))
    fingerprints, services = schema.fingerprints, schema.services
    issue_of: dict[tuple[str, str, str], str] = {}
    for names in chunks(sorted({event.fingerprint for _, event in records})):
        query = (
            select(services.c.namespace, services.c.name, fingerprints.c.fingerprint, fingerprints.c.issue_id)
            .join(services, services.c.id == fingerprints.c.service_id)
            .where(fingerprints.c.fingerprint.in_(names))
        )
        for namespace, name, fingerprint, issue_id in connection.execute(query):
            issue_of[namespace, name, fingerprint] = issue_id
    found = []
    for position, event in records:
        issue_id = issue_of.get((event.service_namespace, event.service_name, event.fingerprint))
        if issue_id is not None and position not in left_out:
            found.append(SinkRecord(event, issue_id, position))
    return found
