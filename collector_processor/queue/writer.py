"""The appending side: one thread writes, and everything that waits when it is free goes into one commit.

A synced commit costs about as much for one record as for a thousand, so concurrent appends share it: latency stays at
one or two commits and throughput grows with the load.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import msgspec

from collector_processor.events import ErrorEvent
from collector_processor.queue import file
from collector_processor.queue.file import QueueDepth, QueueFull, QueueUnavailable

GROUP_BYTES = 32 * 1024 * 1024
"""Of one commit: past that the rest waits for the next one, so that a reader is never kept out for long."""

_encoder = msgspec.msgpack.Encoder()


class _Append:
    __slots__ = ("bodies", "bytes", "done")

    def __init__(self, bodies: list[bytes]) -> None:
        self.bodies = bodies
        self.bytes = sum(map(len, bodies)) + file.RECORD_OVERHEAD_BYTES * len(bodies)
        self.done: Future[None] = Future()


class SqliteQueue:
    """A queue file that this process appends to. Safe from any thread and any event loop."""

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self.path = path
        self.max_bytes = max_bytes
        self._inbox: queue.SimpleQueue[_Append | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"queue-{path.stem}", daemon=True)

    @classmethod
    def open(cls, path: Path, *, max_bytes: int) -> SqliteQueue:
        """Open or create the file. ``max_bytes`` bounds the bodies and their overhead, not the file on disk (about a
        tenth more).

        A damaged file is renamed (``….damaged-<ns>``) and replaced. Raises ``QueueUnavailable`` when the file cannot be
        made or opened.
        """
        self = cls(path, max_bytes=max_bytes)
        try:
            self._connect()
        except (sqlite3.Error, OSError) as error:
            raise QueueUnavailable(f"{path}: {error}") from error
        self._thread.start()
        return self

    async def append(self, events: Sequence[ErrorEvent]) -> None:
        """Store ``events``, all or none; durable (synced to disk) on return. Raises ``QueueFull`` or
        ``QueueUnavailable``.
        """
        if events:
            await asyncio.wrap_future(self.submit(events))

    def submit(self, events: Sequence[ErrorEvent]) -> Future[None]:
        """``append`` for threads: the future ends when the events are durable, or with the error."""
        waiting = _Append([_encoder.encode(event) for event in events])
        with self._closing:
            if self._closed:
                waiting.done.set_exception(QueueUnavailable(f"{self.path}: closed"))
            else:
                self._inbox.put(waiting)
        return waiting.done

    def depth(self) -> QueueDepth:
        """What waits to be consumed. Raises ``QueueUnavailable``."""
        try:
            connection = file.connect(self.path, create=False)
            try:
                return file.depth(connection, time.time())
            finally:
                connection.close()
        except (sqlite3.Error, OSError) as error:
            raise QueueUnavailable(f"{self.path}: {error}") from error

    def close(self) -> None:
        """Write what waits, then close. Appends that come later get ``QueueUnavailable``."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._inbox.put(None)
        if self._thread.is_alive():
            self._thread.join()

    # --- the writing thread ---

    def _run(self) -> None:
        more = True
        while more:
            first = self._inbox.get()
            if first is None:
                break
            group, more = self._gather(first)
            self._write(group)
        self._disconnect()

    def _gather(self, first: _Append) -> tuple[list[_Append], bool]:
        group, size = [first], first.bytes
        while size < GROUP_BYTES:
            try:
                waiting = self._inbox.get_nowait()
            except queue.Empty:
                break
            if waiting is None:
                return self._live(group), False
            group.append(waiting)
            size += waiting.bytes
        return self._live(group), True

    @staticmethod
    def _live(group: list[_Append]) -> list[_Append]:
        # whoever asked for a cancelled append was never told "stored": leaving it out is right, and writing it would be
        # too
        return [waiting for waiting in group if waiting.done.set_running_or_notify_cancel()]

    def _write(self, group: list[_Append]) -> None:
        try:
            refused = self._commit(group)
        except Exception as error:  # whatever it is, the appends must be answered and the thread must live
            self._disconnect()
            for waiting in group:
                waiting.done.set_exception(QueueUnavailable(f"{self.path}: {error}"))
            return
        for waiting in group:
            if waiting in refused:
                waiting.done.set_exception(
                    QueueFull(
                        f"{self.path}: {waiting.bytes} bytes do not fit into the {self.max_bytes} of queue.max_bytes"
                    )
                )
            else:
                waiting.done.set_result(None)

    def _commit(self, group: list[_Append]) -> set[_Append]:
        if self._connection is None or not file.same_file(self.path, self._inode):
            self._disconnect()
            self._connect()
        connection = self._connection
        if connection is None:
            raise QueueUnavailable("not open")
        now = time.time()
        refused: set[_Append] = set()
        connection.execute("BEGIN IMMEDIATE")
        try:
            held, total = file.live_bytes(connection), file.last_total(connection)
            rows: list[tuple[float, int, int, bytes]] = []
            for waiting in group:
                if held + waiting.bytes > self.max_bytes:
                    refused.add(waiting)
                    continue
                held += waiting.bytes
                for body in waiting.bodies:
                    size = len(body) + file.RECORD_OVERHEAD_BYTES
                    total += size
                    rows.append((now, size, total, body))
            connection.executemany("INSERT INTO records (appended, size, total, body) VALUES (?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return refused

    def _connect(self) -> None:
        try:
            self._connection = file.connect(self.path, create=True)
        except sqlite3.DatabaseError as error:
            if not file.set_aside_when_damaged(self.path, error):
                raise
            self._connection = file.connect(self.path, create=True)
        self._inode = os.stat(self.path).st_ino

    def _disconnect(self) -> None:
        if self._connection is not None:
            try:
                self._connection.close()
            except sqlite3.Error:
                pass
            self._connection = None
