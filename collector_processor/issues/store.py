"""The issue store: one door to what was counted.

``apply`` is for the consumer, ``commands`` for people, ``queries`` for everybody. Threads may share a store; processes
open their own. One process at a time calls ``apply``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

import msgspec
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError

from collector_processor.events import ErrorEvent
from collector_processor.issues import counting, database, occurrences, positions, references, schema
from collector_processor.issues.commands import IssueCommands
from collector_processor.issues.database import StoreUnavailable
from collector_processor.issues.directory import HOUR_NS, Directory
from collector_processor.issues.queries import IssueQueries
from collector_processor.issues.tallying import forget_identities
from collector_processor.sink import SinkRecord

__all__ = ["AppliedBatch", "IssueStore", "StoreUnavailable"]

logger = logging.getLogger(__name__)

MAX_IDENTITIES = 2_000_000
MAX_OCCURRENCE_BYTES = 1024**3
TREND_DAYS = 90
MAINTENANCE_SECONDS = 10.0
BODIES_SECONDS = 60.0
FORGET_CHUNK = 5_000
"""Rows removed in one transaction: commands of people wait no longer than this takes."""


class AppliedBatch(msgspec.Struct, frozen=True):
    """What ``apply`` did."""

    position: int
    """Everything of the queue file up to here is counted."""
    applied: int
    """Records of the batch that were not applied before."""
    counted: int
    """Errors among them; the rest were copies and requests that came again."""
    created: list[str]
    regressed: list[str]


class IssueStore:
    """See the module. Every method raises ``StoreUnavailable`` when the database fails; nothing is half done then."""

    def __init__(
        self,
        engine: Engine,
        *,
        occurrences_per_issue: int,
        occurrence_days: int,
        counting_window_seconds: int,
        max_identities: int,
        max_occurrence_bytes: int,
    ) -> None:
        self.engine = engine
        self.queries = IssueQueries(engine)
        self.commands = IssueCommands(engine)
        self._occurrences_per_issue = occurrences_per_issue
        self._occurrence_days = occurrence_days
        self._window = counting_window_seconds
        self._max_identities = max_identities
        self._max_occurrence_bytes = max_occurrence_bytes
        self._directory = Directory()
        self._lock = threading.Lock()
        self._identities: int | None = None
        self._maintained = 0.0
        self._bodies_checked = 0.0

    @classmethod
    def open(
        cls,
        url: str,
        *,
        occurrences_per_issue: int = 200,
        occurrence_days: int = 7,
        counting_window_seconds: int = 3600,
        max_identities: int = MAX_IDENTITIES,
        max_occurrence_bytes: int = MAX_OCCURRENCE_BYTES,
    ) -> IssueStore:
        """Open the store at an SQLAlchemy URL, make it when absent, bring it to this version's schema.

        ``max_identities`` bounds the rows that recognise what was counted already, whatever the window. Raises
        ``StoreUnavailable``, which is an ``OSError``.
        """
        return cls(
            database.open_engine(url),
            occurrences_per_issue=occurrences_per_issue,
            occurrence_days=occurrence_days,
            counting_window_seconds=counting_window_seconds,
            max_identities=max_identities,
            max_occurrence_bytes=max_occurrence_bytes,
        )

    def close(self) -> None:
        self.engine.dispose()

    def apply(
        self,
        queue_id: str,
        records: Sequence[tuple[int, ErrorEvent]],
        *,
        now: float | None = None,
        for_sinks: bool = False,
    ) -> AppliedBatch:
        """Count records of one queue file, by ascending position, in one transaction with the position reached.

        Records at positions that were applied before are left out, so a batch may be given again after any failure.
        ``for_sinks``: remember which did not count, for ``for_sink``. ``now``: the processor's clock, in seconds.
        """
        moment = time.time() if now is None else now
        with self._lock:
            try:
                batch = self._apply(queue_id, records, moment, for_sinks)
            except StoreUnavailable as error:
                self._directory.forget()
                if not isinstance(error.__cause__, IntegrityError):
                    raise
                # another process numbered rows in between: what this one remembered was old
                batch = self._apply(queue_id, records, moment, for_sinks)
            except BaseException:
                self._directory.forget()
                raise
        try:
            self.maintain_when_due(moment)
        except StoreUnavailable as error:  # the batch is counted; what is left over goes the next time
            logger.warning("the store could not be trimmed: %s", error)
        return batch

    def _apply(
        self, queue_id: str, records: Sequence[tuple[int, ErrorEvent]], now: float, for_sinks: bool
    ) -> AppliedBatch:
        with database.writing(self.engine) as connection:
            reached = positions.counted_upto(connection, queue_id)
            fresh = [record for record in records if record[0] > reached]
            if not fresh:
                return AppliedBatch(reached, 0, 0, [], [])
            result = counting.count(
                connection,
                self._directory,
                fresh,
                now=now,
                window=self._window,
                occurrences_per_issue=self._occurrences_per_issue,
            )
            if for_sinks:
                positions.note_uncounted(connection, queue_id, result.uncounted)
            reached = fresh[-1][0]
            positions.set_counted(connection, queue_id, reached)
        if self._identities is not None:
            self._identities += result.new_identities
        return AppliedBatch(reached, len(fresh), len(result.counted), result.created, result.regressed)

    def skip(self, queue_id: str, position: int) -> None:
        """Go on behind ``position`` without counting it: the record was set aside."""
        with database.writing(self.engine) as connection:
            if position > positions.counted_upto(connection, queue_id):
                positions.set_counted(connection, queue_id, position)

    def position(self, queue_id: str) -> int:
        """The last position of a queue file that was counted; 0 at the start."""
        with database.reading(self.engine) as connection:
            return positions.counted_upto(connection, queue_id)

    # --- sinks ---

    def sink_position(self, sink: str, queue_id: str) -> tuple[int, int]:
        """The last position that a sink has, and how many records of this file it lost for good."""
        with database.reading(self.engine) as connection:
            return positions.pushed_upto(connection, sink, queue_id)

    def advance_sink(self, sink: str, queue_id: str, position: int, *, dropped: int = 0) -> None:
        with database.writing(self.engine) as connection:
            positions.set_pushed(connection, sink, queue_id, position, dropped)

    def for_sink(self, queue_id: str, records: Sequence[tuple[int, ErrorEvent]]) -> list[SinkRecord]:
        """The counted ones among applied records, with their issues."""
        with database.reading(self.engine) as connection:
            return positions.for_sink(connection, queue_id, records)

    def forget_uncounted(self, queue_id: str, upto: int) -> None:
        """Every sink is past ``upto``."""
        with database.writing(self.engine) as connection:
            positions.forget_uncounted(connection, queue_id, upto)

    # --- bounds ---

    def maintain(self, now: float | None = None) -> None:
        """Remove what is past its bounds, now."""
        with self._lock:
            self._maintain(time.time() if now is None else now)

    def maintain_when_due(self, now: float) -> None:
        """``maintain`` every few seconds: called by ``apply``, and by a consumer that has nothing to apply."""
        if now - self._maintained >= MAINTENANCE_SECONDS or now < self._maintained:
            self.maintain(now)

    def _maintain(self, now: float) -> None:
        self._maintained = now
        self._forget_identities(now)
        if now - self._bodies_checked < BODIES_SECONDS and now >= self._bodies_checked:
            return
        self._bodies_checked = now
        with database.writing(self.engine) as connection:
            before = now - self._occurrence_days * 86400
            occurrences.forget(connection, received_before=before, max_bytes=self._max_occurrence_bytes)
            references.forget(connection, received_before=now - references.REFERENCE_DAYS * 86400)
            oldest_hour = int(now * 1e9) // HOUR_NS - TREND_DAYS * 24
            connection.execute(schema.hours.delete().where(schema.hours.c.hour < oldest_hour))

    def _forget_identities(self, now: float) -> None:
        if self._identities is None:
            with database.reading(self.engine) as connection:
                query = select(func.count()).select_from(schema.identities)
                self._identities = int(connection.execute(query).scalar() or 0)
        while True:
            crowded = self._identities - self._max_identities
            before = now + 1e9 if crowded > 0 else now - self._window
            limit = min(FORGET_CHUNK, crowded) if crowded > 0 else FORGET_CHUNK
            with database.writing(self.engine) as connection:
                removed = forget_identities(connection, before=before, limit=limit)
            self._identities -= removed
            if removed < limit:
                return
