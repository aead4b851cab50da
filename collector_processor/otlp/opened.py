"""A request, opened as far as its errors need: what they are, whose they are, and the bytes that go on.

Two ways to the same result. ``Whole`` has every message decoded, which JSON needs anyway. ``Sparse`` decodes, of a
protobuf request, the spans and records that may hold an error, and leaves every other byte as it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from google.protobuf.message import DecodeError, EncodeError
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector_processor.otlp import carriers
from collector_processor.otlp.carriers import Ordinals, Part, ResourceTexts, has_failed, service_name
from collector_processor.otlp.codec import BadPayload, decode, encode
from collector_processor.otlp.envelope import Envelope, data_points, open_envelope, spans_at_a_glance
from collector_processor.otlp.exchange import Encoding, TelemetrySignal
from collector_processor.otlp.needles import ERROR_NEEDLES, STATUS_NEEDLE, holding, present


class Opened(Protocol):
    """``parts``: what has to do with errors; changed in place before ``encoded`` is called."""

    parts: list[Part]

    def items(self) -> dict[str, int]:
        """Service name → how many spans, log records or data points of it the request holds."""

    def encoded(self) -> bytes:
        """The request as protobuf, with what was changed in ``parts``. Raises ``BadPayload``: nested too deep."""


def open_request(signal: TelemetrySignal, encoding: Encoding, payload: bytes) -> Opened:
    """Raises ``BadPayload`` for what is no request of that signal."""
    return Sparse(signal, payload) if encoding == "protobuf" else Whole(signal, encoding, payload)


class Whole:
    """Every message decoded."""

    def __init__(self, signal: TelemetrySignal, encoding: Encoding, payload: bytes) -> None:
        self._message = decode(signal, encoding, payload)
        self.parts = carriers.find(self._message)

    def items(self) -> dict[str, int]:
        return carriers.items(self._message)

    def encoded(self) -> bytes:
        return encode(self._message)


class Sparse:
    """The envelope, and the spans or records of it that may hold an error."""

    def __init__(self, signal: TelemetrySignal, payload: bytes) -> None:
        self._signal = signal
        self._envelope: Envelope = open_envelope(signal, payload)
        self._decoded: list[tuple[Any, int, Span | LogRecord]] = []
        self.parts: list[Part] = []
        if signal == "traces":
            failed, events = spans_at_a_glance(signal, payload)
            needles = present(payload, ERROR_NEEDLES) if events else []
            if needles or failed:
                self._find_in_traces([*needles, STATUS_NEEDLE] if failed else needles, failed)
        elif signal == "logs":
            needles = present(payload, ERROR_NEEDLES)
            if needles:
                self._find_in_logs(needles)

    def items(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for sent in self._envelope.sent:
            if self._signal == "metrics":
                count = sum(data_points(metric) for scoped in sent.scoped for metric in scoped.items)
            else:
                count = sum(len(scoped.items) for scoped in sent.scoped)
            service = service_name(sent.resource)
            counts[service] = counts.get(service, 0) + count
        return counts

    def encoded(self) -> bytes:
        try:
            for scoped, index, item in self._decoded:
                scoped.items[index] = item.SerializeToString()
            return self._envelope.SerializeToString()  # type: ignore[no-any-return]
        except (EncodeError, ValueError):
            raise BadPayload("values are nested too deep for protobuf") from None

    def _find_in_traces(self, needles: Sequence[bytes], failed: int) -> None:
        self._parts_of_traces(needles)
        if failed > sum(has_failed(carrier.span) for part in self.parts for carrier in part.spans):
            # Legal, and as nobody writes it: a status whose bytes are not the ones that were looked for.
            self._decoded.clear()
            self._parts_of_traces([b""])

    def _parts_of_traces(self, needles: Sequence[bytes]) -> None:
        parts = []
        for sent in self._envelope.sent:
            about = ResourceTexts(sent.resource)
            for scoped in sent.scoped:
                spans = self._decode(scoped, Span, needles)
                parts.append(carriers.part_of_spans(sent, scoped, about, spans) if spans else None)
        self.parts = [part for part in parts if part is not None]

    def _find_in_logs(self, needles: Sequence[bytes]) -> None:
        ordinals = Ordinals()
        for sent in self._envelope.sent:
            about = ResourceTexts(sent.resource)
            for scoped in sent.scoped:
                records = self._decode(scoped, LogRecord, needles)
                part = carriers.part_of_records(sent, scoped, about, records, ordinals) if records else None
                if part is not None:
                    self.parts.append(part)

    def _decode(self, scoped: Any, kind: Any, needles: Sequence[bytes]) -> list[Any]:
        items = list(scoped.items)
        decoded = []
        for index in range(len(items)) if b"" in needles else holding(items, needles):
            try:
                item = kind.FromString(items[index])
            except DecodeError:
                raise BadPayload(
                    f"a {kind.DESCRIPTOR.name} cannot be read: cut short, nested too deep, or not UTF-8 text"
                ) from None
            decoded.append(item)
            self._decoded.append((scoped, index, item))
        return decoded
