"""What people do to issues, from the API or a terminal. Each is one transaction that also writes the activity.

An id of an issue that was merged means the issue that it was merged into. Texts that people give are stored as they
are; whoever shows them escapes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, func, select, update

from collector_processor.issues import lifecycle, schema, states
from collector_processor.issues.database import upsert, writing
from collector_processor.issues.directory import read_releases
from collector_processor.issues.lifecycle import IllegalTransition, IssueState
from collector_processor.issues.releases import newest
from collector_processor.issues.states import IssueRecord
from otel_errors.semconv import SEVERITIES, Severity

MAX_NAME_CHARACTERS = 200
MAX_NOTE_CHARACTERS = 2_000
MAX_MERGED = 100


class IssueCommandError(Exception):
    """A command that cannot be carried out; its text names the key, the value and what is allowed."""

    def __init__(self, key: str, value: object, allowed: str) -> None:
        shown = repr(value)
        super().__init__(f"{key}: {shown if len(shown) <= 120 else shown[:119] + '…'}: {allowed}")
        self.key = key
        self.value = value
        self.allowed = allowed


class IssueNotFound(IssueCommandError):
    """There is no issue with this id."""

    def __init__(self, issue_id: str) -> None:
        super().__init__("id", issue_id, "no such issue")


class IssueCommands:
    """The write side for people. ``actor`` is who does it, ``now`` the processor's clock in seconds (the present)."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def acknowledge(self, issue_id: str, *, actor: str, note: str = "") -> None:
        """Somebody looks after it: alerts about it end. Only new and regressed issues wait for that."""
        self._transit(
            issue_id, "acknowledged", actor, note, lambda _c, issue, now: lifecycle.acknowledge(issue.state, now)
        )

    def resolve(self, issue_id: str, *, actor: str, note: str = "", in_next_release: bool = False) -> None:
        """It is mended. With ``in_next_release`` only a release newer than today's newest of the service reopens it."""

        def change(connection: Connection, issue: IssueRecord, now: float) -> IssueState:
            release = newest(read_releases(connection, issue.service_id))
            return lifecycle.resolve(issue.state, now, newest_release=release, in_next_release=in_next_release)

        self._transit(issue_id, "resolved", actor, note, change)

    def ignore(
        self,
        issue_id: str,
        *,
        actor: str,
        note: str = "",
        until: float | None = None,
        for_events: int | None = None,
    ) -> None:
        """Nobody wants to hear of it: for ever, until a date (seconds since 1970), or until ``for_events`` more events
        came; with both, whichever is first."""

        def change(_connection: Connection, issue: IssueRecord, now: float) -> IssueState:
            if until is not None and not now < until < 1e11:
                raise IssueCommandError("until", until, "a time in the future is needed, in seconds since 1970")
            if for_events is not None and not 1 <= for_events <= 10**12:
                raise IssueCommandError("for_events", for_events, "a number from 1 to 10^12 is needed")
            until_count = issue.count + for_events if for_events is not None else None
            return lifecycle.ignore(issue.state, now, until=until, until_count=until_count)

        self._transit(issue_id, "ignored", actor, note, change)

    def reopen(self, issue_id: str, *, actor: str, note: str = "") -> None:
        """Take the last answer back: a resolved issue becomes regressed, an acknowledged or ignored one new."""
        self._transit(issue_id, "reopened", actor, note, lambda _c, issue, now: lifecycle.reopen(issue.state, now))

    def set_severity(self, issue_id: str, severity: str, *, actor: str, note: str = "") -> None:
        """From now on events do not change it."""
        chosen: Severity | None = next((known for known in SEVERITIES if known == severity), None)
        if chosen is None:
            raise IssueCommandError("severity", severity, f"one of {', '.join(SEVERITIES)} is needed")
        with self._issue(issue_id, actor, note) as (connection, issue, now):
            before = issue.state
            issue.state = lifecycle.set_severity(before, chosen)
            if issue.state != before:
                states.save(connection, [issue])
                states.note(connection, [(issue.id, now, actor, "severity", before.severity, severity, note)])

    def assign(self, issue_id: str, assignee: str, *, actor: str, note: str = "") -> None:
        """Give it to a person; ``""`` takes it from whoever has it."""
        self._assign("assignee", "assigned", issue_id, assignee, actor, note)

    def assign_team(self, issue_id: str, team: str, *, actor: str, note: str = "") -> None:
        """Give it to a team; ``""`` takes it from whoever has it."""
        self._assign("team", "team", issue_id, team, actor, note)

    def merge(self, target_id: str, source_ids: Sequence[str], *, actor: str, note: str = "") -> None:
        """They are one problem: the target takes the fingerprints of the others, whose pages lead to it from then on.

        State, assignee and what was exposed as counters stay the target's own; its severity rises to the highest,
        unless a person set it. All have to belong to one service.
        """
        if not 1 <= len(source_ids) <= MAX_MERGED:
            raise IssueCommandError("issues", len(source_ids), f"from 1 to {MAX_MERGED} issues to merge are needed")
        with self._issue(target_id, actor, note) as (connection, target, now):
            ids = list(dict.fromkeys(_follow(connection, source) for source in source_ids))
            if target.id in ids:
                raise IssueCommandError("issues", target.id, "an issue cannot be merged with itself")
            sources = states.load(connection, ids)
            for source in sources.values():
                if source.service_id != target.service_id:
                    raise IssueCommandError("issues", source.id, "issues of one service can be merged, this is another")
            for source in sources.values():
                target.state = lifecycle.raise_severity(target.state, source.state.severity)
            _move(connection, target, ids)
            states.save(connection, [target])
            states.note(connection, [(target.id, now, actor, "merged", "", " ".join(ids), note)])
            states.note(connection, [(source, now, actor, "merged_into", "", target.id, note) for source in ids])

    # --- what they share ---

    @contextmanager
    def _issue(self, issue_id: str, actor: str, note: str) -> Iterator[tuple[Connection, IssueRecord, float]]:
        _check_text("actor", actor, MAX_NAME_CHARACTERS, required=True)
        _check_text("note", note, MAX_NOTE_CHARACTERS)
        with writing(self._engine) as connection:
            followed = _follow(connection, issue_id)
            yield connection, states.load(connection, [followed])[followed], self._clock()

    def _transit(
        self,
        issue_id: str,
        action: str,
        actor: str,
        note: str,
        change: Callable[[Connection, IssueRecord, float], IssueState],
    ) -> None:
        with self._issue(issue_id, actor, note) as (connection, issue, now):
            before = issue.state
            try:
                after = change(connection, issue, now)
            except IllegalTransition as error:
                raise IssueCommandError("state", before.state, f"{action} needs an issue that is {error}") from None
            if after == before:
                return
            issue.state = after
            states.save(connection, [issue])
            told = _resolution(after) or note
            states.note(connection, [(issue.id, now, actor, action, before.state, after.state, note or told)])
            states.observe(connection, "ack", lifecycle.ack_seconds(before, after, now))
            states.observe(connection, "resolve", lifecycle.resolve_seconds(before, after, now))

    def _assign(self, column: str, action: str, issue_id: str, name: str, actor: str, note: str) -> None:
        _check_text(column, name, MAX_NAME_CHARACTERS)
        table = schema.issues
        with self._issue(issue_id, actor, note) as (connection, issue, now):
            before = connection.execute(select(table.c[column]).where(table.c.id == issue.id)).scalar_one()
            if before != name:
                connection.execute(update(table).where(table.c.id == issue.id).values({column: name}))
                states.note(connection, [(issue.id, now, actor, action, before, name, note)])


def _check_text(key: str, value: str, limit: int, *, required: bool = False) -> None:
    if required and not value.strip():
        raise IssueCommandError(key, value, "a name is needed")
    if len(value) > limit:
        raise IssueCommandError(key, value, f"at most {limit} characters are allowed, these are {len(value)}")
    if not all(character.isprintable() or character in "\n\t" for character in value):
        raise IssueCommandError(key, value, "control characters are not allowed")


def _resolution(state: IssueState) -> str:
    if state.state == "resolved" and state.in_next_release:
        return f"in the release after {state.resolved_release}" if state.resolved_release else "in the next release"
    if state.state == "ignored":
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(state.ignored_until)) if state.ignored_until else ""
        parts = [f"until {until}"] if until else []
        if state.ignored_until_count is not None:
            parts.append(f"until its count is {state.ignored_until_count}")
        return " or ".join(parts)
    return ""


def _follow(connection: Connection, issue_id: str) -> str:
    if not issue_id.isascii() or "\0" in issue_id:  # no id of ours, and not every database can be asked for it
        raise IssueNotFound(issue_id)
    table = schema.issues
    row = connection.execute(select(table.c.id, table.c.merged_into).where(table.c.id == issue_id)).first()
    if row is None:
        raise IssueNotFound(issue_id)
    return str(row.merged_into or row.id)


def _move(connection: Connection, target: IssueRecord, source_ids: Sequence[str]) -> None:
    """Hang the fingerprints of the sources on the target and sum its figures up anew."""
    issues, fingerprints, users = schema.issues, schema.fingerprints, schema.users
    connection.execute(update(fingerprints).where(fingerprints.c.issue_id.in_(source_ids)).values(issue_id=target.id))
    # also what was merged into a source before: following an id is one step, always
    moved = issues.c.id.in_(source_ids) | issues.c.merged_into.in_(source_ids)
    connection.execute(update(issues).where(moved).values(merged_into=target.id))
    mine = fingerprints.c.issue_id == target.id
    sums = connection.execute(
        select(
            func.sum(fingerprints.c.count), func.min(fingerprints.c.first_seen), func.max(fingerprints.c.last_seen)
        ).where(mine)
    ).one()
    target.count, target.first_seen, target.last_seen = map(int, sums)
    of_mine = users.join(fingerprints, fingerprints.c.id == users.c.fingerprint_id)
    distinct = func.count(func.distinct(users.c.pseudonym))
    target.users = connection.execute(select(distinct).select_from(of_mine).where(mine)).scalar_one()
    per_environment: dict[str, int] = {}
    of_environments = select(users.c.environment, distinct).select_from(of_mine).where(mine)
    for environment, number in connection.execute(of_environments.group_by(users.c.environment)):
        per_environment[environment] = number
    _sum_environments(connection, target.id, per_environment)


def _sum_environments(connection: Connection, issue_id: str, users: dict[str, int]) -> None:
    series, fingerprints, table = schema.series, schema.fingerprints, schema.issue_environments
    rows = connection.execute(
        select(series.c.environment, func.min(series.c.first_seen), func.max(series.c.last_seen))
        .join(fingerprints, fingerprints.c.id == series.c.fingerprint_id)
        .where(fingerprints.c.issue_id == issue_id)
        .group_by(series.c.environment)
    ).all()
    for environment, first_seen, last_seen in rows:
        seen = {"users": users.get(environment, 0), "first_seen": first_seen, "last_seen": last_seen}
        # the exposed counter starts at nothing here: it moves with events only, never by a merge
        counter = {"total": 0, "owed": 0, "trace_id": "", "trace_time": 0}
        query = upsert(connection.dialect.name, table).values(
            issue_id=issue_id, environment=environment, **seen, **counter
        )
        connection.execute(query.on_conflict_do_update(index_elements=["issue_id", "environment"], set_=seen))
