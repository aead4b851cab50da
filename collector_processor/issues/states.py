"""Issues in the database: reading and writing what the life cycle decides, the activity that tells it, the durations
that measure it. Both events and people come through here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from collector_processor.issues import schema
from collector_processor.issues.bulk import execute_many, one_of_values, select_in
from collector_processor.issues.database import upsert
from collector_processor.issues.directory import Placed
from collector_processor.issues.lifecycle import IssueState, born

EVENTS_ACTOR = "otel-errors"
"""Who acts in the activity when events change an issue."""
DURATION_BOUNDS = (60.0, 300.0, 900.0, 3600.0, 14400.0, 43200.0, 86400.0, 259200.0, 604800.0, 2592000.0)
"""Upper bounds of the histograms of seconds to an answer and to a resolution; above the last it is infinity."""
INFINITE = 1e300
"""Stands for infinity in the table: not every database keeps one."""
SEARCH_CHARACTERS = 1_000

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_STATE_COLUMNS = tuple(IssueState.__struct_fields__)


_issues = schema.issues
_SUMS = ("count", "users", "first_seen", "last_seen")
_INSERT_ISSUES = insert(_issues)
_INSERT_FINGERPRINTS = insert(schema.fingerprints)
_INSERT_ACTIVITY = insert(schema.activity)
_IDS = select(_issues.c.id).where(one_of_values(_issues.c.id))
_LOAD = select(*(_issues.c[name] for name in ("id", "service_id", *_SUMS, *_STATE_COLUMNS))).where(
    one_of_values(_issues.c.id)
)
_SAVE = (
    update(_issues)
    .where(_issues.c.id == bindparam("key"))
    .values({name: bindparam(f"new_{name}") for name in (*_SUMS, *_STATE_COLUMNS)})
)


class IssueRecord:
    """One row of ``issues`` while a transaction changes it."""

    __slots__ = ("count", "first_seen", "id", "last_seen", "service_id", "state", "users")

    def __init__(self, id: str, service_id: int, state: IssueState) -> None:  # noqa: A002
        self.id = id
        self.service_id = service_id
        self.state = state
        self.count = 0
        self.users = 0
        self.first_seen = 0
        self.last_seen = 0


def issue_id(namespace: str, name: str, fingerprint: str, attempt: int = 0) -> str:
    """Ten characters of Crockford's base 32 in lower case, from a digest of service and fingerprint.

    Made from what the issue is, not drawn: links stay right when a store is built anew from the same events. 50 bits
    meet once in a while, so the caller looks whether the id is taken and tries the next ``attempt``.
    """
    digest = blake2b("\0".join((namespace, name, fingerprint, str(attempt))).encode("utf-8", "replace"), digest_size=8)
    number = int.from_bytes(digest.digest(), "big")
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(0, 50, 5))


def make_issues(connection: Connection, first: Mapping[int, Placed], now: float) -> None:
    """An issue and a fingerprint row for each new fingerprint: id → its first record."""
    if not first:
        return
    names = {fingerprint_id: _free_id(placed) for fingerprint_id, placed in first.items()}
    taken = _taken(connection, names.values())
    rows, fingerprint_rows = [], []
    for fingerprint_id, placed in first.items():
        event, attempt = placed.event, 0
        while names[fingerprint_id] in taken:
            attempt += 1
            names[fingerprint_id] = _free_id(placed, attempt)
            taken |= _taken(connection, [names[fingerprint_id]])
        taken.add(names[fingerprint_id])
        seen = {"count": 0, "first_seen": placed.time, "last_seen": placed.time}
        texts = (event.title, event.culprit, event.type, event.service_name)
        shown = {"title": event.title, "culprit": event.culprit, "type": event.type, "language": event.language}
        rows.append(
            {
                "id": names[fingerprint_id],
                "service_id": placed.service_id,
                "merged_into": None,
                **shown,
                "search_text": "\n".join(texts).lower()[:SEARCH_CHARACTERS],
                **seen,
                "users": 0,
                "created_at": now,
                "assignee": "",
                "team": "",
                **msgspec.structs.asdict(born(event.severity, now)),
            }
        )
        fingerprint_rows.append(_fingerprint_row(fingerprint_id, event.fingerprint, placed, names[fingerprint_id]))
    execute_many(connection, _INSERT_ISSUES, rows)
    execute_many(connection, _INSERT_FINGERPRINTS, fingerprint_rows)
    note(connection, [(row["id"], now, EVENTS_ACTOR, "created", "", "new", "") for row in rows])


def join_fingerprints(connection: Connection, joining: Mapping[int, tuple[int, str, Placed]]) -> None:
    """A fingerprint row in the issue of another fingerprint for each: id → (the other's id, name, first record)."""
    if not joining:
        return
    table = schema.fingerprints
    query = select(table.c.id, table.c.issue_id).where(one_of_values(table.c.id))
    issue_of = {row.id: row.issue_id for row in select_in(connection, query, sorted({j[0] for j in joining.values()}))}
    rows = [_fingerprint_row(id_, name, placed, issue_of[home]) for id_, (home, name, placed) in joining.items()]
    execute_many(connection, _INSERT_FINGERPRINTS, rows)


def _fingerprint_row(fingerprint_id: int, name: str, placed: Placed, issue_id: str) -> dict[str, object]:
    return {
        "id": fingerprint_id,
        "service_id": placed.service_id,
        "fingerprint": name,
        "issue_id": issue_id,
        "user_rows": 0,
        "count": 0,
        "first_seen": placed.time,
        "last_seen": placed.time,
    }


def _free_id(placed: Placed, attempt: int = 0) -> str:
    event = placed.event
    return issue_id(event.service_namespace, event.service_name, event.fingerprint, attempt)


def _taken(connection: Connection, ids: Iterable[str]) -> set[str]:
    return {row.id for row in select_in(connection, _IDS, sorted(set(ids)))}


def load(connection: Connection, ids: Iterable[str]) -> dict[str, IssueRecord]:
    """The rows with these ids; ids that are not there are left out."""
    found: dict[str, IssueRecord] = {}
    for row in select_in(connection, _LOAD, sorted(set(ids))):
        values: dict[str, Any] = {name: row._mapping[name] for name in _STATE_COLUMNS}
        values["severity_set"] = bool(values["severity_set"])
        values["in_next_release"] = bool(values["in_next_release"])
        record = IssueRecord(row.id, row.service_id, IssueState(**values))
        record.count, record.users = row._mapping["count"], row.users
        record.first_seen, record.last_seen = row.first_seen, row.last_seen
        found[row.id] = record
    return found


def save(connection: Connection, records: Sequence[IssueRecord]) -> None:
    """Write back what ``load`` gave."""
    execute_many(connection, _SAVE, [_values(record) for record in records])


def _values(record: IssueRecord) -> dict[str, Any]:
    values: dict[str, Any] = {f"new_{name}": value for name, value in msgspec.structs.asdict(record.state).items()}
    values["key"] = record.id
    values["new_count"], values["new_users"] = record.count, record.users
    values["new_first_seen"], values["new_last_seen"] = record.first_seen, record.last_seen
    return values


Activity = tuple[str, float, str, str, str, str, str]
"""(issue id, time, actor, action, before, after, note)"""


def note(connection: Connection, rows: Sequence[Activity]) -> None:
    """Add to the activity of issues."""
    if rows:
        names = ("issue_id", "time", "actor", "action", "before", "after", "note")
        execute_many(connection, _INSERT_ACTIVITY, [dict(zip(names, row, strict=True)) for row in rows])


def observe(connection: Connection, kind: str, seconds: float | None) -> None:
    """Add one duration to a histogram; None is no observation."""
    if seconds is None:
        return
    upper = next((bound for bound in DURATION_BOUNDS if seconds <= bound), INFINITE)
    table = schema.durations
    query = upsert(connection.dialect.name, table).values(kind=kind, upper=upper, count=1, seconds=seconds)
    connection.execute(
        query.on_conflict_do_update(
            index_elements=["kind", "upper"],
            set_={"count": table.c.count + 1, "seconds": table.c.seconds + query.excluded.seconds},
        )
    )
