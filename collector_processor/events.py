"""The one thing that flows: an error, from the record that carried it to the issue that counts it.

``RawError`` is what the OTLP side found (attributes as they came). ``ErrorEvent`` is what every later stage, the
queue, the store and the sinks know. ``Frame`` and ``ExceptionNode`` are what a stack text says once it is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from otel_errors.semconv import Severity

_ARGUMENTS = re.compile(r"(?:`[0-9]+)?\[.*|`[0-9]+|(?<!\.)<.*|\$[0-9]+(?=\$|\Z)", re.DOTALL)
Signal = Literal["span_event", "log"]


class Frame(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One frame of a stack. File and function as printed; what the text does not say is None; line and column count
    from 1."""

    function: str | None = None
    module: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    in_app: bool = False


class ExceptionNode(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One exception of a chain or group. ``frames[0]`` is where it was raised, whatever order the language prints.

    ``parent`` is the index (in the list that holds the node) of the exception that this one caused or that groups it;
    None for the outermost.
    """

    type: str | None = None
    message: str | None = None
    parent: int | None = None
    frames: tuple[Frame, ...] = ()


class RawError(msgspec.Struct, kw_only=True):
    """An error record as it came over OTLP, values decoded, nothing interpreted, nothing redacted."""

    signal: Signal
    resource: Mapping[str, Any]
    scope_name: str = ""
    attributes: Mapping[str, Any]
    """Of the span event or log record."""
    span_attributes: Mapping[str, Any] = {}
    """Of the span that holds the event; empty for a log record."""
    span_name: str = ""
    event_name: str = ""
    body: str = ""
    """Of a log record, when it is text."""
    severity_number: int = 0
    """OTLP's: 1-24; 0 when unset, always 0 for span events."""
    time_unix_nano: int = 0
    observed_time_unix_nano: int = 0
    trace_id: str = ""
    """32 hex digits in lower case; empty when absent or invalid (all zero, wrong length)."""
    span_id: str = ""
    ordinal: int = 0
    """Position among the records of one carrier with the same trace, span, type, site and time: distinct for two that
    share a nanosecond."""


class ErrorEvent(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An error, normalised, grouped and (from the redaction stage on) free of personal data and secrets.

    All texts are valid Unicode without NUL. ``""`` means unknown.
    """

    signal: Signal
    time_unix_nano: int
    ordinal: int = 0
    trace_id: str = ""
    span_id: str = ""
    event_id: str = ""
    service_name: str
    service_namespace: str = ""
    release: str = ""
    environment: str = ""
    resource_instance: str = ""
    """A digest of all resource attributes: which process sent this. Part of the identity of records without trace and
    event id."""
    type: str = ""
    """As received, possibly qualified: ``shop.payments.CardDeclined``."""
    message: str = ""
    stacktrace: str = ""
    language: str = ""
    """As ``telemetry.sdk.language`` says or as the text shows: python, javascript, java, go …"""
    severity: Severity = "medium"
    handled: bool | None = None
    mechanism: str = ""
    error_code: str = ""
    support_reference: str = ""
    fingerprint: str = ""
    """``fp1:`` and 32 hex digits."""
    earlier_fingerprints: tuple[str, ...] = ()
    """What earlier versions of the rules make of it, while the newer ones settle in: the issue that has one of them
    takes the new one as well."""
    raise_site: str = ""
    """Where it was raised, without line: module-or-file and function of the raising frame; part of the counting
    identity."""
    title: str = ""
    culprit: str = ""
    user: str = ""
    """A keyed pseudonym of the user, never the identity itself."""
    tags: dict[str, str] = {}
    attributes: dict[str, str] = {}
    """What else is worth showing with an occurrence: route, method, thread, code location, span name … bounded, values
    as text."""
    redacted: int = 0

    @property
    def bare_type(self) -> str:
        """The type without its module: span and log handler disagree on the qualified form."""
        return bare_type(self.type)


def bare_type(name: str) -> str:
    """``pkg.mod.Outer.Error`` → ``Error``; also for Java's inner classes (``$``) and Rust's or C++'s paths (``::``).
    Without type arguments and the numbers of anonymous classes."""
    if "<" in name or "[" in name or "`" in name or "$" in name:
        name = _ARGUMENTS.sub("", name) or name
    return name.replace("::", ".").replace("$", ".").replace("\\", ".").rpartition(".")[2] or name
