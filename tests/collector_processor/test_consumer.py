"""From queue files to counts and sinks: nothing lost, nothing twice, nobody delayed by a sink that is down."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from collector_processor import consumer as consumer_module
from collector_processor.consumer import Consumer
from collector_processor.issues import counting
from collector_processor.issues.store import IssueStore, StoreUnavailable
from collector_processor.queue import QueueReader, SqliteQueue
from collector_processor.sink import PushResult, SinkRecord, SinkUnavailable
from tests.collector_processor.issues.errors import error
from tests.collector_processor.issues.stores import PostgresStores, open_store
from tests.postgresql import URL_PASSWORD, PostgresServer


def eventually(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "queue"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[IssueStore]:
    store = open_store(tmp_path, "issues")
    yield store
    store.close()


@pytest.fixture
def started() -> Iterator[list[Consumer]]:
    consumers: list[Consumer] = []
    yield consumers
    for consumer in consumers:
        consumer.stop(drain=False, timeout=5)


def queue_of(folder: Path, worker: int, numbers: Sequence[int]) -> SqliteQueue:
    queue = SqliteQueue.open(folder / f"worker-{worker}.sqlite3", max_bytes=10**8)
    if numbers:
        queue.submit([error(n) for n in numbers]).result(10)
    return queue


def total(store: IssueStore) -> int:
    return sum(issue.count for issue in store.queries.list_issues(limit=100).issues)


class ListSink:
    """Takes records, or does what it was told instead."""

    def __init__(self, name: str = "list") -> None:
        self.name = name
        self.taken: list[SinkRecord] = []
        self.trouble: Exception | None = None
        self.pushes = 0
        self.refused: set[str] = set()

    def push(self, lines: Sequence[SinkRecord]) -> PushResult:
        self.pushes += 1
        if self.trouble is not None:
            raise self.trouble
        good = [line for line in lines if line.event.message not in self.refused]
        self.taken.extend(good)
        return PushResult(dropped=len(lines) - len(good))

    def messages(self) -> list[str]:
        return [line.event.message for line in self.taken]


def test_every_file_is_counted_also_of_workers_that_are_gone(
    folder: Path, store: IssueStore, started: list[Consumer]
) -> None:
    queue_of(folder, 7, range(5)).close()
    alive = queue_of(folder, 0, range(100, 103))
    consumer = Consumer(folder, store)
    started.append(consumer)
    assert not consumer.caught_up()
    consumer.start()
    eventually(consumer.caught_up)
    assert total(store) == 8
    asyncio.run(alive.append([error(200)]))
    later = queue_of(folder, 1, [300])
    eventually(lambda: total(store) == 10)
    eventually(lambda: alive.depth().events == later.depth().events == 0)
    assert consumer.problems() == []
    alive.close()
    later.close()


def test_stop_empties_the_queue_first(folder: Path, store: IssueStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer_module, "BATCH_RECORDS", 10)
    queue = queue_of(folder, 0, range(200))
    consumer = Consumer(folder, store)
    consumer.start()
    assert consumer.stop(drain=True, timeout=30) is True
    assert total(store) == 200
    assert queue.depth().events == 0
    queue.close()


def test_stop_without_start_and_on_an_empty_folder(folder: Path, store: IssueStore) -> None:
    assert Consumer(folder, store).stop(timeout=1) is True
    consumer = Consumer(folder, store)
    consumer.start()
    assert consumer.stop(timeout=5) is True


def test_only_one_consumer_runs_and_the_next_takes_over(
    folder: Path, store: IssueStore, started: list[Consumer]
) -> None:
    queue = queue_of(folder, 0, range(3))
    first, second = Consumer(folder, store), Consumer(folder, store)
    started.extend((first, second))
    first.start()
    eventually(first.caught_up)
    second.start()
    eventually(lambda: second.problems() != [])
    assert "another consumer holds" in second.problems()[0]
    first.stop(drain=True, timeout=10)
    asyncio.run(queue.append([error(9)]))
    eventually(lambda: total(store) == 4)
    assert second.problems() == []
    queue.close()


def test_a_store_that_fails_is_waited_for(
    folder: Path, store: IssueStore, started: list[Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def down(*_: object, **__: object) -> None:
        calls.append(1)
        raise StoreUnavailable("store: disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(store, "apply", down)
        queue = queue_of(folder, 0, range(4))
        consumer = Consumer(folder, store)
        started.append(consumer)
        consumer.start()
        eventually(lambda: len(calls) >= 2)
        assert consumer.problems() == ["store: disk I/O error"]
        assert queue.depth().events == 4
    eventually(consumer.caught_up)
    assert total(store) == 4
    eventually(lambda: consumer.problems() == [])
    queue.close()


def test_a_record_that_cannot_be_counted_is_set_aside(
    folder: Path, store: IssueStore, started: list[Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = counting.effective_time

    def chokes(event: object, now: int) -> int:
        if event == error(5):
            raise ValueError("nobody thought of this")
        return real(event, now)  # type: ignore[arg-type]

    monkeypatch.setattr(counting, "effective_time", chokes)
    queue = queue_of(folder, 0, range(10))
    consumer = Consumer(folder, store)
    started.append(consumer)
    consumer.start()
    eventually(consumer.caught_up)
    assert total(store) == 9
    reader = QueueReader.open(folder / "worker-0.sqlite3")
    assert reader.dead_letters() == [(6, "cannot be counted: ValueError: nobody thought of this")]
    reader.close()
    queue.close()


def test_a_record_that_postgresql_cannot_hold_is_set_aside(
    folder: Path, postgresql: PostgresServer, started: list[Consumer]
) -> None:
    stores = PostgresStores(postgresql)
    store = stores.open("issues")
    queue = queue_of(folder, 0, range(4))
    queue.submit([error(4, release="NUL\0"), *(error(n) for n in range(5, 9))]).result(10)
    consumer = Consumer(folder, store)
    started.append(consumer)
    consumer.start()
    eventually(consumer.caught_up)
    assert total(store) == 8
    assert consumer.problems() == []
    reader = QueueReader.open(folder / "worker-0.sqlite3")
    ((position, reason),) = reader.dead_letters()
    assert position == 5
    assert "NUL" in reason
    assert URL_PASSWORD not in reason
    reader.close()
    queue.close()
    consumer.stop(drain=False, timeout=5)
    stores.close()


def test_a_damaged_file_stops_none_of_the_others(folder: Path, store: IssueStore, started: list[Consumer]) -> None:
    queue = queue_of(folder, 1, range(3))
    (folder / "worker-0.sqlite3").write_bytes(b"no database" * 500)
    consumer = Consumer(folder, store)
    started.append(consumer)
    consumer.start()
    eventually(lambda: total(store) == 3)
    eventually(lambda: consumer.problems() != [])
    assert "worker-0.sqlite3" in consumer.problems()[0]
    queue.close()


def test_a_sink_gets_each_counted_error_once_with_its_issue(
    folder: Path, store: IssueStore, started: list[Consumer]
) -> None:
    queue = queue_of(folder, 0, range(3))
    queue.submit([error(1), error(2, signal="log"), error(7)]).result(10)  # a repeated record, a copy, a new one
    sink = ListSink()
    consumer = Consumer(folder, store, [sink])
    started.append(consumer)
    consumer.start()
    eventually(lambda: consumer.caught_up(sinks=True))
    assert sink.messages() == [f"card {n} declined" for n in (0, 1, 2, 7)]
    (issue,) = store.queries.list_issues().issues
    assert {line.issue_id for line in sink.taken} == {issue.id}
    assert [line.position for line in sink.taken] == [1, 2, 3, 6]
    eventually(lambda: queue.depth().events == 0)
    queue.close()


def test_a_sink_that_is_down_delays_no_count_and_gets_everything_later(
    folder: Path, store: IssueStore, started: list[Consumer]
) -> None:
    queue = queue_of(folder, 0, range(50))
    down, up = ListSink("down"), ListSink("up")
    down.trouble = SinkUnavailable("connection refused", retry_after_seconds=0.01)
    consumer = Consumer(folder, store, [down, up])
    started.append(consumer)
    consumer.start()
    eventually(lambda: total(store) == 50 and len(up.taken) == 50)
    eventually(lambda: consumer.sink_problems() == ["down: connection refused"])
    assert consumer.caught_up()
    assert not consumer.caught_up(sinks=True)
    assert consumer.problems() == []
    assert queue.depth().events == 50
    down.trouble = None
    eventually(lambda: consumer.caught_up(sinks=True))
    assert len(down.taken) == 50
    assert consumer.sink_problems() == []
    eventually(lambda: queue.depth().events == 0)
    queue.close()


def test_a_sink_with_a_mistake_in_it_is_retried_and_what_it_refuses_is_counted(
    folder: Path, store: IssueStore, started: list[Consumer]
) -> None:
    queue = queue_of(folder, 0, range(4))
    sink = ListSink()
    sink.trouble = KeyError("mistake")
    sink.refused = {"card 2 declined"}
    consumer = Consumer(folder, store, [sink])
    started.append(consumer)
    consumer.start()
    eventually(lambda: consumer.sink_problems() == ["list: KeyError: 'mistake'"])
    sink.trouble = None
    eventually(lambda: consumer.caught_up(sinks=True))
    assert sink.messages() == [f"card {n} declined" for n in (0, 1, 3)]
    assert consumer.sink_dropped() == {"list": 1}
    queue.close()


def test_a_sink_goes_on_where_it_was_after_a_restart(folder: Path, store: IssueStore) -> None:
    queue = queue_of(folder, 0, range(3))
    sink = ListSink()
    consumer = Consumer(folder, store, [sink])
    consumer.start()
    consumer.stop(drain=True, timeout=20)
    assert len(sink.taken) == 3
    queue.submit([error(9)]).result(10)
    again = ListSink()
    consumer = Consumer(folder, store, [again])
    consumer.start()
    consumer.stop(drain=True, timeout=20)
    assert again.messages() == ["card 9 declined"]
    queue.close()


def test_a_sink_that_stays_down_does_not_fill_the_queue(
    folder: Path, store: IssueStore, started: list[Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = SqliteQueue.open(folder / "worker-0.sqlite3", max_bytes=60_000)
    sink = ListSink()
    sink.trouble = SinkUnavailable("down", retry_after_seconds=0.01)
    lost: list[tuple[str, int]] = []
    consumer = Consumer(
        folder, store, [sink], max_sink_lag_bytes=20_000, on_lost=lambda name, count: lost.append((name, count))
    )
    started.append(consumer)
    consumer.start()
    for start in range(0, 100, 10):
        queue.submit([error(n, message="x" * 500 + str(n)) for n in range(start, start + 10)]).result(10)
        eventually(lambda: queue.depth().bytes <= 30_000)
    eventually(consumer.caught_up)
    assert total(store) == 100
    sink.trouble = None
    eventually(lambda: consumer.caught_up(sinks=True))
    assert consumer.sink_dropped()["list"] + len(sink.taken) == 100
    assert {name for name, _ in lost} == {"list"}
    assert sum(count for _, count in lost) == consumer.sink_dropped()["list"]
    assert len(sink.taken) >= 15
    queue.close()


SERVICE = """
import sys
from pathlib import Path
from collector_processor.consumer import Consumer
from collector_processor.issues.store import IssueStore
from collector_processor.queue import SqliteQueue
from tests.collector_processor.issues.errors import error

folder = Path(sys.argv[1])
store = IssueStore.open(f"sqlite:///{folder / 'issues.sqlite3'}")
Consumer(folder / "queue", store).start()
queue = SqliteQueue.open(folder / "queue" / "worker-0.sqlite3", max_bytes=10**8)
for n in range(int(sys.argv[2]), 10**9):
    queue.submit([error(n), error(n, signal="log")]).result()
    print(n, flush=True)
"""


def test_no_acknowledged_error_is_lost_or_counted_twice_by_kill_9(tmp_path: Path, folder: Path) -> None:
    acknowledged: list[int] = []
    for lines in (5, 60, 23):
        start = str(acknowledged[-1] if acknowledged else 0)  # a client that heard nothing sends its last one again
        child = subprocess.Popen(
            [sys.executable, "-c", SERVICE, str(tmp_path), start], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        acknowledged += [int(child.stdout.readline()) for _ in range(lines)]
        os.kill(child.pid, signal.SIGKILL)
        acknowledged += [int(line) for line in child.stdout.read().splitlines()]
        child.wait(30)
        child.stdout.close()
    store = IssueStore.open(f"sqlite:///{tmp_path / 'issues.sqlite3'}")
    consumer = Consumer(folder, store)
    consumer.start()
    assert consumer.stop(drain=True, timeout=30)
    # the last append of each life may be stored without having been acknowledged
    assert len(set(acknowledged)) <= total(store) <= len(set(acknowledged)) + 1
    store.close()
