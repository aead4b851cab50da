"""Counted once: the same whatever the order, the number of deliveries and the batches."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from sqlalchemy import text

from collector_processor.events import ErrorEvent
from collector_processor.issues.database import reading
from collector_processor.issues.identity import identity
from collector_processor.issues.store import IssueStore
from tests.collector_processor.issues.errors import NOW, START, error, numbered
from tests.collector_processor.issues.stores import Stores, empty


def apply_to(store: IssueStore, batches: list[list[ErrorEvent]]) -> IssueStore:
    position = 1
    for batch in batches:
        store.apply("q", numbered(batch, position), now=NOW)
        position += len(batch)
    return store


def figures(store: IssueStore) -> dict[str, object]:
    """Everything that is counted, as plain values."""
    queries = {
        "fingerprints": "SELECT s.name, f.fingerprint, f.count, f.first_seen, f.last_seen "
        "FROM fingerprints f JOIN services s ON s.id = f.service_id WHERE f.count > 0",
        "issues": "SELECT id, count, users, first_seen, last_seen, severity FROM issues WHERE count > 0",
        "series": "SELECT f.fingerprint, c.environment, c.release, c.type, c.severity, c.handled, c.count "
        "FROM series c JOIN fingerprints f ON f.id = c.fingerprint_id WHERE c.count > 0",
        "hours": "SELECT f.fingerprint, h.hour, h.count "
        "FROM hours h JOIN fingerprints f ON f.id = h.fingerprint_id WHERE h.count > 0",
        "users": "SELECT f.fingerprint, u.pseudonym, u.environment "
        "FROM users u JOIN fingerprints f ON f.id = u.fingerprint_id",
        "environments": "SELECT e.issue_id, e.environment, e.total - e.owed, e.users, e.first_seen, e.last_seen "
        "FROM issue_environments e JOIN issues i ON i.id = e.issue_id WHERE i.count > 0",
        # Of one bug's labels the exposed counter keeps those of the copy that came first: only the sum has no order.
        "totals": "SELECT s.name, sum(t.total - t.owed) "
        "FROM event_totals t JOIN services s ON s.id = t.service_id GROUP BY s.name",
        "releases": "SELECT s.name, r.release, r.first_seen FROM releases r JOIN services s ON s.id = r.service_id",
    }
    with reading(store.engine) as connection:
        return {name: sorted(map(tuple, connection.execute(text(query)))) for name, query in queries.items()}


def counts(store: IssueStore) -> dict[str, int]:
    return {issue.fingerprints[0][-1]: issue.count for issue in store.queries.list_issues(limit=100).issues}


TABLE: list[tuple[str, list[ErrorEvent], dict[str, int]]] = [
    ("one error on span and log is one", [error(1), error(1, signal="log", time_unix_nano=START + 5)], {"a": 1}),
    (
        "also when the log says the type without its module",
        [error(1), error(1, signal="log", type="CardDeclined", ordinal=3)],
        {"a": 1},
    ),
    ("three retries in one span are three", [error(1, time_unix_nano=START + n) for n in range(3)], {"a": 3}),
    ("two in the same nanosecond have an ordinal", [error(1), error(1, ordinal=1)], {"a": 2}),
    (
        "three retries on the span and two of them in the log are three",
        [error(1, time_unix_nano=START + n) for n in range(3)]
        + [error(1, signal="log", time_unix_nano=START + 10 + n) for n in range(2)],
        {"a": 3},
    ),
    (
        "two on the span and three in the log are three",
        [error(1, time_unix_nano=START + n) for n in range(2)]
        + [error(1, signal="log", time_unix_nano=START + 10 + n) for n in range(3)],
        {"a": 3},
    ),
    (
        "another raise site is another error",
        [error(1), error(1, raise_site="shop.stock:reserve", fingerprint="fp1:" + "b" * 32)],
        {"a": 1, "b": 1},
    ),
    ("another span is another error", [error(1), error(1, span_id="f" * 16)], {"a": 2}),
    ("an event id is one error, in any trace, at any time", [error(n, event_id="e1") for n in range(5)], {"a": 1}),
    ("other event ids in one span are other errors", [error(1, event_id="e1"), error(1, event_id="e2")], {"a": 2}),
    ("without trace and event id each record counts", [error(n, trace_id="", span_id="") for n in range(3)], {"a": 3}),
    (
        "a request that comes again without trace and event id counts once",
        [error(n % 3, trace_id="", span_id="") for n in range(9)],
        {"a": 3},
    ),
    (
        "another process is another error",
        [error(1, trace_id="", span_id="", resource_instance=name) for name in ("one", "two")],
        {"a": 2},
    ),
    (
        "a copy under another fingerprint counts where the span says",
        [error(1), error(1, signal="log", fingerprint="fp1:" + "b" * 32)],
        {"a": 1},
    ),
    (
        "copies of an event id count where the first span event says",
        [
            error(1, event_id="e", time_unix_nano=START + 9, fingerprint="fp1:" + "c" * 32),
            error(1, event_id="e", time_unix_nano=START + 5),
            error(1, event_id="e", time_unix_nano=START, signal="log", fingerprint="fp1:" + "b" * 32),
        ],
        {"a": 1},
    ),
]


@pytest.fixture(scope="module")
def opened(shared_stores: Stores) -> IssueStore:
    return shared_stores.open()


@pytest.fixture
def store(opened: IssueStore) -> IssueStore:
    return empty(opened)


@pytest.mark.parametrize(("events", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_counts(store: IssueStore, events: list[ErrorEvent], expected: dict[str, int]) -> None:
    apply_to(store, [events])
    assert counts(store) == expected
    one_batch = figures(store)
    backwards = apply_to(empty(store), [[event] for event in reversed(events)])
    assert counts(backwards) == expected
    assert figures(backwards) == one_batch
    assert figures(apply_to(empty(store), [events, events[::-1], events])) == one_batch


@st.composite
def records(draw: st.DrawFn) -> list[ErrorEvent]:
    """Errors that share traces, spans, event ids, times: what a record says beside them follows from these."""
    found: dict[tuple[object, ...], ErrorEvent] = {}
    for _ in range(draw(st.integers(1, 14))):
        kind = draw(st.sampled_from(["event", "trace", "trace", "trace", "record"]))
        group, signal = draw(st.integers(0, 2)), draw(st.sampled_from(["span_event", "log"]))
        moment, ordinal = draw(st.integers(0, 4)) * 1_800_000_000_000, draw(st.integers(0, 1))
        key = (kind, group, signal, moment, ordinal)
        if key in found:
            continue
        found[key] = error(
            group,
            signal=signal,
            time_unix_nano=START + moment,
            ordinal=ordinal,
            event_id=f"e{group}" if kind == "event" else "",
            trace_id=f"{group + 1:032x}" if kind == "trace" else "",
            span_id=f"{group + 1:016x}" if kind == "trace" else "",
            fingerprint="fp1:" + draw(st.sampled_from("abc")) * 32,
            environment=draw(st.sampled_from(["production", "staging"])),
            release=draw(st.sampled_from(["", "1.0", "1.1"])),
            severity=draw(st.sampled_from(["high", "medium"])),
            user=draw(st.sampled_from(["", "u1", "u2"])),
            type=draw(st.sampled_from(["shop.CardDeclined", "CardDeclined"])),
            message=f"{kind} {group} {moment} {ordinal}",
        )
    return list(found.values())


def test_a_group_larger_than_its_tally_stays_exact(store: IssueStore) -> None:
    events = [error(1, time_unix_nano=START + n) for n in range(500)]
    apply_to(store, [events[:100], events[50:300], events[:500], events[::-1]])
    assert counts(store) == {"a": 500}


def test_no_service_and_no_type_and_no_stack_is_counted_too(store: IssueStore) -> None:
    bare = ErrorEvent(signal="log", time_unix_nano=0, service_name="unknown_service", fingerprint="fp1:" + "0" * 32)
    apply_to(store, [[bare]])
    (issue,) = store.queries.list_issues().issues
    assert (issue.count, issue.last_seen) == (1, NOW)


def test_times_out_of_this_world_do_not_poison_the_issue(store: IssueStore) -> None:
    odd = [error(n, time_unix_nano=time) for n, time in enumerate((2**64 - 1, 2**63, int(NOW * 1e9) + 10**15, 1))]
    apply_to(store, [odd])
    (issue,) = store.queries.list_issues().issues
    assert (issue.count, issue.last_seen, issue.first_seen) == (4, NOW, 1e-9)


def test_the_window(stores: Stores) -> None:
    store = stores.open(counting_window_seconds=60)
    store.apply("q", [(1, error(1))], now=NOW)
    store.apply("q", [(2, error(1))], now=NOW + 50)  # repeated: known, and from now on for a window again
    store.apply("q", [(3, error(1))], now=NOW + 100)
    store.maintain(NOW + 100)
    store.apply("q", [(4, error(1))], now=NOW + 155)
    assert counts(store) == {"a": 1}
    store.maintain(NOW + 300)
    store.apply("q", [(5, error(1))], now=NOW + 300)
    assert counts(store) == {"a": 2}


def test_identities_are_bounded_in_number(stores: Stores) -> None:
    store = stores.open(max_identities=10)
    store.apply("q", numbered([error(n) for n in range(20)]), now=NOW)
    store.apply("q", numbered([error(n) for n in range(20, 30)], 21), now=NOW + 5)
    store.maintain(NOW + 6)
    with reading(store.engine) as connection:
        assert connection.execute(text("SELECT count(*), min(seen) FROM identities")).one() == (10, int(NOW + 5))
    assert counts(store) == {"a": 30}


def test_exposed_counters_never_go_back(store: IssueStore) -> None:
    """A span's copy that comes after the log's moves the count; the counter of the log's type waits for later ones."""
    log = {"signal": "log", "type": "CardDeclined", "fingerprint": "fp1:" + "b" * 32}
    exposed: dict[tuple[str, str], int] = {}
    position = 0
    for n in range(6):
        for event in (error(n, **log), error(n), error(100 + n, **log)):
            position += 1
            store.apply("q", [(position, event)], now=NOW)
            snapshot = store.queries.metrics_snapshot()
            now = {("type", row.type): row.total for row in snapshot.event_totals}
            now |= {(row.issue_id, row.environment): row.total for row in snapshot.issue_environments}
            # an issue whose count was moved away entirely has no series until it has an error of its own again
            assert all(now.get(key, value) >= value for key, value in exposed.items())
            exposed |= now
    assert counts(store) == {"a": 6, "b": 6}
    assert {value for key, value in exposed.items() if key[0] == "type"} == {6}


def test_identity_does_not_depend_on_the_order_of_tags() -> None:
    one = error(1, trace_id="", tags={"a": "1", "b": "2"}, attributes={"x": "1", "y": "2"})
    other = error(1, trace_id="", tags={"b": "2", "a": "1"}, attributes={"y": "2", "x": "1"})
    assert identity(one) == identity(other)
    assert identity(one) != identity(error(1, trace_id="", tags={"a": "1", "b": "3"}, attributes={"x": "1", "y": "2"}))
