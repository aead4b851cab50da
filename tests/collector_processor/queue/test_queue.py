"""Appended means durable; full, broken and removed files are told, and survived."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from collector_processor.queue import QueueFull, QueueReader, QueueUnavailable, SqliteQueue
from collector_processor.queue import reader as reader_module
from tests.collector_processor.issues.errors import error

BOUND = 10_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue" / "worker-0.sqlite3"


async def test_what_was_appended_is_read_in_order(path: Path) -> None:
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    events = [error(n, tags={"plan": "pro"}, message="café\U0001f600") for n in range(5)]
    await queue.append(events[:2])
    await queue.append([])
    await queue.append(events[2:])
    reader = QueueReader.open(path)
    assert reader.read(0, 100) == list(enumerate(events, 1))
    assert reader.read(1, 2) == [(2, events[1]), (3, events[2])]
    assert reader.read(5, 10) == []
    assert reader.last() == 5
    reader.close()
    queue.close()


async def test_concurrent_appends_share_commits_and_stay_whole(path: Path) -> None:
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    statements: list[str] = []
    assert queue._connection is not None
    queue._connection.set_trace_callback(statements.append)
    await asyncio.gather(*(queue.append([error(n * 10), error(n * 10 + 1)]) for n in range(200)))
    queue.close()
    reader = QueueReader.open(path)
    messages = [event.message for _, event in reader.read(0, 1000)]
    reader.close()
    assert sorted(messages) == sorted(f"card {n * 10 + k} declined" for n in range(200) for k in (0, 1))
    firsts = [int(message.split()[1]) for message in messages[::2]]
    assert [int(message.split()[1]) for message in messages[1::2]] == [first + 1 for first in firsts]
    assert statements.count("COMMIT") < 100


async def test_positions_go_on_after_trim_and_restart(path: Path) -> None:
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    await queue.append([error(n) for n in range(3)])
    reader = QueueReader.open(path)
    assert reader.trim(2) == 2
    assert reader.trim(2) == 0
    assert reader.trim(99) == 1
    queue.close()
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    await queue.append([error(7)])
    assert reader.read(0, 10) == [(4, error(7))]
    assert reader.queue_id == QueueReader.open(path).queue_id
    reader.close()
    queue.close()


async def test_trim_of_more_than_one_part(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "TRIM_RECORDS", 4)
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    await queue.append([error(n) for n in range(11)])
    reader = QueueReader.open(path)
    assert reader.trim(10) == 10
    assert [position for position, _ in reader.read(0, 20)] == [11]
    reader.close()
    queue.close()


async def test_a_full_queue_refuses_and_takes_again_after_trim(path: Path) -> None:
    queue = SqliteQueue.open(path, max_bytes=5_000)
    await queue.append([error(0, message="x" * 3_000)])
    with pytest.raises(QueueFull, match=r"max_bytes"):
        await queue.append([error(1, message="y" * 3_000)])
    await queue.append([error(2)])  # what fits goes on
    reader = QueueReader.open(path)
    assert [event.message[:4] for _, event in reader.read(0, 9)] == ["xxxx", "card"]
    reader.trim(1)
    await queue.append([error(1, message="y" * 3_000)])
    assert queue.depth().events == 2
    reader.close()
    queue.close()


async def test_one_append_is_stored_whole_or_not_at_all(path: Path) -> None:
    queue = SqliteQueue.open(path, max_bytes=5_000)
    with pytest.raises(QueueFull):
        await queue.append([error(0), error(1, message="x" * 6_000)])
    assert queue.depth().events == 0
    queue.close()


async def test_depth(path: Path) -> None:
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    assert (queue.depth().events, queue.depth().bytes, queue.depth().oldest_seconds) == (0, 0, 0.0)
    await queue.append([error(n) for n in range(4)])
    before = queue.depth()
    assert before.events == 4
    assert 0 <= before.oldest_seconds < 60
    reader = QueueReader.open(path)
    reader.trim(3)
    assert queue.depth().events == 1
    assert queue.depth().bytes * 4 == pytest.approx(before.bytes, abs=16)
    reader.close()
    queue.close()


async def test_bytes_between_and_the_position_that_leaves_so_many(path: Path) -> None:
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    await queue.append([error(n, message="m" * 1000) for n in range(10)])
    reader = QueueReader.open(path)
    each = reader.bytes_between(0, 1)
    assert reader.bytes_between(3, 7) == 4 * each
    assert reader.bytes_between(7, 7) == 0
    assert reader.position_with_bytes_left(10, 3 * each) == 7
    assert reader.position_with_bytes_left(8, 3 * each + 5) == 5
    assert reader.position_with_bytes_left(10, 100 * each) == 0
    assert reader.position_with_bytes_left(10, each - 1) == 10
    assert reader.count(after=2, upto=7) == 5
    reader.close()
    queue.close()


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x80", b"\x81\xa6signal\xa4what", b"\xff" * 100])
async def test_a_record_that_cannot_be_read_is_set_aside(path: Path, body: bytes) -> None:
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    await queue.append([error(n) for n in range(3)])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE records SET body = ? WHERE position = 2", (body,))
    connection.close()
    reader = QueueReader.open(path)
    assert [position for position, _ in reader.read(0, 10)] == [1, 3]
    assert [position for position, _ in reader.read(0, 10)] == [1, 3]
    ((position, reason),) = reader.dead_letters()
    assert position == 2
    assert "cannot be read" in reason
    reader.close()
    queue.close()


async def test_only_broken_records_end_in_an_empty_read_and_an_empty_queue(path: Path) -> None:
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    await queue.append([error(n) for n in range(5)])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE records SET body = x'00'")
    connection.close()
    reader = QueueReader.open(path)
    assert reader.read(0, 2) == []
    assert reader.last() == 0
    assert len(reader.dead_letters()) == 5
    reader.close()
    queue.close()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(QueueUnavailable, match="worker-0"):
        SqliteQueue.open(tmp_path / "file" / "worker-0.sqlite3", max_bytes=BOUND)
    with pytest.raises(QueueUnavailable, match="proc"):  # not even root writes here
        SqliteQueue.open(Path("/proc/worker-0.sqlite3"), max_bytes=BOUND)
    with pytest.raises(QueueUnavailable):
        QueueReader.open(tmp_path / "absent.sqlite3")
    assert not (tmp_path / "absent.sqlite3").exists()


def test_a_damaged_file_is_kept_aside_and_replaced(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database, " * 1000)
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    queue.submit([error(1)]).result(10)
    assert queue.depth().events == 1
    queue.close()
    (kept,) = path.parent.glob("*.damaged-*")
    assert kept.read_bytes().startswith(b"this is no database")


def test_a_removed_file_is_made_anew_and_the_reader_notices(path: Path) -> None:
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    queue.submit([error(1)]).result(10)
    reader = QueueReader.open(path)
    assert reader.is_current()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    assert not reader.is_current()
    queue.submit([error(2)]).result(10)
    again = QueueReader.open(path)
    assert [event for _, event in again.read(0, 9)] == [error(2)]
    assert again.queue_id != reader.queue_id
    for opened in (reader, again):
        opened.close()
    queue.close()


def test_files_are_for_the_owner_only(path: Path) -> None:
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    queue.submit([error(1)]).result(10)
    assert {oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()} == {"0o600"}
    queue.close()


async def test_closing_writes_what_waits_and_refuses_the_rest(path: Path) -> None:
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    waiting = [queue.submit([error(n)]) for n in range(50)]
    queue.close()
    queue.close()
    assert all(future.done() and future.exception() is None for future in waiting)
    with pytest.raises(QueueUnavailable, match="closed"):
        await queue.append([error(99)])


async def test_a_cancelled_append_harms_no_other(path: Path) -> None:
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    tasks = [asyncio.create_task(queue.append([error(n)])) for n in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [result for result in results[1::2] if result is not None] == []
    await queue.append([error(99)])
    stored = {event.message for _, event in _all(path)}
    assert {f"card {n} declined" for n in (*range(1, 20, 2), 99)} <= stored
    queue.close()


def _all(path: Path) -> list[tuple[int, object]]:
    reader = QueueReader.open(path)
    try:
        return reader.read(0, 100_000)  # type: ignore[return-value]
    finally:
        reader.close()


async def test_reading_and_trimming_while_others_append(path: Path) -> None:
    queue = SqliteQueue.open(path, max_bytes=BOUND)
    seen: list[str] = []
    failures: list[Exception] = []
    done = threading.Event()

    def consume() -> None:
        reader = QueueReader.open(path)
        position = 0
        try:
            while True:
                finished = done.is_set()
                records = reader.read(position, 37)
                if not records and finished:
                    break
                if records:
                    seen.extend(event.message for _, event in records)
                    position = records[-1][0]
                    reader.trim(position)
        except Exception as error:
            failures.append(error)
        finally:
            reader.close()

    consumer = threading.Thread(target=consume)
    consumer.start()
    for start in range(0, 600, 100):
        await asyncio.gather(*(queue.append([error(n)]) for n in range(start, start + 100)))
    done.set()
    consumer.join(30)
    queue.close()
    assert failures == []
    assert sorted(seen) == sorted(f"card {n} declined" for n in range(600))


DISK_TROUBLE = """
import asyncio, resource, sys
from pathlib import Path
from collector_processor.queue import SqliteQueue, QueueUnavailable, QueueReader
from tests.collector_processor.issues.errors import error

async def main():
    path = Path(sys.argv[1])
    queue = SqliteQueue.open(path, max_bytes=10**9)
    await queue.append([error(1)])
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    refused = 0
    for n in range(5):
        try:
            await queue.append([error(n, message="z" * 100_000)])
        except QueueUnavailable:
            refused += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await queue.append([error(2)])
    queue.close()
    print(refused, [e.message for _, e in QueueReader.open(path).read(0, 10)])

asyncio.run(main())
"""


def test_a_full_disk_refuses_and_recovers(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DISK_TROUBLE, str(path)], capture_output=True, text=True, timeout=60)
    assert done.stdout == "5 ['card 1 declined', 'card 2 declined']\n", done.stderr


KILLED = """
import asyncio, sys
from pathlib import Path
from collector_processor.queue import SqliteQueue
from tests.collector_processor.issues.errors import error

async def main():
    queue = SqliteQueue.open(Path(sys.argv[1]), max_bytes=10**9)
    async def one(n):
        await queue.append([error(n)])
        print(n, flush=True)
    for start in range(0, 10**9, 16):
        await asyncio.gather(*(one(n) for n in range(start, start + 16)))

asyncio.run(main())
"""


@pytest.mark.parametrize("acknowledged_before", [1, 100, 333])
def test_what_was_acknowledged_is_there_after_kill_9(path: Path, acknowledged_before: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    told = [int(child.stdout.readline()) for _ in range(acknowledged_before)]
    os.kill(child.pid, signal.SIGKILL)
    told += [int(line) for line in child.stdout.read().splitlines() if line.strip()]
    child.wait(30)
    child.stdout.close()
    stored = {event.message for _, event in _all(path)}  # type: ignore[attr-defined]
    assert {f"card {n} declined" for n in told} <= stored
