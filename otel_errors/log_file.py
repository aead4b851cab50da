"""A log file that is rotated before it grows too large, also when several processes write it.

The standard library's handler counts characters instead of bytes, and two processes that rotate one file with it move
each other's lines away. Here every line is one appending write, a file that somebody else rotated (another process of
the application, logrotate) is found out before the next line and opened anew, and only one process rotates at a time.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from otel_errors.guard import tell_failure

if sys.platform != "win32":
    import fcntl

__all__ = ["RotatedFile"]

_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
_FileNumber = tuple[int, int]


class RotatedFile(logging.Handler):
    """Appends to ``path``; what is full becomes ``path.1``, that ``path.2`` and so on up to ``backup_count``.

    Raises ``OSError`` when the file cannot be opened, later nothing: a line that cannot be written is told on stderr.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     handler = RotatedFile(Path(folder) / "shop.log", max_bytes=14, backup_count=1)
    ...     for number in range(5):
    ...         handler.emit(logging.makeLogRecord({"msg": f"line {number}"}))
    ...     handler.close()
    ...     [(file.name, file.read_text()) for file in sorted(Path(folder).iterdir())]
    [('shop.log', 'line 4\\n'), ('shop.log.1', 'line 2\\nline 3\\n')]
    """

    def __init__(self, path: str | os.PathLike[str], *, max_bytes: int, backup_count: int) -> None:
        super().__init__()
        self.path: str = str(Path(path).absolute())
        """Absolute: the application may change its working directory."""
        self._max_bytes = max_bytes
        self._backup_count = backup_count
        self._descriptor = -1
        self._number: _FileNumber | None = None
        self._open()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            self._follow()
            size = os.fstat(self._descriptor).st_size
            if size and size + len(line) > self._max_bytes:
                self._rotate()
            while line:
                line = line[os.write(self._descriptor, line) :]
        except Exception as failure:
            tell_failure(f"writing a line to {self.path}", failure)

    def close(self) -> None:
        self.acquire()
        try:
            self._close()
        finally:
            self.release()
        super().close()

    def _open(self) -> None:
        self._descriptor = os.open(self.path, _FLAGS, 0o666)
        self._number = _number(os.fstat(self._descriptor))

    def _close(self) -> None:
        descriptor, self._descriptor, self._number = self._descriptor, -1, None
        if descriptor >= 0:
            os.close(descriptor)

    def _follow(self) -> None:
        """Be in the file that is at the path now."""
        if self._number is None or self._number != _number_at(self.path):
            self._close()
            self._open()

    def _rotate(self) -> None:
        full = self._number
        with _locked(self.path) as at_path:
            if at_path == full:  # else another process was first
                self._close()
                for older in range(self._backup_count - 1, 0, -1):
                    _move(f"{self.path}.{older}", f"{self.path}.{older + 1}")
                _move(self.path, f"{self.path}.1")
            self._follow()


@contextmanager
def _locked(path: str) -> Iterator[_FileNumber | None]:
    """The only one that rotates the file at ``path``, which is of the given number, as long as the block lasts."""
    if sys.platform == "win32":  # a file that another process has open cannot be moved there at all
        yield _number_at(path)
        return
    # A descriptor of its own: locks do not hold between processes that share one since a fork.
    descriptor = os.open(path, _FLAGS, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        number = _number_at(path)
        # Who waited has the lock of a file that was moved away meanwhile.
        yield number if number == _number(os.fstat(descriptor)) else None
    finally:
        os.close(descriptor)


def _move(source: str, target: str) -> None:
    try:
        os.replace(source, target)
    except FileNotFoundError:
        pass


def _number(status: os.stat_result) -> _FileNumber:
    return status.st_dev, status.st_ino


def _number_at(path: str) -> _FileNumber | None:
    try:
        return _number(os.stat(path))
    except FileNotFoundError:
        return None
