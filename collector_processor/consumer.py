"""From the queue files into the issue store, and on to the sinks.

One thread counts; one for each sink pushes what was counted, behind its own cursor, so a sink that is down delays
nothing. Only one consumer runs for a queue folder, held by a file lock; a second one waits and says so. A record leaves
the queue file when it was counted and every sink has it, or has lost it for being too far behind.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from collector_processor.events import ErrorEvent
from collector_processor.issues.store import IssueStore, StoreUnavailable
from collector_processor.queue import QueueReader, QueueUnavailable
from collector_processor.queue.folder import QueueFolder
from collector_processor.sink import Sink
from collector_processor.sink_feed import SinkFeed

BATCH_RECORDS = 1_000
POLL_SECONDS = 0.05
GATHER_SECONDS = 0.2
"""Between two batches that are not full: a transaction costs as much as counting ten errors, and errors that come one
at a time would each have one."""
"""How soon an append is counted when there was nothing to do."""
TRIM_SECONDS = 1.0
FIRST_BACKOFF_SECONDS = 0.1
LONGEST_BACKOFF_SECONDS = 5.0
LAG_BYTES = 256 * 1024 * 1024
LOCK_FILE = "consumer.lock"

log = logging.getLogger(__name__)


class Consumer:
    """Counts what the queue files of a folder hold. ``start`` and ``stop`` once each, from any thread.

    ``max_sink_lag_bytes``: what a queue file keeps for a sink that does not take it; the oldest past that is lost to
    that sink: ``on_lost`` is told the sink's name and how many, from a thread of that sink. Keep it below the bound of
    the queue, or an outage of the sink fills the queue.
    """

    def __init__(
        self,
        queue_dir: Path,
        store: IssueStore,
        sinks: Sequence[Sink] = (),
        *,
        max_sink_lag_bytes: int = LAG_BYTES,
        on_lost: Callable[[str, int], None] = lambda sink, count: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = QueueFolder(queue_dir)
        self._lock_path = queue_dir / LOCK_FILE
        self._store = store
        self._feeds = [SinkFeed(sink, QueueFolder(queue_dir), store, max_sink_lag_bytes, on_lost) for sink in sinks]
        self._clock = clock
        self._stopping = threading.Event()
        self._draining = False
        self._drained = threading.Event()
        self._settled = threading.Event()
        """It is known whether this consumer has the lock or waits for it."""
        self._holds_lock = False
        self._store_problem = ""
        self._trimmed = 0.0
        self._untrimmed = True
        self._thread = threading.Thread(target=self._run, name="consumer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def has_lock(self, timeout: float) -> bool:
        """Whether this consumer is the one that counts; waits up to ``timeout`` seconds for another to end."""
        deadline = time.monotonic() + timeout
        while not self._holds_lock and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        return self._holds_lock

    def stop(self, *, drain: bool = True, timeout: float = 30.0) -> bool:
        """End. With ``drain`` everything in the queue files is counted first, for up to ``timeout`` seconds. True when
        nothing was left; what is left stays in the files and is counted by the next start."""
        deadline = time.monotonic() + timeout
        self._draining = drain
        if drain and self._thread.is_alive() and self._settled.wait(timeout) and self._holds_lock:
            self._drained.wait(timeout)
        self._stopping.set()
        for feed in self._feeds:
            feed.stop(deadline if drain else 0.0)
        if self._thread.ident is not None:
            self._thread.join(max(1.0, deadline - time.monotonic()))
        return self.caught_up()

    def caught_up(self, *, sinks: bool = False) -> bool:
        """Everything appended before the call is counted (by whichever consumer), with ``sinks`` also pushed."""
        folder = QueueFolder(self._folder.path)
        try:
            for reader in folder.readers():
                if reader.last() > self._store.position(reader.queue_id):
                    return False
                if sinks and any(not feed.has(reader) for feed in self._feeds):
                    return False
            return not folder.problems()
        except (QueueUnavailable, StoreUnavailable):
            return False
        finally:
            folder.close()

    def problems(self) -> list[str]:
        """Why counting does not go on, in words; empty when all is well. Sinks are not part of it: see
        ``sink_problems``.
        """
        found = []
        if not self._holds_lock and not self._stopping.is_set():
            found.append(f"another consumer holds {self._lock_path}")
        if self._store_problem:
            found.append(self._store_problem)
        return found + self._folder.problems()

    def sink_problems(self) -> list[str]:
        """Which sinks do not take records now, and why."""
        return [f"{feed.name}: {feed.problem}" for feed in self._feeds if feed.problem]

    def sink_dropped(self) -> dict[str, int]:
        """Records lost to each sink since this consumer started: refused by it, or too far behind."""
        return {feed.name: feed.dropped for feed in self._feeds}

    # --- the counting thread ---

    def _run(self) -> None:
        lock = self._take_lock()
        if lock is None:
            return
        try:
            for feed in self._feeds:
                feed.start()
            self._count_until_stopped()
        finally:
            self._folder.close()
            os.close(lock)  # gives the lock back
            self._holds_lock = False
            self._drained.set()

    def _take_lock(self) -> int | None:
        told = False
        while not self._stopping.is_set():
            try:
                self._lock_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                descriptor = os.open(self._lock_path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._holds_lock = True
                    self._settled.set()
                    return descriptor
                except OSError:
                    os.close(descriptor)
                    raise
            except OSError as error:
                if not told:
                    log.warning("%s: waiting for it: another consumer counts this folder (%s)", self._lock_path, error)
                    told = True
                self._settled.set()
                self._stopping.wait(0.5)
        return None

    def _count_until_stopped(self) -> None:
        backoff = FIRST_BACKOFF_SECONDS
        while not self._stopping.is_set():
            try:
                moved = self._round()
                self._store_problem = ""
                backoff = FIRST_BACKOFF_SECONDS
            except Exception as error:  # the store is down, or nobody thought of it: nothing is lost by waiting
                if not self._store_problem:
                    log.error("counting waits: %s", error, exc_info=not isinstance(error, StoreUnavailable))
                self._store_problem = str(error) or type(error).__name__
                self._stopping.wait(backoff)
                backoff = min(2 * backoff, LONGEST_BACKOFF_SECONDS)
                continue
            if moved:
                for feed in self._feeds:
                    feed.wake()
                if moved < BATCH_RECORDS and not self._draining:
                    self._stopping.wait(GATHER_SECONDS)
                continue
            if self._draining:
                self._drained.set()
            self._stopping.wait(POLL_SECONDS)

    def _round(self) -> int:
        """A batch from each file; how many records the largest had."""
        moved = 0
        for reader in self._folder.readers():
            try:
                position = self._store.position(reader.queue_id)
                records = reader.read(position, BATCH_RECORDS)
            except QueueUnavailable as error:
                self._folder.drop(reader, str(error))
                continue
            if records:
                self._apply(reader, records)
                moved = max(moved, len(records))
        self._untrimmed |= moved > 0
        due = time.monotonic() - self._trimmed >= TRIM_SECONDS
        if due or (self._untrimmed and not moved):
            self._trim()
        return moved

    def _apply(self, reader: QueueReader, records: Sequence[tuple[int, ErrorEvent]]) -> None:
        """Count the records. One that the store chokes on is found by halving and set aside: the rest goes on."""
        try:
            self._store.apply(reader.queue_id, records, now=self._clock(), for_sinks=bool(self._feeds))
        except StoreUnavailable:
            raise
        except Exception as error:  # a record that nobody thought of
            if len(records) == 1:
                position = records[0][0]
                log.exception("record %d of %s cannot be counted", position, reader.path)
                self._store.skip(reader.queue_id, position)
                try:
                    reader.set_aside(position, f"cannot be counted: {type(error).__name__}: {error}")
                except QueueUnavailable as problem:
                    log.error("record %d of %s could not be kept: %s", position, reader.path, problem)
                return
            half = len(records) // 2
            self._apply(reader, records[:half])
            self._apply(reader, records[half:])

    def _trim(self) -> None:
        self._trimmed = time.monotonic()
        self._untrimmed = False
        for reader in self._folder.readers():
            try:
                upto = self._store.position(reader.queue_id)
                if self._feeds:
                    upto = min(upto, *(feed.position(reader) for feed in self._feeds))
                if reader.trim(upto) and self._feeds:
                    self._store.forget_uncounted(reader.queue_id, upto)
            except QueueUnavailable as error:
                self._folder.drop(reader, str(error))
        self._store.maintain_when_due(self._clock())
