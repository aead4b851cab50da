"""Where error events go besides the issue store: what the consumer asks of an output, and what an output may answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from collector_processor.events import ErrorEvent


class SinkRecord(msgspec.Struct, frozen=True):
    """One counted occurrence. Copies of an error and repeated deliveries are not pushed."""

    event: ErrorEvent
    issue_id: str
    position: int
    """In its queue file: increases within one file, never comes again there; the same number may come from another
    worker's file.
    """


class PushResult(msgspec.Struct, frozen=True):
    """What became of a push that ended."""

    dropped: int = 0
    """Records that the output refuses for good (too long, malformed …) and that must not be pushed again."""


class SinkUnavailable(Exception):
    """The output cannot take the records now; the same records are pushed again later."""

    def __init__(self, reason: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class Sink(Protocol):
    """An output with a cursor of its own, kept in the store under ``name``.

    ``push`` returns when every record is stored or finally dropped, and raises ``SinkUnavailable`` when all of them
    shall come again. It runs in a thread of its own, so it may block; a repeated push must leave the same content
    (records are deterministic).
    """

    name: str

    def push(self, lines: Sequence[SinkRecord]) -> PushResult: ...
