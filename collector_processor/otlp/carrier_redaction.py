"""Redact every text that a carrier of an error holds: names, messages, attributes at any depth, bytes that hold text.

What a redactor replaces is decided by the text and by the key it stands under; here is only where texts stand. Keys of
nested values are joined by dots (``user.email``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, Protocol

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_.\-]*\Z")
_MAX_KEY: Final = 256
_STRUCTURE: Final = re.compile(r"\s*(?:\{\s*\"|\[\s*[\"\[{0-9-])")
_ANY_WORD: Final = "Xk3vQ9Zt7m"
_READABLE: Final = re.compile(rb"[\t\n\r\x20-\x7e]{4,}")
"""What can be read inside a binary value."""


class _Redaction(Protocol):
    @property
    def rule(self) -> str: ...


class TextRedactor(Protocol):
    """What ``stages.redact.Redactor`` does."""

    def text(self, text: str, key: str | None = None, /) -> tuple[str, Sequence[_Redaction]]: ...


class RequestRedaction:
    """The redactor, for one request: each distinct text is looked at once (nested spans repeat the whole stack text)
    and each distinct finding is counted once, by service and rule."""

    def __init__(self, redactor: TextRedactor) -> None:
        self._redactor = redactor
        self._known: dict[tuple[str, str | None], tuple[str, int]] = {}
        self.service = ""
        """Whose texts come next."""
        self.counts: Counter[tuple[str, str]] = Counter()
        """(rule, service) → findings."""

    def text(self, text: str, key: str | None = None) -> tuple[str, int]:
        """The text without what must go, and how many pieces went."""
        if not text:
            return "", 0
        known = self._known.get((text, key))
        if known is None:
            clean, findings = self._redactor.text(text, key)
            if key and not findings and _STRUCTURE.match(text):
                # A map as JSON under the key of a secret: its braces do not make it a template. What would be taken
                # from any word under that key is taken from all of it.
                word, findings = self._redactor.text(_ANY_WORD, key)
                clean = word if findings else clean
            for finding in findings:
                self.counts[finding.rule, self.service] += 1
            known = self._known[text, key] = (clean, len(findings))
        return known

    def resource(self, resource: Resource) -> int:
        """Redact in place. All of these return how many pieces went."""
        return self._attributes(resource.attributes)

    def scope(self, scope: InstrumentationScope) -> int:
        """Redact in place."""
        return self._field(scope, "name") + self._field(scope, "version") + self._attributes(scope.attributes)

    def span(self, span: Span) -> int:
        """Redact all of a span but its events, in place."""
        count = self._field(span, "name") + self._field(span, "trace_state") + self._attributes(span.attributes)
        if span.HasField("status"):
            count += self._field(span.status, "message")
        for link in span.links:
            count += self._field(link, "trace_state") + self._attributes(link.attributes)
        return count

    def event(self, event: Span.Event) -> int:
        """Redact a span event in place."""
        return self._field(event, "name") + self._attributes(event.attributes)

    def record(self, record: LogRecord) -> int:
        """Redact a log record in place."""
        count = self._field(record, "event_name") + self._field(record, "severity_text")
        if record.HasField("body"):
            count += self._value(record.body, ())
        return count + self._attributes(record.attributes)

    def _field(self, message: Any, name: str) -> int:
        text = getattr(message, name)
        if not text:
            return 0
        clean, count = self.text(text)
        if count:
            setattr(message, name, clean)
        return count

    def _attributes(self, attributes: Any, enclosing: tuple[str, ...] = ()) -> int:
        count = 0
        for attribute in attributes:
            key = attribute.key
            if attribute.HasField("value"):
                path = f"{enclosing[0]}.{key}"[-_MAX_KEY:] if enclosing else key
                count += self._value(attribute.value, (path, *enclosing))
            if not _PLAIN_KEY.match(key):
                count += self._field(attribute, "key")
        return count

    def _value(self, value: AnyValue, keys: tuple[str, ...]) -> int:
        kind = value.WhichOneof("value")
        if kind == "string_value":
            clean, count = self._under(value.string_value, keys)
            if count:
                value.string_value = clean
            return count
        if kind == "kvlist_value":
            return self._attributes(value.kvlist_value.values, keys)
        if kind == "array_value":
            return sum(self._value(item, keys) for item in value.array_value.values)
        if kind == "bytes_value":
            return self._bytes(value, keys)
        if kind == "int_value" or kind == "double_value":
            # A card number sent as a number: what replaces it is a text.
            clean, count = self._under(str(getattr(value, kind)), keys)
            if count:
                value.string_value = clean
            return count
        return 0

    def _bytes(self, value: AnyValue, keys: tuple[str, ...]) -> int:
        try:
            clean, count = self._under(value.bytes_value.decode(), keys)
        except UnicodeDecodeError:
            return self._binary(value, keys)
        if count:
            value.bytes_value = clean.encode()
        return count

    def _binary(self, value: AnyValue, keys: tuple[str, ...]) -> int:
        total = 0

        def redact(run: re.Match[bytes]) -> bytes:
            nonlocal total
            clean, count = self._under(run[0].decode(), keys)
            total += count
            return clean.encode() if count else run[0]

        clean = _READABLE.sub(redact, value.bytes_value)
        if total:
            value.bytes_value = clean
        return total

    def _under(self, text: str, keys: tuple[str, ...]) -> tuple[str, int]:
        """Under the nearest key that says something: what stands in a map named ``credentials`` is one, whatever its
        own name."""
        clean, count = self.text(text, keys[0] if keys else None)
        for key in keys[1:]:
            if count:
                break
            clean, count = self.text(text, key)
        return clean, count
