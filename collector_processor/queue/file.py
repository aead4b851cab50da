"""A queue file: its tables, how it is opened, how much is in it.

``records.total`` is the running sum of sizes, so that the bytes between any two positions are one subtraction, whoever
trims meanwhile. Nothing is ever removed from the middle except records that cannot be read, so the number of records is
a subtraction too.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
import uuid
from pathlib import Path

import msgspec

logger = logging.getLogger(__name__)

BUSY_SECONDS = 5.0
RECORD_OVERHEAD_BYTES = 64
"""Counted for each record on top of its body: what SQLite needs around it, so that many small records are bounded too.
"""

_TABLES = """
CREATE TABLE IF NOT EXISTS queue (id TEXT NOT NULL, created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS records (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  appended REAL NOT NULL,
  size INTEGER NOT NULL,
  total INTEGER NOT NULL,
  body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS dead_letters (
  position INTEGER PRIMARY KEY,
  set_aside REAL NOT NULL,
  reason TEXT NOT NULL,
  body BLOB NOT NULL
);
"""
_NOT_A_QUEUE = ("file is not a database", "malformed", "file is encrypted")


class QueueFull(Exception):
    """The queue holds as many bytes as it may; nothing of this append was stored. Retry when the consumer has caught
    up.
    """


class QueueUnavailable(Exception):
    """The queue file cannot be written or read now (disk, permissions, lock); nothing of this append counts as stored.
    Retry later.
    """


class QueueDepth(msgspec.Struct, frozen=True):
    """What waits in a queue file. ``oldest_seconds`` is 0 when it is empty."""

    events: int
    bytes: int
    oldest_seconds: float


def connect(path: Path, *, create: bool) -> sqlite3.Connection:
    """Open ``path`` in WAL mode, every commit synced (``synchronous=FULL``), transactions begun by hand. Raises
    ``sqlite3.Error`` or ``OSError``.

    With ``create`` the folder, the file (readable by the owner only) and the tables are made when absent. The file is
    made under another name and gets its own when it is whole: a reader never meets a half-made one, and the change to
    WAL, for which SQLite waits for nobody, has no rival.
    """
    if create:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make_file(path)
    return _open(path, create=create)


def _make_file(path: Path) -> None:
    made = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex}")
    try:
        os.close(os.open(made, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        _open(made, create=True).close()
        os.link(made, path)
    except FileExistsError:
        pass  # another process made it meanwhile
    finally:
        made.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # or a power cut takes the name away from what was acknowledged
    finally:
        os.close(folder)


def _open(path: Path, *, create: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA journal_size_limit=67108864")
        if create:
            _make_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'dead_letters'").fetchone()[0]:
        return
    # executescript would commit before it starts: each statement by itself, inside one transaction, or a second opener
    # sees half of the tables
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in filter(str.strip, _TABLES.split(";")):
            connection.execute(statement)
        if connection.execute("SELECT count(*) FROM queue").fetchone()[0] == 0:
            connection.execute("INSERT INTO queue VALUES (?, ?)", (uuid.uuid4().hex, time.time()))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def set_aside_when_damaged(path: Path, error: Exception) -> bool:
    """Move a file that SQLite cannot read out of the way (it is kept, beside the new one). False when ``error`` is
    about something else.
    """
    if not (isinstance(error, sqlite3.DatabaseError) and any(sign in str(error) for sign in _NOT_A_QUEUE)):
        return False
    aside = f"{path}.damaged-{time.time_ns()}"
    for suffix in ("", "-wal", "-shm"):
        try:
            os.replace(f"{path}{suffix}", f"{aside}{suffix}")
        except FileNotFoundError:
            pass
    logger.error("queue file %s is damaged (%s): kept as %s, a new one takes its place", path, error, aside)
    return True


def live_bytes(connection: sqlite3.Connection) -> int:
    """Bytes between the first and the last record, both included."""
    first = connection.execute("SELECT total - size FROM records ORDER BY position LIMIT 1").fetchone()
    return last_total(connection) - first[0] if first else 0


def last_total(connection: sqlite3.Connection) -> int:
    """The running sum at the last record; 0 when there is none (the sum may then start again: only differences are
    used).
    """
    last = connection.execute("SELECT total FROM records ORDER BY position DESC LIMIT 1").fetchone()
    return int(last[0]) if last else 0


def depth(connection: sqlite3.Connection, now: float) -> QueueDepth:
    """See ``QueueDepth``. Records set aside in the middle count until what stood before them is trimmed."""
    connection.execute("BEGIN")
    try:
        first = connection.execute("SELECT position, appended FROM records ORDER BY position LIMIT 1").fetchone()
        if first is None:
            return QueueDepth(0, 0, 0.0)
        last = connection.execute("SELECT position FROM records ORDER BY position DESC LIMIT 1").fetchone()
        return QueueDepth(last[0] - first[0] + 1, live_bytes(connection), max(0.0, now - first[1]))
    finally:
        connection.execute("COMMIT")


def same_file(path: Path, inode: int) -> bool:
    """False when the file at ``path`` was removed or replaced: SQLite would go on writing into the one that nobody can
    find any more.
    """
    try:
        return os.stat(path).st_ino == inode
    except OSError:
        return False
