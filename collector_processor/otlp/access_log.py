"""A line a request for those who want it (``otlp.access_log``): who, what, how large, what became of it. Nothing of
what was sent."""

from __future__ import annotations

import logging

from collector_processor.otlp.exchange import Accepted, Outcome
from collector_processor.otlp.ingest_keys import IngestKey

log = logging.getLogger("otel_errors.access")


class AccessLog:
    """Writes to the logger ``otel_errors.access``."""

    def write(
        self, protocol: str, signal: str, peer: str, key: IngestKey | None, size: int, outcome: Outcome, seconds: float
    ) -> None:
        """``size``: bytes after decompression, 0 when the body was not read. A reason is ours or the next hop's,
        redacted."""
        reason = outcome.message if isinstance(outcome, Accepted) else outcome.reason
        log.info(
            "%s %s from %.64s key=%s %d bytes %s %.1f ms%s",
            protocol,
            signal,
            peer,
            key.id if key is not None else "-",
            size,
            type(outcome).__name__,
            seconds * 1000,
            f" {reason[:200]!r}" if reason else "",
        )
