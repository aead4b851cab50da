"""Where a record counts: the rows of services, fingerprints and series, made when they are missing.

One process writes the store, and it writes these rows only under the write lock: it numbers them itself and remembers
them. What changes in other ways (which issue a fingerprint belongs to) is never remembered. After a transaction that
failed everything is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, select

from collector_processor.events import ErrorEvent
from collector_processor.issues import schema
from collector_processor.issues.bulk import chunks, execute_many, one_of_values, select_in

MAX_REMEMBERED = 200_000
MAX_KNOWN_USERS = 50_000
MAX_SERIES_PER_FINGERPRINT = 1_000
"""Environments × releases × …, chosen by senders: what comes past it counts under ``other``."""
MAX_RELEASES_PER_SERVICE = 1_000
OTHER = "other"
FUTURE_TOLERANCE_NS = 600 * 10**9
"""A sender's clock may run ahead by this; a time further ahead is replaced by the processor's."""
HOUR_NS = 3600 * 10**9
MAX_KEY_BYTES = 800
"""Of a text that is part of a key: three of them have to fit into one entry of an index of PostgreSQL."""

_HANDLED = {True: 1, False: 0, None: -1}

_table = schema.fingerprints
_FINGERPRINTS = select(_table.c.id, _table.c.service_id, _table.c.fingerprint).where(
    one_of_values(_table.c.fingerprint)
)
_SERIES_OF = select(schema.series).where(one_of_values(schema.series.c.fingerprint_id))
_SERIES_BY_ID = select(schema.series).where(one_of_values(schema.series.c.id))
_INSERT_SERIES = insert(schema.series)
_INSERT_TOTALS = insert(schema.event_totals)

SeriesKey = tuple[int, str, str, str, str, int]
"""(fingerprint id, environment, release, type, severity, handled)"""
_SERIES_NAMES = ("fingerprint_id", "environment", "release", "type", "severity", "handled")


class Series(NamedTuple):
    id: int
    fingerprint_id: int
    environment: str
    total_id: int


class Placed:
    """A record of a batch and where it counts."""

    __slots__ = ("counted", "event", "fingerprint_id", "position", "rank", "series", "service_id", "time")

    def __init__(self, position: int, event: ErrorEvent, time: int) -> None:
        self.position = position
        self.event = event
        self.time = time
        """Nanoseconds: the event's, or the processor's when that cannot be."""
        self.service_id = 0
        self.fingerprint_id = 0
        self.series: Series
        self.rank = 0
        self.counted = False
        """Its issue counts one more error because of it: it is neither a copy nor a repeated delivery."""


class Born(NamedTuple):
    """Fingerprint rows to be made."""

    first: dict[int, Placed]
    """Id → its first record, of those that need an issue of their own."""
    joining: dict[int, tuple[int, str, Placed]]
    """Id → the fingerprint row whose issue it comes into, its name, its first record."""


def _names(placed: Placed) -> list[tuple[int, str]]:
    """The keys of a record's fingerprint and of what earlier rules made of it."""
    event, service_id = placed.event, placed.service_id
    return [(service_id, name) for name in (event.fingerprint, *event.earlier_fingerprints)]


def key_text(text: str) -> str:
    """The text, or as much of its beginning as fits into a key."""
    if len(text) <= MAX_KEY_BYTES // 4:
        return text
    return text.encode("utf-8", "replace")[:MAX_KEY_BYTES].decode("utf-8", "ignore")


def effective_time(event: ErrorEvent, now_ns: int) -> int:
    """The event's time; ``now_ns`` when it has none, or one that no clock error explains."""
    return event.time_unix_nano if 0 < event.time_unix_nano <= now_ns + FUTURE_TOLERANCE_NS else now_ns


class Directory:
    """The rows that records hang on, by name; remembers ids between batches."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._services: dict[tuple[str, str], int] = {}
        self._releases: dict[int, dict[str, int]] = {}
        self._fingerprints: dict[tuple[int, str], int] = {}
        self._series: dict[SeriesKey, Series] = {}
        self._next: dict[str, int] = {}
        self.known_users: set[tuple[int, str, str]] = set()
        """Rows of ``users`` that are there for certain, or for which there is no room."""

    def know_users(self, rows: set[tuple[int, str, str]]) -> None:
        if len(self.known_users) > MAX_KNOWN_USERS:
            self.known_users.clear()
        self.known_users |= rows

    def _trim(self) -> None:
        if len(self._series) > MAX_REMEMBERED or len(self._fingerprints) > MAX_REMEMBERED:
            self.forget()

    def _take_ids(self, connection: Connection, table: str, number: int) -> range:
        if table not in self._next:
            column = schema.metadata.tables[table].c.id
            self._next[table] = (connection.execute(select(func.max(column))).scalar() or 0) + 1
        first = self._next[table]
        self._next[table] = first + number
        return range(first, first + number)

    # --- services and releases ---

    def place_services(self, connection: Connection, batch: Sequence[Placed], now: float) -> set[int]:
        """Give every record its service; returns the ids of those in the batch."""
        self._trim()
        for placed in batch:
            key = (placed.event.service_namespace, placed.event.service_name)
            service_id = self._services.get(key)
            if service_id is None:
                service_id = self._services[key] = self._service(connection, key, now)
            placed.service_id = service_id
        return {placed.service_id for placed in batch}

    def _service(self, connection: Connection, key: tuple[str, str], now: float) -> int:
        table = schema.services
        found = connection.execute(
            select(table.c.id).where(table.c.namespace == key[0], table.c.name == key[1])
        ).scalar()
        if found is not None:
            return int(found)
        service_id = self._take_ids(connection, "services", 1)[0]
        row = {"id": service_id, "namespace": key[0], "name": key[1], "last_received": now}
        connection.execute(insert(table), row)
        return service_id

    def note_releases(self, connection: Connection, batch: Sequence[Placed], now: float) -> None:
        """Keep when each service was first seen with each release."""
        earliest: dict[tuple[int, str], int] = {}
        for placed in batch:
            if placed.event.release:
                key = (placed.service_id, placed.event.release)
                if placed.time < earliest.get(key, 1 << 63):
                    earliest[key] = placed.time
        table = schema.releases
        for (service_id, release), time in earliest.items():
            known = self.releases(connection, service_id)
            if release not in known:
                if len(known) >= MAX_RELEASES_PER_SERVICE:
                    oldest = min(known, key=lambda name: known[name])
                    connection.execute(delete(table).where(table.c.service_id == service_id, table.c.release == oldest))
                    del known[oldest]
                row = {"service_id": service_id, "release": release, "first_seen": time, "first_received": now}
                connection.execute(insert(table), row)
            elif time < known[release]:
                where = (table.c.service_id == service_id, table.c.release == release)
                connection.execute(table.update().where(*where).values(first_seen=time))
            else:
                continue
            known[release] = time

    def releases(self, connection: Connection, service_id: int) -> dict[str, int]:
        """Release → when (ns) the service was first seen with it."""
        if service_id not in self._releases:
            self._releases[service_id] = read_releases(connection, service_id)
        return self._releases[service_id]

    # --- fingerprints ---

    def place_fingerprints(self, connection: Connection, batch: Sequence[Placed]) -> Born:
        """Give every record its fingerprint row's id. The caller makes the rows that are not there yet, because they
        need an issue.

        A fingerprint that is new comes into the issue of the record's earlier fingerprints, when one of them has an
        issue; those that are new themselves come along, for receivers that do not know the newer rules yet.
        """
        missing = [key for placed in batch for key in _names(placed) if key not in self._fingerprints]
        if missing:
            for row in select_in(connection, _FINGERPRINTS, sorted({fingerprint for _, fingerprint in missing})):
                self._fingerprints[row.service_id, row.fingerprint] = row.id
        born = Born({}, {})
        for placed in batch:
            if missing:
                self._bear(connection, placed, born)
            placed.fingerprint_id = self._fingerprints[placed.service_id, placed.event.fingerprint]
        return born

    def _bear(self, connection: Connection, placed: Placed, born: Born) -> None:
        names = _names(placed)
        home = next((self._fingerprints[key] for key in names if key in self._fingerprints), 0)
        for key in names:
            if key in self._fingerprints:
                continue
            fingerprint_id = self._fingerprints[key] = self._take_ids(connection, "fingerprints", 1)[0]
            if home:
                born.joining[fingerprint_id] = (home, key[1], placed)
            else:
                born.first[fingerprint_id] = placed
                home = fingerprint_id

    # --- series ---

    def place_series(self, connection: Connection, batch: Sequence[Placed]) -> None:
        """Give every record its series; all fingerprint rows must be there."""
        keys: list[SeriesKey] = []
        missing: dict[SeriesKey, Placed] = {}
        for placed in batch:
            event = placed.event
            key: SeriesKey = (
                placed.fingerprint_id,
                key_text(event.environment),
                key_text(event.release),
                key_text(event.type),
                event.severity,
                _HANDLED[event.handled],
            )
            keys.append(key)
            if key not in self._series:
                missing.setdefault(key, placed)
        if missing:
            self._find_or_make_series(connection, missing)
        for key, placed in zip(keys, batch, strict=True):
            placed.series = self._series[key]

    def _find_or_make_series(self, connection: Connection, missing: dict[SeriesKey, Placed]) -> None:
        held: dict[int, int] = {}
        for row in select_in(connection, _SERIES_OF, sorted({key[0] for key in missing})):
            found = (row.fingerprint_id, row.environment, row.release, row.type, row.severity, row.handled)
            self._series[found] = _series(row)
            held[row.fingerprint_id] = held.get(row.fingerprint_id, 0) + 1
        rows: dict[SeriesKey, Placed] = {}
        collapsed: dict[SeriesKey, SeriesKey] = {}
        for key, placed in missing.items():
            if key in self._series:
                continue
            if held.get(key[0], 0) >= MAX_SERIES_PER_FINGERPRINT:
                collapsed[key] = (key[0], OTHER, OTHER, OTHER, key[4], key[5])
                if collapsed[key] in self._series or collapsed[key] in rows:
                    continue
                rows[collapsed[key]] = placed
            else:
                rows[key] = placed
            held[key[0]] = held.get(key[0], 0) + 1
        if rows:
            totals = self._totals(connection, [(placed.service_id, key) for key, placed in rows.items()])
            values: list[dict[str, object]] = []
            for series_id, (key, placed) in zip(
                self._take_ids(connection, "series", len(rows)), rows.items(), strict=True
            ):
                total_id = totals[placed.service_id, key[1], key[3], key[4], key[5]]
                self._series[key] = Series(series_id, key[0], key[1], total_id)
                names = dict(zip(_SERIES_NAMES, key, strict=True))
                seen = {"first_seen": placed.time, "last_seen": placed.time}
                values.append({"id": series_id, "total_id": total_id, "count": 0, **names, **seen})
            execute_many(connection, _INSERT_SERIES, values)
        for key, target in collapsed.items():
            self._series[key] = self._series[target]

    def _totals(
        self, connection: Connection, wanted: Sequence[tuple[int, SeriesKey]]
    ) -> dict[tuple[int, str, str, str, int], int]:
        table = schema.event_totals
        keys = {(service_id, key[1], key[3], key[4], key[5]) for service_id, key in wanted}
        found: dict[tuple[int, str, str, str, int], int] = {}
        for types in chunks(sorted({key[2] for key in keys})):
            query = select(table).where(table.c.service_id.in_({key[0] for key in keys}), table.c.type.in_(types))
            for row in connection.execute(query):
                found[row.service_id, row.environment, row.type, row.severity, row.handled] = row.id
        new = sorted(keys - found.keys())
        if new:
            names = ("service_id", "environment", "type", "severity", "handled")
            zero = {"total": 0, "owed": 0, "trace_id": "", "trace_time": 0}
            ids = self._take_ids(connection, "event_totals", len(new))
            execute_many(
                connection,
                _INSERT_TOTALS,
                [{"id": i, **dict(zip(names, key, strict=True)), **zero} for i, key in zip(ids, new, strict=True)],
            )
            found.update(zip(new, ids, strict=True))
        return found

    def series_by_id(self, connection: Connection, ids: Sequence[int]) -> dict[int, Series]:
        """Series that earlier batches counted in."""
        return {row.id: _series(row) for row in select_in(connection, _SERIES_BY_ID, ids)}


def read_releases(connection: Connection, service_id: int) -> dict[str, int]:
    table = schema.releases
    rows = connection.execute(select(table.c.release, table.c.first_seen).where(table.c.service_id == service_id))
    return {row.release: row.first_seen for row in rows}


def _series(row: Row[Any]) -> Series:
    return Series(row.id, row.fingerprint_id, row.environment, row.total_id)
