"""The promise of docs/counting.md, over arbitrary histories: the same records give the same figures, in whatever order,
number, batches and queue files they come, and whoever is killed or started again in between."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector_processor.events import ErrorEvent
from collector_processor.issues import identity
from collector_processor.issues.store import IssueStore
from tests.collector_processor.issues.errors import NOW, START, error, numbered
from tests.collector_processor.issues.stores import Stores, empty
from tests.collector_processor.issues.test_identity import figures

EXAMPLES = {"sqlite": 120, "postgresql": 25}
FILES = ("worker-0", "worker-1", "worker-2")


class Killed(Exception):
    """Stands for the end of the process: nothing of the transaction is kept, nothing is remembered."""


class Step(NamedTuple):
    """A batch comes out of a queue file."""

    file: str
    events: list[ErrorEvent]
    before: str
    """What happens first: nothing, a ``restart``, a ``kill`` inside the transaction of this very batch, or ``again``:
    the transaction was done and its answer was lost, so the same batch comes once more."""


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
            service_name=f"shop-{group}",
            environment=draw(st.sampled_from(["production", "staging"])),
            release=draw(st.sampled_from(["", "1.0", "1.1"])),
            severity=draw(st.sampled_from(["high", "medium"])),
            user=draw(st.sampled_from(["", "u1", "u2"])),
            type=draw(st.sampled_from(["shop.CardDeclined", "CardDeclined"])),
            message=f"{kind} {group} {moment} {ordinal}",
        )
    return list(found.values())


@st.composite
def histories(draw: st.DrawFn, events: list[ErrorEvent]) -> list[Step]:
    """Every record at least once, some more often: interleaved over queue files, cut into batches."""
    again = draw(st.lists(st.sampled_from(events), max_size=12))
    arrived = draw(st.permutations(events + again))
    cuts = sorted(draw(st.lists(st.integers(0, len(arrived)), max_size=6)))
    parts = [arrived[start:end] for start, end in zip([0, *cuts], [*cuts, len(arrived)], strict=True)]
    happens = st.sampled_from(["nothing", "nothing", "restart", "kill", "again"])
    return [Step(draw(st.sampled_from(FILES)), part, draw(happens)) for part in parts if part]


@pytest.fixture(scope="module")
def pair(shared_stores: Stores) -> tuple[IssueStore, IssueStore]:
    return shared_stores.open(), shared_stores.open()


def play(store: IssueStore, history: list[Step], monkeypatch: pytest.MonkeyPatch) -> IssueStore:
    reached = dict.fromkeys(FILES, 0)
    for step in history:
        batch = numbered(step.events, reached[step.file] + 1)
        reached[step.file] += len(batch)
        if step.before == "restart":
            store._directory.forget()
        if step.before == "kill":
            with monkeypatch.context() as patch:
                patch.setattr("collector_processor.issues.positions.set_counted", _killed)
                with pytest.raises(Killed):
                    store.apply(step.file, batch, now=NOW)
        if step.before == "again":
            store.apply(step.file, batch, now=NOW)
        store.apply(step.file, batch, now=NOW)
    return store


def _killed(*_: object) -> None:
    raise Killed


def test_order_repetition_batches_files_and_restarts_change_nothing(
    pair: tuple[IssueStore, IssueStore], shared_stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    @settings(
        max_examples=EXAMPLES[shared_stores.system],
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(events=records(), data=st.data())
    def check(events: list[ErrorEvent], data: st.DataObject) -> None:
        # groups that outgrow their tally after one moment, after two, and never
        monkeypatch.setattr(identity, "MAX_INLINE", data.draw(st.sampled_from([1, 2, 64])))
        expected = figures(play(empty(pair[0]), [Step(FILES[0], events, "nothing")], monkeypatch))
        assert figures(play(empty(pair[1]), data.draw(histories(events)), monkeypatch)) == expected

    check()
