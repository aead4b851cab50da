"""The queue files of a folder: those of running workers, and what workers that no longer exist have left."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

from collector_processor.queue.file import QueueUnavailable
from collector_processor.queue.reader import QueueReader

PATTERN = "worker-*.sqlite3"
RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)


class QueueFolder:
    """One thread's open readers. A file that cannot be used is tried again later and stops none of the others."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._readers: dict[Path, QueueReader] = {}
        self._troubled: dict[Path, tuple[float, str]] = {}

    def readers(self) -> Iterator[QueueReader]:
        """A reader for each file that can be used, in order of name."""
        for path in sorted(self.path.glob(PATTERN)):
            reader = self._readers.get(path)
            if reader is not None and not reader.is_current():
                self._readers.pop(path).close()
                reader = None
            if reader is None:
                reader = self._open(path)
            if reader is not None:
                yield reader

    def _open(self, path: Path) -> QueueReader | None:
        if path in self._troubled and time.monotonic() < self._troubled[path][0]:
            return None
        try:
            reader = QueueReader.open(path)
        except QueueUnavailable as error:
            self._note(path, str(error))
            return None
        self._troubled.pop(path, None)
        self._readers[path] = reader
        return reader

    def drop(self, reader: QueueReader, problem: str) -> None:
        """This file failed: open it again in a while."""
        self._readers.pop(reader.path, None)
        reader.close()
        self._note(reader.path, problem)

    def _note(self, path: Path, problem: str) -> None:
        if path not in self._troubled:
            log.warning("queue file left for later: %s", problem)
        self._troubled[path] = (time.monotonic() + RETRY_SECONDS, problem)

    def problems(self) -> list[str]:
        """What is wrong with files that are there."""
        return [problem for path, (_, problem) in list(self._troubled.items()) if path.exists()]

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
