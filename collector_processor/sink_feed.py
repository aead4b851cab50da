"""Feeds one sink with what was counted, at the sink's own pace, from the queue files behind a cursor of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from collector_processor.issues.store import IssueStore, StoreUnavailable
from collector_processor.queue import QueueReader, QueueUnavailable
from collector_processor.queue.folder import QueueFolder
from collector_processor.sink import Sink, SinkUnavailable

PUSH_RECORDS = 500
POLL_SECONDS = 0.5
FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 60.0

log = logging.getLogger(__name__)


class SinkFeed:
    """A thread for one sink. Its cursor moves only after the sink took the records, so they come at least once."""

    def __init__(
        self,
        sink: Sink,
        folder: QueueFolder,
        store: IssueStore,
        max_lag_bytes: int,
        on_lost: Callable[[str, int], None],
    ) -> None:
        self.name = sink.name
        self.problem = ""
        """Why the sink takes nothing now; empty when it does."""
        self.dropped = 0
        self._sink = sink
        self._folder = folder
        self._store = store
        self._max_lag_bytes = max_lag_bytes
        self._on_lost = on_lost
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._deadline = 0.0
        self._not_before = 0.0
        self._backoff = FIRST_BACKOFF_SECONDS
        self._thread = threading.Thread(target=self._run, name=f"sink-{sink.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self, deadline: float) -> None:
        """End. Until ``deadline`` (monotonic seconds) it still pushes what is counted, unless the sink fails."""
        self._deadline = deadline
        self._stopping.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(max(1.0, deadline - time.monotonic()))

    def position(self, reader: QueueReader) -> int:
        """The last position of a file that the sink has, or has lost. Raises ``StoreUnavailable``."""
        return self._store.sink_position(self.name, reader.queue_id)[0]

    def has(self, reader: QueueReader) -> bool:
        """Whether the sink has all that was counted of a file."""
        return self.position(reader) >= min(reader.last(), self._store.position(reader.queue_id))

    def _run(self) -> None:
        while True:
            moved = self._round()
            if self._stopping.is_set():
                if not moved or self.problem or time.monotonic() >= self._deadline:
                    break
            elif not moved:
                self._wake.wait(POLL_SECONDS)
                self._wake.clear()
        self._folder.close()

    def _round(self) -> bool:
        """A push from each file; whether there was one."""
        moved = False
        for reader in self._folder.readers():
            try:
                self._bound_lag(reader)
                if time.monotonic() >= self._not_before:
                    moved |= self._push(reader)
            except QueueUnavailable as error:
                self._folder.drop(reader, str(error))
            except StoreUnavailable as error:
                self._wait(str(error), FIRST_BACKOFF_SECONDS)
        return moved

    def _push(self, reader: QueueReader) -> bool:
        counted = self._store.position(reader.queue_id)
        records = [record for record in reader.read(self.position(reader), PUSH_RECORDS) if record[0] <= counted]
        if not records:
            return False
        lines = self._store.for_sink(reader.queue_id, records)
        dropped = 0
        if lines:
            try:
                dropped = self._sink.push(lines).dropped
            except SinkUnavailable as error:
                self._wait(str(error), error.retry_after_seconds)
                return False
            except Exception as error:  # a mistake in a sink must not end its thread: the queue would fill
                log.exception("sink %s failed", self.name)
                self._wait(f"{type(error).__name__}: {error}", FIRST_BACKOFF_SECONDS)
                return False
        self._store.advance_sink(self.name, reader.queue_id, records[-1][0], dropped=dropped)
        self.dropped += dropped
        self._backoff = FIRST_BACKOFF_SECONDS
        self.problem = ""
        return True

    def _wait(self, problem: str, seconds: float) -> None:
        if not self.problem:
            log.warning("sink %s: %s", self.name, problem)
        self.problem = problem
        self._not_before = time.monotonic() + min(max(seconds, self._backoff), LONGEST_BACKOFF_SECONDS)
        self._backoff = min(2 * self._backoff, LONGEST_BACKOFF_SECONDS)

    def _bound_lag(self, reader: QueueReader) -> None:
        """Give up the oldest records when more wait than may: the queue must not fill because a sink is down."""
        counted = self._store.position(reader.queue_id)
        position = self.position(reader)
        if position >= counted:
            return
        if reader.bytes_between(position, counted) <= self._max_lag_bytes:
            return
        # a tenth more than has to go, so that the next record does not ask again
        keep_behind = reader.position_with_bytes_left(counted, self._max_lag_bytes - self._max_lag_bytes // 10)
        if keep_behind <= position:
            return
        lost = reader.count(after=position, upto=keep_behind)
        log.warning("sink %s is too far behind: %d records are lost to it", self.name, lost)
        self._store.advance_sink(self.name, reader.queue_id, keep_behind, dropped=lost)
        self.dropped += lost
        self._on_lost(self.name, lost)
