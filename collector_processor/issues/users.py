"""Distinct users of issues: pseudonyms, told apart per fingerprint and environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from sqlalchemy import Connection, bindparam, insert, select, update

from collector_processor.issues import schema
from collector_processor.issues.bulk import execute_many, one_of_values, select_in
from collector_processor.issues.directory import Directory, Placed

MAX_USERS = 10_000
"""Rows (pseudonym × environment) told apart for one fingerprint; further users are not counted."""

_fingerprints, _environments = schema.fingerprints, schema.issue_environments
_ROOM = select(_fingerprints.c.id, _fingerprints.c.user_rows).where(one_of_values(_fingerprints.c.id))
_GROW = (
    update(_fingerprints)
    .where(_fingerprints.c.id == bindparam("key"))
    .values(user_rows=_fingerprints.c.user_rows + bindparam("more"))
)
_OF_ISSUES = select(_fingerprints.c.id, _fingerprints.c.issue_id).where(one_of_values(_fingerprints.c.issue_id))
_INSERT = insert(schema.users)
_OF_PAIRS = select(schema.users).where(one_of_values(schema.users.c.pair))
_GROW_ENVIRONMENT = (
    update(_environments)
    .where(_environments.c.issue_id == bindparam("key"), _environments.c.environment == bindparam("of"))
    .values(users=_environments.c.users + bindparam("more"))
)

UserRow = tuple[int, str, str]
"""(fingerprint id, pseudonym, environment)"""


def add_users(
    connection: Connection, directory: Directory, batch: Sequence[Placed], issue_of: Mapping[int, str]
) -> dict[str, int]:
    """Note the pseudonyms of a batch, and count the new ones of each issue in each environment.

    Returns how many users each issue has more, whatever the environment.
    """
    wanted = {(p.fingerprint_id, p.event.user, p.series.environment) for p in batch if p.event.user}
    wanted -= directory.known_users
    added = _insert(connection, wanted)
    directory.know_users(wanted)
    if not added:
        return {}
    by_issue: dict[str, set[str]] = {}
    for fingerprint_id, user, _ in added:
        by_issue.setdefault(issue_of[fingerprint_id], set()).add(user)
    before = _stored_before(connection, by_issue, added)
    users: dict[str, int] = {}
    in_environment: dict[tuple[str, str], int] = {}
    for issue_id, user in {(issue_of[fingerprint_id], user) for fingerprint_id, user, _ in added}:
        users[issue_id] = users.get(issue_id, 0) + ((issue_id, user) not in before)
    for issue_id, user, environment in {(issue_of[row[0]], row[1], row[2]) for row in added}:
        if environment not in before.get((issue_id, user), ()):
            key = (issue_id, environment)
            in_environment[key] = in_environment.get(key, 0) + 1
    rows = [{"key": key[0], "of": key[1], "more": more} for key, more in in_environment.items()]
    execute_many(connection, _GROW_ENVIRONMENT, rows)
    return users


def _pair(fingerprint_id: int, user: str) -> int:
    digest = blake2b(f"{fingerprint_id}\0{user}".encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _insert(connection: Connection, wanted: Iterable[UserRow]) -> list[UserRow]:
    """Write the rows that are not there and have room; returns them."""
    rows = sorted(wanted)
    if not rows:
        return []
    fingerprint_ids = sorted({row[0] for row in rows})
    room = {row.id: MAX_USERS - row.user_rows for row in select_in(connection, _ROOM, fingerprint_ids)}
    pairs = {(row[0], row[1]): _pair(row[0], row[1]) for row in rows if room[row[0]] > 0}
    held = {(row.pair, row.environment) for row in select_in(connection, _OF_PAIRS, pairs.values())}
    names = ("fingerprint_id", "pseudonym", "environment", "pair")
    values, added = [], []
    grown: dict[int, int] = {}
    for row in rows:
        pair = pairs.get(row[:2])
        if pair is None or (pair, row[2]) in held or grown.get(row[0], 0) >= room[row[0]]:
            continue
        values.append(dict(zip(names, (*row, pair), strict=True)))
        added.append(row)
        grown[row[0]] = grown.get(row[0], 0) + 1
    execute_many(connection, _INSERT, values)
    execute_many(connection, _GROW, [{"key": key, "more": more} for key, more in grown.items()])
    return added


def _stored_before(
    connection: Connection, by_issue: Mapping[str, set[str]], added: Sequence[UserRow]
) -> dict[tuple[str, str], set[str]]:
    """(issue, user) → environments in which the issue had the user before, under any of its fingerprints."""
    issue_of = {row.id: row.issue_id for row in select_in(connection, _OF_ISSUES, sorted(by_issue))}
    pairs = [_pair(fid, user) for fid, issue_id in issue_of.items() for user in by_issue[issue_id]]
    mine = set(added)
    before: dict[tuple[str, str], set[str]] = {}
    for row in select_in(connection, _OF_PAIRS, pairs):
        if (row.fingerprint_id, row.pseudonym, row.environment) not in mine:
            before.setdefault((issue_of[row.fingerprint_id], row.pseudonym), set()).add(row.environment)
    return before
