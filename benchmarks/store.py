"""How fast errors are counted: occurrences over many issues, straight into the store, de-duplication included.

    python -m benchmarks store [--occurrences N] [--issues N] [--batch N] [--url URL]

Every issue gets its share at random, so a batch touches as many rows as it can: the worst case, a storm is easier.
Without ``--url`` a SQLite file in a temporary folder, synced as in production. Prints occurrences a second, by the
clock and by the processor time of this process; a PostgreSQL server works beside it.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from collector_processor.events import ErrorEvent
from collector_processor.issues.store import IssueStore

SERVICES, TYPES, RELEASES, USERS, FRAMES = 20, 300, 3, 2_000, 15


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks store", description="How fast errors are counted.")
    parser.add_argument("--occurrences", type=int, default=1_000_000)
    parser.add_argument("--issues", type=int, default=50_000)
    parser.add_argument(
        "--batch", type=int, default=1_000, help="records in one transaction (the consumer takes 1,000)"
    )
    parser.add_argument("--url", help="of an empty store; unset: a SQLite file")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        store = IssueStore.open(chosen.url or f"sqlite:///{Path(folder) / 'issues.sqlite3'}")
        try:
            return _measure(store, chosen.occurrences, chosen.issues, chosen.batch)
        finally:
            store.close()


def _measure(store: IssueStore, occurrences: int, issues: int, size: int) -> int:
    seconds = processor = 0.0
    counted = done = 0
    for batch in _batches(occurrences, issues, size):
        began, began_processor = time.perf_counter(), time.process_time()
        counted += store.apply("benchmark", batch).counted
        seconds += time.perf_counter() - began
        processor += time.process_time() - began_processor
        done += len(batch)
    print(f"{done:,} occurrences over {issues:,} issues, {size:,} a batch, on {store.engine.dialect.name}:")
    print(f"{done / seconds:,.0f} occurrences/s by the clock, {done / processor:,.0f}/s by the processor time")
    if counted != done:
        print(f"{counted:,} were counted", file=sys.stderr)
        return 1
    return 0


def _batches(occurrences: int, issues: int, size: int) -> Iterator[list[tuple[int, ErrorEvent]]]:
    chosen = random.Random(1)
    now = time.time_ns()
    for start in range(0, occurrences, size):
        numbers = range(start, min(start + size, occurrences))
        yield [(number + 1, _error(number, chosen, issues, now)) for number in numbers]


def _error(number: int, chosen: random.Random, issues: int, now: int) -> ErrorEvent:
    issue = chosen.randrange(issues)
    frames = "".join(f'  File "/app/shop/module_{issue}.py", line {n}, in step_{n}\n' for n in range(FRAMES))
    return ErrorEvent(
        signal="span_event",
        time_unix_nano=now - 10**9 + number,
        trace_id=f"{chosen.getrandbits(128):032x}",
        span_id=f"{chosen.getrandbits(64):016x}",
        service_name=f"service-{issue % SERVICES}",
        environment="production",
        release=f"1.{number % RELEASES}",
        type=f"shop.Error{issue % TYPES}",
        message=f"order {number} failed",
        stacktrace=f"Traceback (most recent call last):\n{frames}shop.Error: order {number} failed\n",
        language="python",
        fingerprint=f"fp1:{issue:032x}",
        raise_site=f"shop:step_{issue}",
        title=f"Error{issue % TYPES}: order <int> failed",
        culprit=f"shop.step_{issue}",
        user=f"{chosen.randrange(USERS):016x}",
    )
