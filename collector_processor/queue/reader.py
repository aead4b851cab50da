"""The consuming side of a queue file, whoever wrote it and whether or not that worker still lives."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from collector_processor.events import ErrorEvent
from collector_processor.queue import file
from collector_processor.queue.file import QueueDepth, QueueUnavailable

READ_BYTES = 8 * 1024 * 1024
"""Of one read, whatever its limit: bounds the memory of whoever processes the batch."""
TRIM_RECORDS = 5_000
"""Removed in one transaction: the worker that wants to append waits no longer than this takes."""
MAX_DEAD_LETTERS = 1_000

_decoder = msgspec.msgpack.Decoder(ErrorEvent)
_T = TypeVar("_T")


class QueueReader:
    """One thread's view of a queue file. Every method raises ``QueueUnavailable`` when the file cannot be used (retry
    later).
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, inode: int, queue_id: str) -> None:
        self.path = path
        self.queue_id = queue_id
        """Made once with the file: a new file of the same name is another queue, whose positions start again."""
        self._connection = connection
        self._inode = inode

    @classmethod
    def open(cls, path: Path) -> QueueReader:
        """Open an existing queue file. Raises ``QueueUnavailable``."""
        try:
            connection = file.connect(path, create=False)
            try:
                # losing a trim costs nothing (the store knows what was counted), so it does not wait for the disk
                connection.execute("PRAGMA synchronous=NORMAL")
                row = connection.execute("SELECT id FROM queue").fetchone()
                inode = os.stat(path).st_ino
            except BaseException:
                connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise QueueUnavailable(f"{path}: {error}") from error
        if row is None:
            connection.close()
            raise QueueUnavailable(f"{path}: not a queue file: it has no id")
        return cls(path, connection, inode, row[0])

    def read(self, after: int, limit: int) -> list[tuple[int, ErrorEvent]]:
        """Up to ``limit`` records (and ``READ_BYTES``) behind position ``after``, in order; empty at the end.

        A record that cannot be read is set aside with the reason and left out.
        """
        while True:
            rows = self._rows(after, limit)
            records: list[tuple[int, ErrorEvent]] = []
            for position, body in rows:
                try:
                    records.append((position, _decoder.decode(body)))
                except (msgspec.MsgspecError, UnicodeDecodeError, TypeError) as error:
                    self.set_aside(position, f"cannot be read: {error}")
            if records or not rows:
                return records
            after = rows[-1][0]

    def trim(self, upto: int) -> int:
        """Remove the records up to and including position ``upto``; returns how many."""
        removed = 0
        while True:
            first = self._first()
            if first is None or first > upto:
                return removed
            removed += self._delete_upto(min(upto, first + TRIM_RECORDS - 1))

    def set_aside(self, position: int, reason: str) -> None:
        """Move one record to the dead letters (the newest ``MAX_DEAD_LETTERS`` are kept), so that it stops nobody."""

        def move(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.execute(
                    "INSERT OR REPLACE INTO dead_letters SELECT position, ?, ?, body FROM records WHERE position = ?",
                    (time.time(), reason[:500], position),
                )
                connection.execute("DELETE FROM records WHERE position = ?", (position,))
                connection.execute(
                    "DELETE FROM dead_letters WHERE position <= "
                    "(SELECT position FROM dead_letters ORDER BY position DESC LIMIT 1 OFFSET ?)",
                    (MAX_DEAD_LETTERS,),
                )
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

        file.logger.error("queue file %s: record %d is set aside: %s", self.path, position, reason[:500])
        self._run(move)

    def dead_letters(self) -> list[tuple[int, str]]:
        """Position and reason of each record that was set aside, oldest first."""
        return self._run(lambda c: c.execute("SELECT position, reason FROM dead_letters ORDER BY position").fetchall())

    def last(self) -> int:
        """The position of the last record that is there; 0 when there is none."""
        row = self._run(lambda c: c.execute("SELECT position FROM records ORDER BY position DESC LIMIT 1").fetchone())
        return int(row[0]) if row else 0

    def bytes_between(self, after: int, upto: int) -> int:
        """Of the records behind ``after``, up to and including ``upto``."""
        first = "SELECT total - size FROM records WHERE position > ? ORDER BY position LIMIT 1"
        last = "SELECT total FROM records WHERE position <= ? ORDER BY position DESC LIMIT 1"
        row = self._run(lambda c: c.execute(f"SELECT ({last}) - ({first})", (upto, after)).fetchone())
        return max(0, row[0] or 0)

    def position_with_bytes_left(self, upto: int, max_bytes: int) -> int:
        """The first position behind which at most ``max_bytes`` lie up to ``upto``."""
        last = "SELECT total FROM records WHERE position <= ? ORDER BY position DESC LIMIT 1"
        query = f"SELECT position - 1 FROM records WHERE total - size >= ({last}) - ? ORDER BY position LIMIT 1"  # noqa: S608
        row = self._run(lambda c: c.execute(query, (upto, max_bytes)).fetchone())
        return min(upto, int(row[0])) if row else upto

    def count(self, *, after: int, upto: int) -> int:
        """Records behind ``after``, up to and including ``upto``."""
        query = "SELECT count(*) FROM records WHERE position > ? AND position <= ?"
        return int(self._run(lambda c: c.execute(query, (after, upto)).fetchone())[0])

    def depth(self) -> QueueDepth:
        """What is in the file, counted or not yet counted."""
        return self._run(lambda c: file.depth(c, time.time()))

    def is_current(self) -> bool:
        """False when the file was removed or replaced since it was opened: open it again."""
        return file.same_file(self.path, self._inode)

    def close(self) -> None:
        try:
            self._connection.close()
        except sqlite3.Error:
            pass

    def _delete_upto(self, position: int) -> int:
        return self._run(lambda c: c.execute("DELETE FROM records WHERE position <= ?", (position,)).rowcount)

    def _first(self) -> int | None:
        row = self._run(lambda c: c.execute("SELECT position FROM records ORDER BY position LIMIT 1").fetchone())
        return int(row[0]) if row else None

    def _rows(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        def fetch(connection: sqlite3.Connection) -> list[tuple[int, bytes]]:
            cursor = connection.execute(
                "SELECT position, body FROM records WHERE position > ? ORDER BY position LIMIT ?", (after, limit)
            )
            rows: list[tuple[int, bytes]] = []
            size = 0
            for position, body in cursor:
                rows.append((position, body))
                size += len(body)
                if size >= READ_BYTES:
                    break
            cursor.close()
            return rows

        return self._run(fetch)

    def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            return work(self._connection)
        except sqlite3.Error as error:
            raise QueueUnavailable(f"{self.path}: {error}") from error
