"""An error event as Loki wants it: stream labels, a line, structured metadata. Pure and deterministic: the same record
always gives the same bytes, so a repeated push stores nothing twice (Loki drops a line that equals one of the same
stream and nanosecond).

The stack goes into the line (limit 256 KB), where a logs panel shows it, never into structured metadata (64 KB a line,
whose excess Loki answers with a 400 that must not be retried). Labels are three and of few values: each label set is a
stream, and a tenant has 5,000 by default.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from collector_processor.events import ErrorEvent
from collector_processor.sink import SinkRecord
from collector_processor.sinks.tables import OTHER, label_text
from otel_errors.semconv import FRAMES, LAST_LOG_RECORDS, Severity

SOURCE: Final = "otel-errors"
"""The label by which a query finds our lines among others."""

MAX_LINE_BYTES: Final = 250_000
"""Below Loki's default ``max_line_size`` of 262,144, whose breach loses the line."""
MAX_HEADLINE_BYTES: Final = 16_000
MAX_METADATA_VALUE_BYTES: Final = 1_000
MAX_METADATA_BYTES: Final = 32_000
MAX_METADATA_ENTRIES: Final = 100
MAX_BATCH_BYTES: Final = 1_000_000
MAX_STREAMS: Final = 2_000

_TOO_LONG: Final = frozenset({FRAMES, LAST_LOG_RECORDS})
"""JSON texts that a page shows and nobody filters by."""

SHORTENED: Final = "\n[… shortened …]\n"

LEVELS: Final[dict[Severity, str]] = {"critical": "critical", "high": "error", "medium": "error", "low": "warning"}
"""``level`` is what Grafana colours a log line by; it does not know our words."""

Stream = tuple[str, str]
"""Service name and environment; ``""`` for no environment."""


class Entry(msgspec.Struct, frozen=True):
    """One line, with its place in the batch that it came in."""

    stream: Stream
    time_unix_nano: int
    line: str
    metadata: dict[str, str]
    size: int
    """Bytes of line and metadata, roughly what they take in the request before compression."""


class Streams:
    """Which label sets are in use. Past ``MAX_STREAMS`` a new service goes under ``other``, with its true name in the
    metadata: a flood of invented service names must not exhaust the tenant's streams and stop everybody's lines."""

    def __init__(self, limit: int = MAX_STREAMS) -> None:
        self._limit = limit
        self._known: set[Stream] = set()

    def of(self, event: ErrorEvent) -> Stream:
        stream = (label_text(event.service_name), label_text(event.environment))
        if stream not in self._known:
            if len(self._known) >= self._limit:
                return (OTHER, "")
            self._known.add(stream)
        return stream


def entry(record: SinkRecord, streams: Streams) -> Entry:
    """The line and its surroundings for one counted event."""
    stream = streams.of(record.event)
    line = line_of(record.event)
    metadata = metadata_of(record, stream)
    size = len(line.encode("utf-8", "replace")) + sum(len(k) + len(v) + 8 for k, v in metadata.items()) + 64
    return Entry(stream, record.event.time_unix_nano, line, metadata, size)


def line_of(event: ErrorEvent) -> str:
    """``Type: message``, then the stack text. What a reader sees first is what happened, also in languages whose stacks
    say it last.

    Too long a message is cut at its end, too long a stack at its beginning (its tail, in Python the error itself, is
    kept).
    """
    headline = ": ".join(part for part in (event.type, event.message) if part) or event.title or "error"
    headline = _head(headline, MAX_HEADLINE_BYTES)
    stack = event.stacktrace.strip("\n")
    if not stack:
        return headline
    if stack.startswith(headline):
        return _headed(stack, headline)
    return headline + "\n" + _tail(stack, MAX_LINE_BYTES - len(headline.encode("utf-8", "replace")) - 1)


def metadata_of(record: SinkRecord, stream: Stream) -> dict[str, str]:
    """What a query filters by without parsing: ``{source="otel-errors"} | issue_id="…"``. Flat, texts only, bounded in
    every direction."""
    event = record.event
    fixed = {
        "issue_id": record.issue_id,
        "fingerprint": event.fingerprint,
        "exception_type": event.type,
        "culprit": event.culprit,
        "severity": event.severity,
        "level": LEVELS[event.severity],
        "trace_id": event.trace_id,
        "span_id": event.span_id,
        "event_id": event.event_id,
        "support_reference": event.support_reference,
        "error_code": event.error_code,
        "release": event.release,
        "service_namespace": event.service_namespace,
        "handled": "" if event.handled is None else str(event.handled).lower(),
        "mechanism": event.mechanism,
        "enduser_pseudo_id": event.user,
        "service": event.service_name if stream[0] != event.service_name else "",
    }
    metadata: dict[str, str] = {}
    total = 0
    for name, value in (*fixed.items(), *_named("tag_", event.tags), *_named("", event.attributes)):
        if not value or name in metadata or len(metadata) >= MAX_METADATA_ENTRIES:
            continue
        text = _head(value, MAX_METADATA_VALUE_BYTES)
        size = len(name) + len(text.encode("utf-8", "replace"))
        if total + size > MAX_METADATA_BYTES:
            continue
        total += size
        metadata[name] = text
    return metadata


def batches(entries: Iterable[Entry], limit: int = MAX_BATCH_BYTES) -> Iterator[list[Entry]]:
    """Runs of at most ``limit`` bytes, in order; a single larger entry stands alone."""
    batch: list[Entry] = []
    size = 0
    for one in entries:
        if batch and size + one.size > limit:
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += one.size
    if batch:
        yield batch


def push_body(batch: Iterable[Entry]) -> bytes:
    """The JSON body of ``POST /loki/api/v1/push``, a stream per label set, lines in the order they came."""
    streams: dict[Stream, list[list[object]]] = {}
    for one in batch:
        streams.setdefault(one.stream, []).append([str(one.time_unix_nano), one.line, one.metadata])
    body = {"streams": [{"stream": _labels(stream), "values": values} for stream, values in streams.items()]}
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "replace")


def _labels(stream: Stream) -> dict[str, str]:
    labels = {"service_name": stream[0], "source": SOURCE}
    if stream[1]:
        labels["deployment_environment_name"] = stream[1]
    return labels


def _named(prefix: str, values: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Names as Loki writes them: ``http.route`` → ``http_route``."""
    for name in sorted(values.keys() - _TOO_LONG):
        spelled = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)[:100]
        whole = prefix + spelled
        yield ("_" + whole if whole[:1].isdigit() else whole), values[name]


def _head(text: str, limit: int) -> str:
    raw = text.encode("utf-8", "replace")
    return text if len(raw) <= limit else raw[: limit - 3].decode("utf-8", "ignore") + "…"


def _tail(text: str, limit: int) -> str:
    raw = text.encode("utf-8", "replace")
    if len(raw) <= limit:
        return text
    return SHORTENED.lstrip("\n") + raw[-(limit - len(SHORTENED.encode())) :].decode("utf-8", "ignore")


def _headed(stack: str, headline: str) -> str:
    """A stack that begins with the headline (Java, JavaScript): cut out of the middle, head and tail kept."""
    raw = stack.encode("utf-8", "replace")
    if len(raw) <= MAX_LINE_BYTES:
        return stack
    room = MAX_LINE_BYTES - len(headline.encode("utf-8", "replace")) - len(SHORTENED.encode())
    return headline + SHORTENED + raw[-room:].decode("utf-8", "ignore")
