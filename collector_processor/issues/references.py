"""Which event a support reference means: noted for every counted error, not only for those whose body is kept.

A row for each reference would cost a storm a page of a large index each. References stand in *segments* instead, some
thousand to a row and in the order of their coming: one write a batch. A look-up, which a person waits for, reads the
keys of every segment from the newest back; the rest only of the segment that has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, delete, insert, select

from collector_processor.issues import schema
from collector_processor.issues.database import reading
from collector_processor.issues.directory import Placed
from collector_processor.issues.queries import IssueQueries
from collector_processor.issues.rows import OccurrenceRow
from otel_errors.references import BadReference, parse_reference, reference_bytes

MAX_REFERENCES = 1_000_000
REFERENCE_DAYS = 90
SEGMENT_REFERENCES = 1_000
"""A segment that has so many takes no more; what came in one batch stays together."""
SEGMENT_SECONDS = 86_400
"""Nor one that was begun so long ago: segments are forgotten whole, when the newest in them is too old."""

KEY_BYTES: Final = 5
_HEX_ID: Final = 32

_table = schema.reference_segments
_NEWEST = select(_table).order_by(_table.c.first.desc()).limit(1)
_KEYS = select(_table.c.first, _table.c.reference_keys).order_by(_table.c.first.desc())
_ARRAY_32: Final = b"\xdd"


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What is noted of an event. Ids of 32 hex digits are kept as their 16 bytes, others as the texts that they are (a
    union that msgspec does not know)."""

    fingerprint_id: int
    time: int
    """Nanoseconds since 1970."""
    event_id: Any
    trace_id: Any


class Found(msgspec.Struct, frozen=True):
    """The event that a reference means."""

    issue_id: str
    event_id: str
    trace_id: str
    time: float
    service_name: str
    occurrence: OccurrenceRow | None
    """While it is kept."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Entry])


def key_of(text: str) -> bytes | None:
    """The key of a reference as somebody sent it, None of anything else."""
    try:
        return reference_bytes(text)
    except BadReference:
        return None


def written(text: str) -> str:
    """A reference as it is written everywhere, ``""`` for anything else."""
    try:
        return parse_reference(text)
    except BadReference:
        return ""


def note(connection: Connection, batch: Sequence[Placed], now: float) -> None:
    """Note the references of a batch's counted records, inside the caller's transaction."""
    keys: list[bytes] = []
    entries: list[bytes] = []
    for placed in batch:
        event = placed.event
        if not placed.counted or not event.support_reference:
            continue
        key = key_of(event.support_reference)
        if key is None:
            continue
        keys.append(key)
        entry = Entry(placed.fingerprint_id, placed.time, _packed(event.event_id), _packed(event.trace_id))
        entries.append(_encoder.encode(entry))
    if not keys:
        return
    first, begun, size = 1, now, len(keys)
    newest = connection.execute(_NEWEST).first()
    if newest is not None:
        first = newest.first + newest.size
        if newest.size < SEGMENT_REFERENCES and newest.begun <= now < newest.begun + SEGMENT_SECONDS:
            first, begun, size = newest.first, newest.begun, newest.size + size
            keys.insert(0, newest.reference_keys)
            entries.insert(0, newest.entries)
            connection.execute(delete(_table).where(_table.c.first == first))
    row = {"first": first, "size": size, "begun": begun, "received": now}
    connection.execute(insert(_table), {**row, "reference_keys": b"".join(keys), "entries": b"".join(entries)})
    if first + size > MAX_REFERENCES:
        connection.execute(delete(_table).where(_table.c.first < first + size - MAX_REFERENCES))


def forget(connection: Connection, *, received_before: float) -> None:
    """Remove the segments whose newest reference was received before a time (s)."""
    connection.execute(delete(_table).where(_table.c.received < received_before))


def look_up(queries: IssueQueries, engine: Engine, reference: str) -> Found | None:
    """The event that a reference means, the one counted last if there are two; None when the store has none, or has it
    no more. ``reference`` as ``otel_errors.references.parse_reference`` gives it. Raises ``StoreUnavailable``."""
    occurrence = queries.event_by_support_reference(reference)
    if occurrence is not None:
        event = occurrence.event
        return Found(
            occurrence.issue_id, event.event_id, event.trace_id, occurrence.time, event.service_name, occurrence
        )
    with reading(engine) as connection:
        entry = _find(connection, reference_bytes(reference))
        if entry is None:
            return None
        fingerprints, services = schema.fingerprints, schema.services
        query = select(fingerprints.c.issue_id, services.c.name).join(
            services, services.c.id == fingerprints.c.service_id
        )
        place = connection.execute(query.where(fingerprints.c.id == entry.fingerprint_id)).first()
        if place is None:
            return None
    ids = (_unpacked(entry.event_id), _unpacked(entry.trace_id))
    return Found(place.issue_id, *ids, entry.time / 1e9, place.name, None)


def _find(connection: Connection, key: bytes) -> Entry | None:
    for first, keys in connection.execute(_KEYS):
        at = _index(keys, key)
        if at is not None:
            segment = connection.execute(select(_table.c.size, _table.c.entries).where(_table.c.first == first)).one()
            return _decoder.decode(_ARRAY_32 + segment.size.to_bytes(4, "big") + segment.entries)[at]
    return None


def _index(keys: bytes, key: bytes) -> int | None:
    """Which of the keys it is, the last if it is there twice."""
    end = len(keys)
    while True:
        at = keys.rfind(key, 0, end)
        if at < 0:
            return None
        if at % KEY_BYTES == 0:
            return at // KEY_BYTES
        end = at + KEY_BYTES - 1


def _packed(text: str) -> str | bytes:
    if len(text) == _HEX_ID:
        try:
            packed = bytes.fromhex(text)
        except ValueError:
            return text
        if packed.hex() == text:
            return packed
    return text


def _unpacked(kept: str | bytes) -> str:
    return kept.hex() if isinstance(kept, bytes) else kept
