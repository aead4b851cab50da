"""What a batch adds to the counts, given what was counted within the window: the database side of ``identity``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from collector_processor.issues import schema
from collector_processor.issues.bulk import execute_many, one_of_values, select_in
from collector_processor.issues.directory import HOUR_NS, Directory, Placed, Series
from collector_processor.issues.identity import SIGNAL_RANK, Kind, Moment, Place, Tally, identity, overflow_key

REFRESH_SHARE = 16
"""A repeated delivery keeps its identity in the window; the row is rewritten when this share of the window has passed.
"""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Tally)
_INTEGER_LIMIT = 1 << 63

_table = schema.identities
_LOAD = select(_table.c.key, _table.c.seen, _table.c.tally).where(one_of_values(_table.c.key))
_INSERT = insert(_table)
_CHANGE = update(_table).where(_table.c.key == bindparam("k")).values(seen=bindparam("at"), tally=bindparam("now"))
_REFRESH = update(_table).where(_table.c.key == bindparam("k")).values(seen=bindparam("at"))


class Growth:
    """What the counts change by, place by place; negative where a later record moved an error elsewhere."""

    def __init__(self) -> None:
        self.places: dict[Place, int] = {}
        self.series: dict[int, Series] = {}
        """Every series in ``places``."""
        self.new_identities = 0

    def add(self, before: Mapping[Place, int], after: Mapping[Place, int]) -> None:
        places = self.places
        for place, errors in after.items():
            places[place] = places.get(place, 0) + errors
        for place, errors in before.items():
            places[place] = places.get(place, 0) - errors


def tally(
    connection: Connection, directory: Directory, batch: Sequence[Placed], *, now: float, window: float
) -> Growth:
    """Tell for each record whether it counts (``Placed.counted``), note its identity, and sum up what changes."""
    identities = [identity(placed.event) for placed in batch]
    keys = list(dict.fromkeys(key for _, key in identities))
    held = _load(connection, keys)
    overflowing = [
        overflow_key(key, _moment(placed))
        for placed, (kind, key) in zip(batch, identities, strict=True)
        if kind == "trace" and key in held and held[key][1].overflows
    ]
    if overflowing:
        held.update(_load(connection, list(dict.fromkeys(overflowing))))
    book = _Book(connection, directory, held, batch)
    for placed, (kind, key) in zip(batch, identities, strict=True):
        placed.rank = int.from_bytes(key[:7], "big") ^ (placed.time & 0xFFFFFFFF)
        book.enter(placed, kind, key)
    book.save(int(now), int(now - window / REFRESH_SHARE))
    return book.growth()


class _Book:
    """The tallies that a batch touches."""

    def __init__(
        self,
        connection: Connection,
        directory: Directory,
        held: dict[bytes, tuple[int, Tally]],
        batch: Sequence[Placed],
    ) -> None:
        self._connection = connection
        self._directory = directory
        self._held = held
        self._tallies: dict[bytes, Tally] = {key: value for key, (_, value) in held.items()}
        self._before: dict[bytes, dict[Place, int]] = {}
        self._changed: set[bytes] = set()
        self._repeated: set[bytes] = set()
        self._records: dict[bytes, Place] = {}
        self._overflow: set[bytes] = set()
        self._new_identities = 0
        self._series = {placed.series.id: placed.series for placed in batch}

    def enter(self, placed: Placed, kind: Kind, key: bytes) -> None:
        place = (placed.series.id, placed.time // HOUR_NS)
        if kind == "record":
            if key in self._tallies or key in self._records:
                self._repeated.add(key)
            else:
                self._records[key] = place
                placed.counted = True
            return
        moment = _moment(placed)
        known = self._tallies.get(key)
        if known is None:  # the first record of its group: it counts
            known = Tally(moments=[], places=[])
            self._tallies[key] = known
            self._before[key] = {}
            known.keep_first(moment, place) if kind == "event" else known.add(moment, place)
            self._changed.add(key)
            placed.counted = True
            return
        if kind == "event":
            if known.moments[0] <= moment:
                self._repeated.add(key)
                return
        elif known.knows(moment) or (known.overflows and self._overflowed(key, moment)):
            self._repeated.update((key, overflow_key(key, moment)) if known.overflows else (key,))
            return
        before = known.counted()
        self._before.setdefault(key, before)
        if kind == "event":
            known.keep_first(moment, place)
        else:
            known.add(moment, place)
            if known.overflows:
                self._overflow.add(overflow_key(key, moment))
        self._changed.add(key)
        placed.counted = self._grew(placed.fingerprint_id, before, known.counted())

    def _overflowed(self, key: bytes, moment: Moment) -> bool:
        of_moment = overflow_key(key, moment)
        return of_moment in self._held or of_moment in self._overflow

    def _grew(self, fingerprint_id: int, before: Mapping[Place, int], after: Mapping[Place, int]) -> bool:
        """Whether the fingerprint's own count grew: a copy that takes the place of another is no second occurrence."""
        self._know_series({series_id for series_id, _ in (*before, *after)})
        series = self._series

        def of(places: Mapping[Place, int]) -> int:
            return sum(errors for (sid, _), errors in places.items() if series[sid].fingerprint_id == fingerprint_id)

        return of(after) > of(before)

    def _know_series(self, ids: set[int]) -> None:
        missing = sorted(ids - self._series.keys())
        if missing:
            self._series.update(self._directory.series_by_id(self._connection, missing))

    def save(self, now: int, refresh_before: int) -> None:
        new: list[tuple[bytes, bytes]] = []
        changed: list[dict[str, object]] = []
        for key in self._changed:
            encoded = _encoder.encode(self._tallies[key])
            if key in self._held:
                changed.append({"k": key, "at": now, "now": encoded})
            else:
                new.append((key, encoded))
        # the key says it all for an overflow row and for a record without a group
        new.extend((key, _EMPTY) for key in (*self._records, *self._overflow))
        new.sort()  # neighbours in the table are written together
        execute_many(self._connection, _INSERT, [{"key": key, "seen": now, "tally": encoded} for key, encoded in new])
        execute_many(self._connection, _CHANGE, changed)
        repeated = [key for key in self._repeated - self._changed if key in self._held]
        stale = [{"k": key, "at": now} for key in repeated if self._held[key][0] < refresh_before]
        execute_many(self._connection, _REFRESH, stale)
        self._new_identities = len(new)

    def growth(self) -> Growth:
        growth = Growth()
        growth.new_identities = self._new_identities
        for key, before in self._before.items():
            growth.add(before, self._tallies[key].counted())
        for place in self._records.values():
            growth.places[place] = growth.places.get(place, 0) + 1
        growth.places = {place: errors for place, errors in growth.places.items() if errors}
        self._know_series({series_id for series_id, _ in growth.places})
        growth.series = self._series
        return growth


_EMPTY = _encoder.encode(Tally())


def _moment(placed: Placed) -> Moment:
    # as sent, not as corrected by a clock: a repeated delivery must give the same moment
    event = placed.event
    return SIGNAL_RANK[event.signal], min(event.time_unix_nano, _INTEGER_LIMIT - 1), event.ordinal


def _load(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, tuple[int, Tally]]:
    rows = select_in(connection, _LOAD, keys)
    return {bytes(row.key): (row.seen, _decoder.decode(row.tally)) for row in rows}


def forget_identities(connection: Connection, *, before: float, limit: int) -> int:
    """Remove up to ``limit`` identities last seen before a time (s), oldest first; returns how many."""
    table = schema.identities
    oldest = select(table.c.key).where(table.c.seen < int(before)).order_by(table.c.seen).limit(limit)
    return connection.execute(delete(table).where(table.c.key.in_(oldest))).rowcount
