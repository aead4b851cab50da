"""A small Loki client: JSON and gzip to ``/loki/api/v1/push``, one line an occurrence.

What an answer means (Loki 3.8, ``docs/sources/reference/loki-http-api.md`` and the distributor):

========================  =============================================================================================
204 (any 2xx but 260)     stored
260                       an ingestion block is set: dropped on purpose, never to be sent again
400, 422                  some lines are bad, the good ones of the request may be stored already: bisect, drop the bad,
count them 413                       the request is too large: halve; a single line that is too large is dropped 429,
5xx, anything else   nothing to blame on a line (rate limit, outage, wrong token or address): ``SinkUnavailable``, send
all again later ========================
=============================================================================================

Sending again is harmless: lines are deterministic and Loki drops exact repeats.
"""

from __future__ import annotations

import gzip
import logging
from collections.abc import Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

import httpx

from collector_processor.sink import PushResult, SinkRecord, SinkUnavailable
from collector_processor.sinks.loki_lines import MAX_BATCH_BYTES, Entry, Streams, batches, entry, push_body

OUTPUT: Final = "loki"
PUSH_PATH: Final = "/loki/api/v1/push"
MAX_RETRY_AFTER_SECONDS: Final = 300.0
MISCONFIGURED_SECONDS: Final = 30.0
"""Before the next try after a redirect, 401, 403, 404: a person has to mend something first."""
MAX_SPLIT_REQUESTS: Final = 256
"""Of one push. When every line is bad (a week-old backlog, a clock far ahead), finding each by bisection would take two
requests a line; past this many, what a request still answers with 400 counts as dropped as a whole. Loki has then
stored its good lines already."""

log = logging.getLogger(__name__)


class OutputMeter(Protocol):
    """The part of ``ServiceMetrics`` that an output needs."""

    def output_request(self, output: str, code: str | int) -> None: ...

    def dropped(self, signal: str, reason: str, items: int = 1, *, output: str = "") -> None: ...


class LokiSink:
    """Pushes counted events. One thread uses it at a time; ``close`` when done."""

    name = OUTPUT

    def __init__(
        self,
        url: str,
        *,
        tenant: str | None = None,
        bearer_token: str | None = None,
        metrics: OutputMeter | None = None,
        timeout_seconds: float = 10.0,
        max_batch_bytes: int = MAX_BATCH_BYTES,
    ) -> None:
        """``url`` without path: ``http://loki:3100``; user and password in it become basic authentication."""
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        if tenant:
            headers["X-Scope-OrgID"] = tenant
        if bearer_token:
            headers["Authorization"] = f"Bearer {bearer_token}"
        self._url = url.rstrip("/") + PUSH_PATH
        # Redirects are not followed: a token must not travel to where an answer points.
        self._client = httpx.Client(headers=headers, timeout=timeout_seconds, follow_redirects=False)
        self._metrics = metrics
        self._max_batch_bytes = max_batch_bytes
        self._streams = Streams()

    def push(self, lines: Sequence[SinkRecord]) -> PushResult:
        """Send all. ``dropped`` of the result: how many Loki will never have (bad or blocked lines); the metrics count
        them by reason.

        Raises ``SinkUnavailable`` when it has to be tried again with the same records; nothing is counted as dropped
        then.
        """
        attempt = _Attempt(self)
        for batch in batches((entry(line, self._streams) for line in lines), self._max_batch_bytes):
            attempt.send(batch)
        for reason, count in attempt.dropped.items():
            if self._metrics is not None:
                self._metrics.dropped("logs", reason, count, output=OUTPUT)
            log.warning("Loki did not take %d lines: %s", count, reason)
        return PushResult(dropped=sum(attempt.dropped.values()))

    def close(self) -> None:
        self._client.close()

    def post(self, batch: Sequence[Entry]) -> int:
        """One request; its status. Raises ``SinkUnavailable`` when there is none, or one that blames no line."""
        body = gzip.compress(push_body(batch), compresslevel=5, mtime=0)
        try:
            response = self._client.post(self._url, content=body)
        except httpx.TimeoutException:
            self._count("timeout")
            raise SinkUnavailable("Loki: no answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._count("unreachable")
            raise SinkUnavailable(f"Loki: {type(error).__name__}") from None
        self._count(response.status_code)
        if 200 <= response.status_code < 300 or response.status_code in (400, 413, 422):
            return response.status_code
        delay = retry_after(response.headers.get("Retry-After"))
        if delay is None:
            delay = MISCONFIGURED_SECONDS if response.status_code < 429 else 1.0
        raise SinkUnavailable(f"Loki: status {response.status_code}", retry_after_seconds=delay)

    def _count(self, code: str | int) -> None:
        if self._metrics is not None:
            self._metrics.output_request(OUTPUT, code)


class _Attempt:
    """One push on its way: what was dropped so far, and how many more requests a search for bad lines may take."""

    def __init__(self, sink: LokiSink) -> None:
        self._sink = sink
        self._splits_left = MAX_SPLIT_REQUESTS
        self.dropped: dict[str, int] = {}
        """Lines by reason."""

    def send(self, batch: list[Entry]) -> None:
        pending = [batch]
        while pending:
            part = pending.pop()
            status = self._sink.post(part)
            if status == 260:
                self._drop(part, "blocked")
            elif status == 413 and len(part) == 1:
                self._drop(part, "too_large")
            elif status in (400, 422) and (len(part) == 1 or self._splits_left <= 0):
                self._drop(part, "rejected")
            elif status in (400, 413, 422):
                # Too large has to be halved in any case, or good lines would be lost.
                self._splits_left -= 2
                middle = len(part) // 2
                pending += [part[middle:], part[:middle]]

    def _drop(self, part: Sequence[Entry], reason: str) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + len(part)


def retry_after(value: str | None, *, now: datetime | None = None) -> float | None:
    """Seconds that a ``Retry-After`` asks for (a number or a date), at most five minutes; None when absent or
    unreadable."""
    if not value:
        return None
    try:
        seconds = float(value) if value.strip().isdigit() else _until(value, now or datetime.now(timezone.utc))
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _until(value: str, now: datetime) -> float:
    when = parsedate_to_datetime(value)
    return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp() - now.timestamp()
