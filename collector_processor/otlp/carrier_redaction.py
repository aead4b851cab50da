"""Redact every text that a carrier of an error holds: names, messages, attributes at any depth, bytes that hold text.

What a redactor replaces is decided by the text and by the key it stands under; here is only where texts stand. Keys of
nested values are joined by dots (``user.email``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from collector_processor.otlp.byte_texts import READABLE, encoding_of
from collector_processor.stages.redact import DEFAULT_RULES, Redaction
from collector_processor.stages.redact.spread import spread, told

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_.\-]*\Z")
_MAX_KEY: Final = 256
_STRUCTURE: Final = re.compile(r"\s*(?:\{\s*\"|\[\s*[\"\[{0-9-])")
_ANY_WORD: Final = "Xk3vQ9Zt7m"
_WORDS: Final = {rule.name: rule.replacement for rule in DEFAULT_RULES}


class TextRedactor(Protocol):
    """What a ``Redactor`` or a ``Policy`` does."""

    def text(self, text: str, key: str | None = None, /) -> tuple[str, Sequence[Redaction]]: ...
    def would_take(self, clean: str, key: str | None = None, /) -> Sequence[str]: ...
    def for_service(self, service: str, /) -> TextRedactor: ...


class _Seen(NamedTuple):
    clean: str
    findings: int
    told: dict[str, str]
    """Values that are shown to be secret here → the rule."""


class RequestRedaction:
    """The redactor, for one request: each distinct text is looked at once (nested spans repeat the whole stack text)
    and each distinct finding is counted once, by service and rule."""

    def __init__(self, redactor: TextRedactor) -> None:
        self._all = redactor
        self._redactor = redactor
        self._service = self._label = ""
        self._known: dict[tuple[str, str | None], _Seen] = {}
        self._known_of: dict[int, dict[tuple[str, str | None], _Seen]] = {id(redactor): self._known}
        self._secrets: dict[str, dict[str, str]] = {}
        self._event: dict[str, str] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        """(rule, service) → findings."""

    @property
    def service(self) -> str:
        """Whose texts come next: its rules are used. What is counted is counted under the redacted name."""
        return self._service

    @service.setter
    def service(self, name: str) -> None:
        if name == self._service:
            return
        self._service, self._label = name, self._all.text(name)[0]
        self._redactor = self._all.for_service(name)
        self._known = self._known_of.setdefault(id(self._redactor), {})

    def enter(self, message: Span | LogRecord | Span.Event, trace_id: bytes | str = b"") -> None:
        """What is of which event: the texts that come next belong to the trace of ``message``, or to it alone."""
        trace = trace_id.hex() if isinstance(trace_id, bytes) else trace_id
        known = trace if trace.strip("0") else f"record:{id(message)}"
        self._event = self._secrets.setdefault(known, {})

    def learn(self, values: Mapping[str, Any]) -> None:
        """Remember which values are shown to be secret by these attributes, for all texts of the event."""
        for key, value in values.items():
            self._learn(value, (key,))

    def _learn(self, value: Any, keys: tuple[str, ...]) -> None:
        if isinstance(value, str):
            if value:
                told_here = self._seen(value, self._telling(value, keys)).told
                if told_here:
                    self._event.update(told_here)
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                self._learn(inner, (f"{keys[0]}.{key}"[-_MAX_KEY:], *keys))
        elif isinstance(value, (list, tuple)):
            for inner in value:
                self._learn(inner, keys)

    def _telling(self, text: str, keys: tuple[str, ...]) -> str | None:
        """The nearest key under which something is found."""
        if len(keys) == 1:
            return keys[0] or None
        return next((key for key in keys if self._seen(text, key or None).findings), keys[0] or None)

    def text(self, text: str, key: str | None = None) -> tuple[str, int]:
        """The text without what must go, and how many pieces went."""
        if not text:
            return "", 0
        seen = self._known.get((text, key)) or self._seen(text, key)
        if not self._event:
            return seen.clean, seen.findings
        clean, gone = spread(seen.clean, self._event, _WORDS)
        for rule in gone:
            self.counts[rule, self._label] += 1
        return clean, seen.findings + len(gone)

    def _seen(self, text: str, key: str | None) -> _Seen:
        known = self._known.get((text, key))
        if known is None:
            clean, findings = self._redactor.text(text, key)
            if key and not findings and _STRUCTURE.match(text):
                # A map as JSON under the key of a secret: its braces do not make it a template. What would be taken
                # from any word under that key is taken from all of it.
                word, findings = self._redactor.text(_ANY_WORD, key)
                clean = word if findings else clean
            for finding in findings:
                self.counts[finding.rule, self._label] += 1
            for rule in self._redactor.would_take(clean, key):
                self.counts[rule, self._label] += 1
            known = self._known[text, key] = _Seen(clean, len(findings), told(text, findings) if findings else {})
        return known

    def resource(self, resource: Resource) -> int:
        """Redact in place. All of these return how many pieces went."""
        self._event = {}
        return self._attributes(resource.attributes)

    def scope(self, scope: InstrumentationScope) -> int:
        """Redact in place."""
        return self._field(scope, "name") + self._field(scope, "version") + self._attributes(scope.attributes)

    def schema(self, carrier: ResourceSpans | ResourceLogs | ScopeSpans | ScopeLogs) -> int:
        """Redact the ``schema_url`` of a resource or scope in place: an address may hold anything."""
        return self._field(carrier, "schema_url")

    def span(self, span: Span) -> int:
        """Redact all of a span but its events, in place. Its events come next."""
        self.enter(span, span.trace_id)
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
        self.enter(record, record.trace_id)
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
            value = attribute.value
            if not enclosing and value.HasField("string_value"):  # nearly all are
                clean, found = self.text(value.string_value, key)
                if found:
                    value.string_value = clean
                    count += found
            elif attribute.HasField("value"):
                path = f"{enclosing[0]}.{key}"[-_MAX_KEY:] if enclosing else key
                count += self._value(value, (path, *enclosing))
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
        encoding = encoding_of(value.bytes_value)
        if encoding is None:
            return self._binary(value, keys)
        clean, count = self._under(value.bytes_value.decode(encoding), keys)
        if count:
            value.bytes_value = clean.encode(encoding, "replace")
        return count

    def _binary(self, value: AnyValue, keys: tuple[str, ...]) -> int:
        """What can be read inside a binary value, run by run, each in the encoding of the run."""
        total = 0

        def redact(run: re.Match[bytes]) -> bytes:
            nonlocal total
            encoding = run.lastgroup or "ascii"
            clean, count = self._under(run[0].decode(encoding), keys)
            total += count
            return clean.encode(encoding, "replace") if count else run[0]

        clean = READABLE.sub(redact, value.bytes_value)
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
