"""The store as a whole: schema, issues, people's commands, questions, bounds, several openers."""

from __future__ import annotations

import base64
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.dml import UpdateBase

from collector_processor.issues import (
    counting,
    counts,
    database,
    directory,
    occurrences,
    references,
    states,
    tallying,
    users,
)
from collector_processor.issues.commands import IssueCommandError, IssueCommands, IssueNotFound
from collector_processor.issues.database import REVISION, StoreUnavailable, UnstorableValue, reading
from collector_processor.issues.queries import IssueFilter
from collector_processor.issues.questions import IssueQueryError
from collector_processor.issues.schema import metadata
from collector_processor.issues.store import IssueStore
from otel_errors.references import reference_of
from tests.collector_processor.issues.errors import NOW, START, error, numbered
from tests.collector_processor.issues.stores import Stores, open_store
from tests.postgresql import URL_PASSWORD

A, B, C = ("fp1:" + letter * 32 for letter in "abc")


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(stores: Stores) -> IssueStore:
    store = stores.open()
    store.commands = IssueCommands(store.engine, clock=Clock())
    return store


def only(store: IssueStore, **filters: object) -> str:
    (issue,) = store.queries.list_issues(IssueFilter(**filters)).issues  # type: ignore[arg-type]
    return issue.id


class Feeder:
    """Applies events one call after the other, each at the next positions."""

    def __init__(self, store: IssueStore) -> None:
        self.store = store
        self.position = 0

    def __call__(self, *events: object, now: float = NOW) -> object:
        batch = numbered(list(events), self.position + 1)  # type: ignore[arg-type]
        self.position += len(events)
        return self.store.apply("q", batch, now=now)


# --- schema ---


def test_migrations_lead_to_the_schema(tmp_path: Path) -> None:
    store = IssueStore.open(f"sqlite:///{tmp_path / 'sub' / 'issues.sqlite3'}")
    with reading(store.engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        # what alembic does not compare: SQLite's own table options
        made = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")).all()
    options = {name for name, sql in made if "WITHOUT ROWID" in sql}
    assert options == {
        name for name, table in metadata.tables.items() if not table.dialect_options["sqlite"]["with_rowid"]
    }
    assert oct((tmp_path / "sub" / "issues.sqlite3").stat().st_mode & 0o777) == "0o600"


def test_the_newest_migration_is_the_one_that_is_waited_for() -> None:
    scripts = ScriptDirectory(str(Path(database.__file__).parent / "migrations"))
    assert scripts.get_current_head() == REVISION


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "issues.sqlite3"
    IssueStore.open(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreUnavailable, match=r"9999.*newer"):
        IssueStore.open(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "a file is needed"),
        ("sqlite:////proc/no/issues.sqlite3", "proc"),
        ("postgresql+nodriver://u:secret@h/d", "nodriver"),
        ("what", "store"),
    ],
)
def test_a_store_that_cannot_be_opened_is_told_without_its_password(url: str, said: str) -> None:
    with pytest.raises(StoreUnavailable, match=said) as caught:
        IssueStore.open(url)
    assert "secret" not in str(caught.value)


def test_the_sql_is_also_postgresqls() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    modules = (counting, counts, directory, occurrences, references, states, tallying, users)
    statements = [
        value for module in modules for value in vars(module).values() if isinstance(value, UpdateBase | Select)
    ]
    statements += [counts._count_hours("postgresql"), counts._make_environments("postgresql")]
    assert len(statements) > 25
    for statement in statements:
        assert str(statement.compile(dialect=dialect))
    for table in metadata.sorted_tables:
        assert "ROWID" not in str(CreateTable(table).compile(dialect=dialect))


def test_two_that_open_at_once_both_succeed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'issues.sqlite3'}"
    failures: list[BaseException] = []

    def open_it() -> None:
        try:
            IssueStore.open(url).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


# --- counting and life ---


def test_a_batch_is_applied_once(store: IssueStore) -> None:
    batch = numbered([error(n, trace_id="", event_id=f"e{n}") for n in range(10)])
    first = store.apply("q", batch[:6], now=NOW)
    assert (first.applied, first.counted, first.position, len(first.created)) == (6, 6, 6, 1)
    second = store.apply("q", batch, now=NOW)
    assert (second.applied, second.counted, second.position, second.created) == (4, 4, 10, [])
    assert store.apply("q", batch, now=NOW).applied == 0
    other_file = store.apply("r", batch[:2], now=NOW)
    assert (other_file.applied, other_file.counted) == (2, 0)
    assert (store.position("q"), store.position("r"), store.position("s")) == (10, 2, 0)
    assert store.queries.list_issues().issues[0].count == 10


def test_what_an_issue_says(store: IssueStore) -> None:
    feed = Feeder(store)
    feed(
        error(5, release="1.1", environment="production", user="u1", severity="high", service_namespace="eu"),
        error(2, release="1.0", environment="staging", user="u1", service_namespace="eu", trace_id="f" * 32),
        error(9, release="1.1", environment="production", user="u2", service_namespace="eu"),
    )
    detail = store.queries.get_issue(only(store))
    assert detail is not None
    issue = detail.issue
    assert (issue.count, issue.users, issue.state, issue.severity) == (3, 2, "new", "high")
    assert (issue.service_namespace, issue.service_name, issue.fingerprints) == ("eu", "shop", (A,))
    assert (issue.first_seen, issue.last_seen) == ((START + 2_000_000) / 1e9, (START + 9_000_000) / 1e9)
    assert issue.unacknowledged_since == issue.created_at == NOW
    assert [(facet.name, facet.count) for facet in detail.environments] == [("staging", 1), ("production", 2)]
    assert [(facet.name, facet.count) for facet in detail.releases] == [("1.0", 1), ("1.1", 2)]
    assert [(row.fingerprint, row.count, row.users) for row in detail.fingerprints] == [(A, 3, 2)]
    assert detail.last_trace_id == f"{10:032x}"
    assert len(issue.id) == 10
    assert issue.id == states.issue_id("eu", "shop", A)
    assert store.queries.get_issue("nothing") is None


def test_services_and_namespaces_have_issues_of_their_own(store: IssueStore) -> None:
    Feeder(store)(error(1), error(2, service_name="stock"), error(3, service_namespace="eu"))
    assert len(store.queries.list_issues().issues) == 3
    assert store.queries.services() == [("", "shop"), ("eu", "shop"), ("", "stock")]
    found = store.queries.issue_by_fingerprint(A, service_name="stock")
    assert found is not None
    assert found.issue.service_name == "stock"
    assert store.queries.issue_by_fingerprint(C) is None


def test_ids_that_meet_are_told_apart(store: IssueStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "issue_id", lambda namespace, name, fingerprint, attempt=0: f"same{attempt}")
    feed = Feeder(store)
    feed(error(1), error(2, fingerprint=B))
    feed(error(3, fingerprint=C))
    ids = {issue.fingerprints: issue.id for issue in store.queries.list_issues().issues}
    assert ids == {(A,): "same0", (B,): "same1", (C,): "same2"}


def test_resolved_regresses_by_event_time_and_release(store: IssueStore) -> None:
    feed = Feeder(store)
    feed(error(1, release="1.0"), error(2, release="1.1", fingerprint=B))
    issue = states.issue_id("", "shop", A)
    store.commands.resolve(issue, actor="ada")
    late, after = int((NOW - 5) * 1e9), int((NOW + 5) * 1e9)
    feed(error(3, time_unix_nano=late, release="1.1"), now=NOW + 10)
    feed(error(4, time_unix_nano=after, release="1.0"), now=NOW + 10)
    assert _state(store, issue) == "resolved"
    result = feed(error(5, time_unix_nano=after, release="1.1"), now=NOW + 10)
    assert result.regressed == [issue]  # type: ignore[attr-defined]
    detail = store.queries.get_issue(issue)
    assert detail is not None
    assert (detail.issue.state, detail.issue.unacknowledged_since, detail.issue.count) == ("regressed", NOW + 10, 4)
    rows = [(row.actor, row.action, row.before, row.after) for row in store.queries.activity(issue)]
    assert rows == [
        ("otel-errors", "regressed", "resolved", "regressed"),
        ("ada", "resolved", "new", "resolved"),
        ("otel-errors", "created", "", "new"),
    ]


def _state(store: IssueStore, issue: str) -> str:
    detail = store.queries.get_issue(issue)
    assert detail is not None
    return detail.issue.state


def test_a_repeated_request_does_not_reopen(store: IssueStore) -> None:
    feed = Feeder(store)
    event = error(1, time_unix_nano=int((NOW + 5) * 1e9))
    feed(event, now=NOW + 6)
    store.commands.resolve(only(store), actor="ada")
    feed(event, error(1, signal="log", time_unix_nano=int((NOW + 5) * 1e9) + 3), now=NOW + 7)
    assert _state(store, only(store)) == "resolved"


def test_ignored_until_so_many_more(store: IssueStore) -> None:
    feed = Feeder(store)
    feed(error(1), error(2))
    store.commands.ignore(only(store), actor="ada", for_events=3)
    feed(error(3), error(4))
    assert _state(store, only(store)) == "ignored"
    feed(error(5), error(6))
    assert _state(store, only(store)) == "regressed"


def test_severity_rises_and_is_told(store: IssueStore) -> None:
    feed = Feeder(store)
    feed(error(1, severity="low"))
    feed(error(2, severity="high"), error(3, severity="medium"))
    assert store.queries.list_issues().issues[0].severity == "high"
    assert store.queries.activity(only(store))[0].action == "severity"
    store.commands.set_severity(only(store), "low", actor="ada")
    feed(error(4, severity="critical"))
    assert store.queries.list_issues().issues[0].severity == "low"


# --- commands ---


def test_commands_and_their_activity(store: IssueStore) -> None:
    Feeder(store)(error(1))
    issue = only(store)
    commands = store.commands
    commands.acknowledge(issue, actor="ada", note="on it")
    commands.acknowledge(issue, actor="bob")  # nothing left to do
    commands.assign(issue, "bob", actor="ada")
    commands.assign_team(issue, "payments", actor="ada")
    commands.resolve(issue, actor="bob", in_next_release=True)
    commands.reopen(issue, actor="bob")
    commands.ignore(issue, actor="ada", until=NOW + 3600)
    detail = store.queries.get_issue(issue)
    assert detail is not None
    assert (detail.issue.state, detail.issue.assignee, detail.issue.team) == ("ignored", "bob", "payments")
    assert (detail.ignored_until, detail.resolved_at) == (NOW + 3600, None)
    rows = [(row.actor, row.action, row.before, row.after, row.note) for row in store.queries.activity(issue)][::-1]
    assert rows[1:] == [
        ("ada", "acknowledged", "new", "acknowledged", "on it"),
        ("ada", "assigned", "", "bob", ""),
        ("ada", "team", "", "payments", ""),
        ("bob", "resolved", "acknowledged", "resolved", "in the next release"),
        ("bob", "reopened", "resolved", "regressed", ""),
        ("ada", "ignored", "regressed", "ignored", "until 2027-01-15T09:00:00Z"),
    ]
    ack, resolve = store.queries.metrics_snapshot().durations
    assert sum(count for _, count in ack.buckets) == 2
    assert sum(count for _, count in resolve.buckets) == 1


def test_commands_that_cannot_be(store: IssueStore) -> None:
    Feeder(store)(error(1), error(2, service_name="stock"))
    issue, other = states.issue_id("", "shop", A), states.issue_id("", "stock", A)
    commands = store.commands
    commands.resolve(issue, actor="ada")
    cases = [
        (lambda: commands.acknowledge(issue, actor="ada"), "state: 'resolved': acknowledged needs"),
        (lambda: commands.acknowledge("nothing", actor="ada"), "id: 'nothing': no such issue"),
        (lambda: commands.acknowledge(other, actor="  "), "actor: '  ': a name is needed"),
        (lambda: commands.reopen(other, actor="ada"), "state: 'new'"),
        (lambda: commands.set_severity(other, "urgent", actor="ada"), "severity: 'urgent': one of critical"),
        (lambda: commands.ignore(other, actor="ada", until=NOW - 1), "until: .*future"),
        (lambda: commands.ignore(other, actor="ada", until=float("nan")), "until: .*future"),
        (lambda: commands.ignore(other, actor="ada", for_events=0), "for_events: 0"),
        (lambda: commands.assign(other, "x" * 201, actor="ada"), "assignee: .*at most 200"),
        (lambda: commands.assign(other, "\x1b[31m", actor="ada"), "assignee: .*control"),
        (lambda: commands.merge(other, [issue], actor="ada"), "issues: .*one service"),
        (lambda: commands.merge(other, [other], actor="ada"), "issues: .*itself"),
        (lambda: commands.merge(other, [], actor="ada"), "issues: 0"),
        (lambda: commands.merge(other, ["nothing"], actor="ada"), "id: 'nothing'"),
    ]
    for command, said in cases:
        with pytest.raises(IssueCommandError, match=said):
            command()
    with pytest.raises(IssueNotFound):
        commands.resolve("nothing", actor="ada")
    assert len(store.queries.activity(other)) == 1


def test_merge(store: IssueStore) -> None:
    feed = Feeder(store)
    feed(
        error(1, user="u1", environment="production"),
        error(2, user="u2", environment="production", fingerprint=B, severity="high"),
        error(3, user="u1", environment="staging", fingerprint=B),
        error(4, fingerprint=C),
    )
    a, b, c = (states.issue_id("", "shop", fingerprint) for fingerprint in (A, B, C))
    before = _totals(store)
    store.commands.merge(b, [c], actor="ada")
    store.commands.merge(a, [b], actor="ada")
    detail = store.queries.get_issue(a)
    assert detail is not None
    issue = detail.issue
    assert (issue.count, issue.users, issue.severity, issue.fingerprints) == (4, 2, "high", (A, B, C))
    assert (issue.first_seen, issue.last_seen) == ((START + 1_000_000) / 1e9, (START + 4_000_000) / 1e9)
    assert detail.merged_issues == sorted([b, c])
    for followed in (b, c):
        found = store.queries.get_issue(followed)
        assert found is not None
        assert found.issue.id == a
    by_fingerprint = store.queries.issue_by_fingerprint(C)
    assert by_fingerprint is not None
    assert by_fingerprint.issue.id == a
    assert [row.id for row in store.queries.list_issues().issues] == [a]
    assert len(store.queries.occurrences(a).occurrences) == 4
    environments = {
        row.environment: (row.total, row.users) for row in store.queries.metrics_snapshot().issue_environments
    }
    assert environments == {"production": (1, 2), "staging": (0, 1), "": (0, 0)}
    # counters move with events, not with the merge
    assert {key: value for key, value in _totals(store).items() if key in before and before[key] != value} == {}
    feed(error(9, fingerprint=C, environment="production", user="u2"))
    feed(error(10, fingerprint=C, environment="production", user="u3"))
    assert _totals(store)[a, "production"] == before[a, "production"] + 2
    detail = store.queries.get_issue(a)
    assert detail is not None
    assert (detail.issue.count, detail.issue.users) == (6, 3)
    store.commands.acknowledge(c, actor="ada")  # an old link still means the issue
    assert _state(store, a) == "acknowledged"


def _totals(store: IssueStore) -> dict[tuple[str, str], int]:
    return {(row.issue_id, row.environment): row.total for row in store.queries.metrics_snapshot().issue_environments}


# --- questions ---


def fill(store: IssueStore, number: int = 25) -> None:
    events = [
        error(
            n * 10 + k,
            fingerprint=f"fp1:{n:032x}",
            title=f"Error{n}: Käse 50%_off {'even' if n % 2 == 0 else 'odd'}",
            severity="high" if n % 5 == 0 else "low",
            environment="production" if n % 3 == 0 else "staging",
        )
        for n in range(number)
        for k in range(n % 4 + 1)
    ]
    Feeder(store)(*events)


@pytest.mark.parametrize("sort", ["last_seen", "first_seen", "count", "users"])
@pytest.mark.parametrize("descending", [True, False])
def test_pages_hold_every_issue_once(store: IssueStore, sort: str, descending: bool) -> None:
    fill(store)
    seen, cursor = [], None
    while True:
        page = store.queries.list_issues(sort=sort, descending=descending, limit=7, cursor=cursor)
        seen += page.issues
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len({issue.id for issue in seen}) == len(seen) == 25
    values = [getattr(issue, sort) for issue in seen]
    assert values == sorted(values, reverse=descending)


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (IssueFilter(), 25),
        (IssueFilter(states=("new", "regressed")), 25),
        (IssueFilter(states=("resolved",)), 0),
        (IssueFilter(severities=("high",)), 5),
        (IssueFilter(service_name="shop", service_namespace=""), 25),
        (IssueFilter(service_name="stock"), 0),
        (IssueFilter(environment="production"), 9),
        (IssueFilter(search="EVEN käse"), 13),
        (IssueFilter(search="even odd"), 0),
        (IssueFilter(search="%"), 25),
        (IssueFilter(search="50%_off"), 25),
        (IssueFilter(search="50__off"), 0),
        (IssueFilter(search="' OR 1=1 --"), 0),
        (IssueFilter(assignee="ada"), 0),
    ],
)
def test_filters(store: IssueStore, wanted: IssueFilter, number: int) -> None:
    fill(store)
    assert len(store.queries.list_issues(wanted, limit=100).issues) == number


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"sort": "title"}, "sort: 'title': one of last_seen"),
        ({"limit": 0}, "limit: 0"),
        ({"limit": 501}, "limit: 501"),
        ({"cursor": "rubbish"}, "cursor: 'rubbish'"),
        ({"cursor": "\x00é"}, "cursor"),
        ({"cursor": "W10"}, "cursor"),
        ({"cursor": "WyJjb3VudCIsdHJ1ZSwxLCJhIl0"}, "cursor"),  # of another sort
        ({"cursor": "WyJsYXN0X3NlZW4iLCB0cnVlLCAxLCAiXHUwMDAwIl0"}, "cursor"),  # NUL as the id
        ({"cursor": "WyJsYXN0X3NlZW4iLCB0cnVlLCAxLCAiXHVkODAwIl0"}, "cursor"),  # half of a surrogate pair as the id
        ({"wanted": IssueFilter(states=("open",))}, "state: 'open': one of new"),
        ({"wanted": IssueFilter(severities=("bad",))}, "severity: 'bad'"),
    ],
)
def test_questions_that_make_no_sense(store: IssueStore, arguments: dict[str, object], said: str) -> None:
    with pytest.raises(IssueQueryError, match=said):
        store.queries.list_issues(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("last_id", ["1180591620717411303424", "-9223372036854775809", '"1"', "true", "null", "1e2"])
def test_a_made_up_cursor_of_occurrences(store: IssueStore, last_id: str) -> None:
    Feeder(store)(error(1))
    made_up = base64.urlsafe_b64encode(f'["time", true, 1, {last_id}]'.encode()).decode().rstrip("=")
    with pytest.raises(IssueQueryError, match="cursor"):
        store.queries.occurrences(only(store), cursor=made_up)


def test_occurrences_and_events(store: IssueStore) -> None:
    feed = Feeder(store)
    events = [
        error(n, event_id=f"e{n}", support_reference=reference_of(f"e{n}"), environment="a" if n % 2 else "b")
        for n in range(9)
    ]
    feed(*events, error(3, event_id="e3", signal="log"))
    issue = only(store)
    first = store.queries.occurrences(issue, limit=5)
    rest = store.queries.occurrences(issue, limit=5, cursor=first.next_cursor)
    assert [row.event.event_id for row in first.occurrences + rest.occurrences] == [f"e{n}" for n in range(8, -1, -1)]
    assert rest.next_cursor is None
    assert len(store.queries.occurrences(issue, environment="a").occurrences) == 4
    found = store.queries.event("e4")
    assert found is not None
    assert (found.event, found.issue_id) == (events[4], issue)
    by_reference = store.queries.event_by_support_reference(reference_of("e7"))
    assert by_reference is not None
    assert by_reference.event == events[7]
    assert store.queries.event("") is None
    assert store.queries.event("e99") is None


def test_trend(store: IssueStore) -> None:
    hour = 3600 * 10**9
    events = [error(n, time_unix_nano=START - back * hour) for n, back in enumerate((0, 0, 1, 5, 30))]
    Feeder(store)(*events)
    points = store.queries.trend(only(store), hours=24, now=NOW)
    assert len(points) == 24
    assert points[-1].start <= NOW < points[-1].start + 3600
    assert {int((NOW - point.start) // 3600): point.count for point in points if point.count} == {1: 2, 2: 1, 6: 1}
    with pytest.raises(IssueQueryError, match="hours: 0"):
        store.queries.trend("x", hours=0)
    assert sum(point.count for point in store.queries.trend("nothing", hours=2)) == 0


def test_the_metrics_are_bounded_and_nothing_is_lost(store: IssueStore) -> None:
    events = [
        error(n, fingerprint=f"fp1:{n % 12:032x}", type=f"T{n % 12}", service_name=f"s{n % 3}") for n in range(60)
    ]
    Feeder(store)(*events)
    for issue in store.queries.list_issues(limit=100).issues:
        store.commands.acknowledge(issue.id, actor="ada")
    snapshot = store.queries.metrics_snapshot(max_issues=4, max_services=2, max_types=2)
    assert len(snapshot.issues) == 4
    assert {row.service_name for row in snapshot.event_totals} == {"s0", "s1", "other"}
    assert {row.type for row in snapshot.event_totals if row.service_name == "s0"} == {"T0", "T3", "other"}
    assert sum(row.total for row in snapshot.event_totals) == 60
    assert sum(row.total for row in snapshot.issue_environments) == 60
    keys = [(row.issue_id, row.service_name, row.environment) for row in snapshot.issue_environments]
    assert len(keys) == len(set(keys))
    assert {(row.state, row.severity) for row in snapshot.issue_tallies} == {("acknowledged", "medium")}
    assert sum(row.issues for row in snapshot.issue_tallies) == 12
    for row in snapshot.event_totals:
        assert len(row.trace_id) == 32


def test_issues_that_wait_for_an_answer_are_always_in_the_metrics(store: IssueStore) -> None:
    fill(store)
    assert len(store.queries.metrics_snapshot(max_issues=1).issues) == 25


# --- bounds ---


def test_occurrences_are_bounded_by_number(stores: Stores) -> None:
    store = stores.open(occurrences_per_issue=20)
    feed = Feeder(store)
    for start in range(0, 400, 50):
        feed(*(error(n) for n in range(start, start + 50)))
    kept = store.queries.occurrences(only(store), limit=100).occurrences
    assert 20 <= len(kept) <= 22
    times = [row.event.message for row in kept]
    assert times[0] == "card 399 declined"
    assert times[-1] == "card 0 declined"
    assert store.queries.list_issues().issues[0].count == 400


def test_what_is_kept_does_not_depend_on_the_order() -> None:
    rows = [(n, n * 10, (n * 7919) % 1009) for n in range(100)]
    gone = set(occurrences.surplus(rows, 20))
    assert gone == set(occurrences.surplus(rows[::-1], 20))
    kept = [row for row in rows if row[0] not in gone]
    assert len(kept) == 20
    assert {row[0] for row in kept} >= {0, *range(90, 100)}
    assert occurrences.surplus(rows[:20], 20) == []
    assert occurrences.surplus(rows[:3], 1) == [0, 1]


def test_occurrences_are_bounded_by_age_and_by_size(stores: Stores) -> None:
    store = stores.open(occurrence_days=1, max_occurrence_bytes=20_000)
    feed = Feeder(store)
    feed(error(1))
    feed(error(2), now=NOW + 90_000)
    store.maintain(NOW + 90_000)
    assert [row.event.message for row in store.queries.occurrences(only(store)).occurrences] == ["card 2 declined"]
    feed(*(error(10 + n, message="x" * 3_000) for n in range(12)), now=NOW + 90_100)
    store.maintain(NOW + 90_200)
    left = store.queries.occurrences(only(store), limit=100).occurrences
    assert 4 <= len(left) <= 6
    assert store.queries.list_issues().issues[0].count == 14


def test_what_senders_choose_is_bounded(store: IssueStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MAX_SERIES_PER_FINGERPRINT", 5)
    monkeypatch.setattr(directory, "MAX_RELEASES_PER_SERVICE", 4)
    monkeypatch.setattr(users, "MAX_USERS", 6)
    feed = Feeder(store)
    feed(*(error(n, release=f"r{n}", environment=f"e{n}", user=f"u{n}") for n in range(10)))
    feed(*(error(n, release=f"r{n}", environment=f"e{n}", user=f"u{n}") for n in range(10, 30)))
    detail = store.queries.get_issue(only(store))
    assert detail is not None
    assert detail.issue.count == 30
    assert detail.issue.users == 6
    assert {facet.name: facet.count for facet in detail.environments}["other"] == 25
    assert len(detail.environments) == 6
    assert len(store.queries.metrics_snapshot().releases) == 4


@pytest.mark.parametrize("rubbish", ["\0", "a\0b", "\ud800", "💥" * 3000])
def test_texts_that_no_event_holds_are_no_trouble(store: IssueStore, rubbish: str) -> None:
    Feeder(store)(error(1, event_id="e1"))
    queries = store.queries
    assert queries.get_issue(rubbish) is None
    assert queries.event(rubbish) is queries.event_by_support_reference(rubbish) is None
    assert queries.issue_by_fingerprint(rubbish) is queries.issue_by_fingerprint(A, service_name=rubbish) is None
    assert queries.activity(rubbish) == []
    assert queries.occurrences(rubbish).occurrences == []
    with pytest.raises(IssueNotFound):
        store.commands.resolve(rubbish, actor="ada")
    for key in ("search", "service_name", "service_namespace", "environment", "assignee"):
        wanted = IssueFilter(**{key: rubbish})
        if rubbish.startswith("💥"):
            assert queries.list_issues(wanted).issues == []
        else:
            with pytest.raises(IssueQueryError, match=f"{key}: .*NUL"):
                queries.list_issues(wanted)


def test_the_longest_names_are_counted(store: IssueStore) -> None:
    """256 characters are what the pipeline lets through; with 1,024 bytes each they are more than an index takes."""
    rng = random.Random(1)
    names = ["".join(chr(rng.randrange(0x1F300, 0x1F640)) for _ in range(256)) for _ in range(9)]
    keys = ("service_name", "service_namespace", "environment", "release", "type", "user", "event_id", "trace_id")
    feed = Feeder(store)
    feed(error(1, **dict(zip(keys, names, strict=False)), title=names[8]))
    feed(error(2, **dict(zip(keys, names[::-1], strict=False)), title=names[8]))
    assert [issue.count for issue in store.queries.list_issues().issues] == [1, 1]
    (facet,) = store.queries.get_issue(only(store, service_name=names[0])).environments  # type: ignore[union-attr]
    assert names[2].startswith(facet.name)
    assert len(facet.name.encode()) == directory.MAX_KEY_BYTES
    assert store.queries.metrics_snapshot().event_totals


def test_a_record_that_the_database_cannot_hold_is_told_apart_from_a_database_that_fails(stores: Stores) -> None:
    """Else the consumer would wait for ever: it sets such a record aside (test_consumer.py)."""
    store = stores.open()
    bad = error(1, title="NUL\0")
    if stores.system == "postgresql":
        with pytest.raises(UnstorableValue, match="NUL") as caught:
            store.apply("q", [(1, bad)], now=NOW)
        assert not isinstance(caught.value, StoreUnavailable)
        assert URL_PASSWORD not in str(caught.value)
    else:
        store.apply("q", [(1, bad)], now=NOW)
    assert store.apply("q", [(2, error(2))], now=NOW).counted == 1


def test_an_order_that_is_not_by_bytes_changes_no_page(stores: Stores) -> None:
    """PostgreSQL sorts texts by language; what a cursor compares is sorted the same way in the same database."""
    store = stores.open()
    Feeder(store)(
        *(
            error(n, fingerprint=f"fp1:{n:032x}", time_unix_nano=START, service_name=name)
            for n, name in enumerate(["a-b", "ab", "A", "b", "B", "a b", "ä", "_", "Z", "-"])
        )
    )
    seen, cursor = [], None
    while True:
        page = store.queries.list_issues(limit=3, cursor=cursor)
        seen += [issue.id for issue in page.issues]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 10


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_postgresql_without_its_extra_names_the_mend(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreUnavailable, match=r"pip install 'otel-errors\[postgres\]'") as caught:
        IssueStore.open(f"{scheme}://u:secret@h/d")
    assert "secret" not in str(caught.value)


# --- several openers, and the end of the world ---


def test_readers_and_people_beside_the_consumer(stores: Stores) -> None:
    store, other = stores.open("shared"), stores.open("shared")
    failures: list[BaseException] = []
    done = threading.Event()
    Feeder(store)(error(0))
    issue = only(store)

    def look() -> None:
        last = 0
        try:
            while not done.is_set():
                snapshot = other.queries.metrics_snapshot()
                (row,) = other.queries.list_issues().issues
                total = sum(total.total for total in snapshot.event_totals)
                assert last <= total <= row.count
                last = total
        except BaseException as error:
            failures.append(error)

    def act() -> None:
        try:
            for n in range(15):
                other.commands.assign(issue, f"person {n}", actor="ada")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=look), threading.Thread(target=look), threading.Thread(target=act)]
    for thread in threads:
        thread.start()
    for start in range(1, 401, 40):
        store.apply("q", numbered([error(n) for n in range(start, start + 40)], start + 1), now=NOW)
    threads[2].join(60)
    done.set()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert store.queries.list_issues().issues[0].count == 401
    assert store.queries.list_issues().issues[0].assignee == "person 14"


def test_two_writers_by_turns(stores: Stores) -> None:
    one, two = stores.open("shared"), stores.open("shared")
    for n in range(12):
        store = (one, two)[n % 2]
        store.apply("q", [(n + 1, error(n, fingerprint=f"fp1:{n:032x}", release=f"1.{n}", type=f"T{n}"))], now=NOW)
    assert len(one.queries.list_issues().issues) == 12


def test_a_failed_transaction_leaves_nothing_and_forgets_what_it_made(
    store: IssueStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(occurrences, "store", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.apply("q", [(1, error(1))], now=NOW)
    assert store.position("q") == 0
    assert store.queries.list_issues().issues == []
    assert store.apply("q", [(1, error(1))], now=NOW).counted == 1


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_removed_or_replaced_takes_no_more_counts(tmp_path: Path, replaced: bool) -> None:
    """SQLite would count on in the file that nobody finds any more: gone with the next start."""
    store = open_store(tmp_path, "issues")
    store.apply("q", [(1, error(1))], now=NOW)
    path = tmp_path / "issues.sqlite3"
    path.rename(tmp_path / "kept")
    if replaced:
        open_store(tmp_path, "issues").close()
    for attempt in (lambda: store.apply("q", [(2, error(2))], now=NOW), lambda: store.position("q")):
        with pytest.raises(StoreUnavailable, match="removed or replaced"):
            attempt()
    assert path.exists() == replaced
    path.unlink(missing_ok=True)
    (tmp_path / "kept").rename(path)
    assert store.apply("q", [(2, error(2))], now=NOW).counted == 1
    store.close()


KILLED = """
import sys, itertools
from pathlib import Path
from collector_processor.issues.store import IssueStore
from tests.collector_processor.issues.errors import error

store = IssueStore.open(sys.argv[1])
position = store.position("q")
print("from", position, flush=True)
for start in itertools.count(max(0, position // 2 - 40), 25):  # as a queue that was not trimmed: some come again
    events = [error(n, fingerprint=f"fp1:{n % 7:032x}", user=f"u{n % 50}") for n in range(start, start + 25)]
    # each error comes twice: as a span event and in the log
    records = [(2 * n + k + 1, event if k == 0 else error(n, signal="log", fingerprint=event.fingerprint))
               for n, event in zip(range(start, start + 25), events) for k in (0, 1)]
    done = store.apply("q", records)
    print("upto", done.position, flush=True)
"""


def test_counts_are_exact_after_kill_9(stores: Stores) -> None:
    """Killed at moments that nobody chose, in the middle of whatever it did; started again from the start each time."""
    url = stores.url("issues")
    for lines in (1, 3, 7, 5):
        child = subprocess.Popen([sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(lines):
            child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
        child.wait(30)
        child.stdout.close()
    store = stores.open("issues")
    applied = store.position("q")
    assert applied > 0
    issues = store.queries.list_issues(limit=100).issues
    assert sum(issue.count for issue in issues) == applied // 2
    with reading(store.engine) as connection:
        for table in ("series", "hours", "fingerprints"):
            total = connection.execute(text(f"SELECT sum(count) FROM {table}")).scalar()
            assert total == applied // 2, table
    assert sum(row.total for row in store.queries.metrics_snapshot().event_totals) == applied // 2
    assert sum(issue.users for issue in issues) == len({(n % 7, n % 50) for n in range(applied // 2)})
