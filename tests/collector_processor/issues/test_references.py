from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from collector_processor.events import ErrorEvent
from collector_processor.issues import references, schema
from collector_processor.issues.database import reading
from collector_processor.issues.references import Found, look_up
from collector_processor.issues.store import IssueStore
from otel_errors.references import reference_of
from tests.collector_processor.issues.errors import NOW, error, numbered
from tests.collector_processor.issues.stores import Stores

DAY = 86_400.0


def referred(number: int, **fields: object) -> ErrorEvent:
    event_id = f"{number:032x}"
    return error(number, **{"event_id": event_id, "support_reference": reference_of(event_id), **fields})


class Fed:
    def __init__(self, stores: Stores, **limits: int) -> None:
        self.store = stores.open(**limits)
        self._position = 0

    def __call__(self, *events: ErrorEvent, now: float = NOW) -> None:
        self.store.apply("q", numbered(list(events), self._position + 1), now=now)
        self._position += len(events)

    def find(self, number: int) -> Found | None:
        return look_up(self.store.queries, self.store.engine, reference_of(f"{number:032x}"))


def segments(store: IssueStore) -> list[int]:
    with reading(store.engine) as connection:
        table = schema.reference_segments
        return list(connection.scalars(select(table.c.size).order_by(table.c.first)))


@pytest.fixture
def fed(stores: Stores) -> Fed:
    return Fed(stores, occurrences_per_issue=4)


def test_every_counted_event_is_found_and_few_are_kept(fed: Fed) -> None:
    for start in range(0, 240, 40):
        fed(*(referred(n) for n in range(start, start + 40)))
    found = [fed.find(n) for n in range(240)]
    issue = fed.store.queries.list_issues().issues[0]
    for number, one in enumerate(found):
        event = referred(number)
        assert one is not None
        assert (one.issue_id, one.event_id, one.trace_id) == (issue.id, event.event_id, event.trace_id)
        assert (one.time, one.service_name) == (pytest.approx(event.time_unix_nano / 1e9), "shop")
        assert one.occurrence is None or one.occurrence.event == event
    kept = [one for one in found if one is not None and one.occurrence is not None]
    assert 4 <= len(kept) <= 8
    assert fed.find(240) is None


def test_copies_are_one_and_repeated_deliveries_add_nothing(fed: Fed) -> None:
    span = referred(1)
    log = referred(1, signal="log", time_unix_nano=span.time_unix_nano + 5)
    fed(span, log)
    fed(span)
    fed(log, span)
    assert segments(fed.store) == [1]


def test_an_error_that_a_later_copy_moves_is_found_where_it_counts(fed: Fed) -> None:
    fed(referred(1, fingerprint="fp1:" + "b" * 32, signal="log"))
    fed(referred(1, fingerprint="fp1:" + "c" * 32, signal="span_event"))
    found = fed.find(1)
    counted = fed.store.queries.list_issues().issues
    assert found is not None
    assert [issue.id for issue in counted] == [found.issue_id]


def test_a_reference_follows_merges(fed: Fed) -> None:
    fed(*(referred(n) for n in range(50)))
    fed(referred(90, fingerprint="fp1:" + "b" * 32))
    target = fed.find(90)
    source = fed.find(20)
    assert target is not None
    assert source is not None
    assert source.issue_id != target.issue_id
    fed.store.commands.merge(target.issue_id, [source.issue_id], actor="ada")
    moved = [fed.find(n) for n in range(50)]
    assert {one.issue_id for one in moved if one is not None} == {target.issue_id}
    assert None not in moved


def test_what_senders_write_is_read_leniently_and_rubbish_is_left_out(fed: Fed) -> None:
    spelled = reference_of(f"{1:032x}").lower().replace("-", "").replace("0", "o").replace("1", "l")
    fed(referred(1, support_reference=spelled), referred(2, support_reference="AB-12"), referred(3))
    assert [fed.find(n) is not None for n in (1, 2, 3)] == [True, False, True]
    assert segments(fed.store) == [2]
    found = fed.find(1)
    assert found is not None
    assert found.occurrence is not None


def test_ids_of_any_kind_come_back_as_they_were(stores: Stores) -> None:
    fed = Fed(stores, occurrences_per_issue=1)
    ids = ["", "e1", "G" * 32, "A" * 32, "aa " * 10 + "aa", "0123456789abcdef" * 2, "ü" * 32]
    for number, event_id in enumerate(ids):
        fed(referred(number, event_id=event_id, trace_id="" if number % 2 else "f" * 32))
    fed(*(error(n) for n in range(100, 120)))
    found = [fed.find(number) for number in range(len(ids))]
    assert [one.event_id for one in found if one is not None] == ids
    assert [one.trace_id for one in found if one is not None] == ["f" * 32, ""] * 3 + ["f" * 32]
    assert sum(one.occurrence is not None for one in found if one is not None) <= 1


def test_small_batches_share_a_segment_until_it_is_full_or_a_day_old(fed: Fed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "SEGMENT_REFERENCES", 5)
    for number in range(12):
        fed(referred(number))
    assert segments(fed.store) == [5, 5, 2]
    fed(*(referred(n) for n in range(12, 21)))
    assert segments(fed.store) == [5, 5, 11]
    fed(referred(21), now=NOW + DAY)
    fed(referred(22), now=NOW + DAY + 10)
    fed(referred(23), now=NOW + 2 * DAY + 1)
    fed(referred(24), now=NOW + DAY)  # a clock that was set back
    assert segments(fed.store) == [5, 5, 11, 2, 1, 1]
    assert None not in [fed.find(n) for n in range(25)]


def test_references_are_bounded_in_number(fed: Fed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "SEGMENT_REFERENCES", 10)
    monkeypatch.setattr(references, "MAX_REFERENCES", 45)
    for start in range(0, 200, 4):
        fed(*(referred(n) for n in range(start, start + 4)))
        assert sum(segments(fed.store)) <= 45
    assert sum(segments(fed.store)) > 45 - 12
    assert None not in [fed.find(n) for n in range(170, 200)]
    assert fed.find(20) is None


def test_references_are_bounded_in_age(fed: Fed) -> None:
    fed(referred(1), now=NOW)
    fed(referred(2), now=NOW + 2 * DAY)
    fed.store.maintain(NOW + 90 * DAY)
    assert [fed.find(n) is not None for n in (1, 2)] == [True, True]
    fed.store.maintain(NOW + 91 * DAY)
    assert [fed.find(n) is not None for n in (1, 2)] == [False, True]
    fed.store.maintain(NOW + 93 * DAY)
    assert segments(fed.store) == []


def test_a_batch_that_fails_notes_nothing(fed: Fed, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("collector_processor.issues.states.note", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fed(referred(1))
    assert segments(fed.store) == []
    fed(referred(1))
    assert segments(fed.store) == [1]


def test_counts_do_not_depend_on_references(fed: Fed) -> None:
    """Two events that were given one reference: both count, the later is found."""
    shared = reference_of("shared")
    fed(error(1, event_id="a", support_reference=shared), error(2, event_id="b", support_reference=shared))
    with reading(fed.store.engine) as connection:
        assert connection.scalar(select(func.sum(schema.fingerprints.c.count))) == 2
    found = look_up(fed.store.queries, fed.store.engine, shared)
    assert found is not None
    assert found.event_id == "b"


@settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.binary(min_size=5, max_size=5).map(lambda key: bytes(b & 1 for b in key)), min_size=1), st.data())
def test_keys_are_found_only_where_they_begin(keys: list[bytes], data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from([*keys, b"\0\0\0\0\0", b"\1\0\1\0\1"]))
    last = max((index for index, key in enumerate(keys) if key == wanted), default=None)
    assert references._index(b"".join(keys), wanted) == last
