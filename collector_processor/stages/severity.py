"""How bad an error is until a rule says otherwise.

The first row that applies decides:

| the record says | severity |
|---|---|
| ``otel_errors.severity`` is one of our words | that word |
| log severity FATAL (21-24) | critical |
| not handled (``otel_errors.handled`` false, or ``exception.escaped`` true) | high |
| log severity WARN or below (1-16) | low |
| log severity ERROR (17-20) | medium |
| handled, without a log severity | medium |
| nothing: a span event or log record without severity, handling or escape | medium |

So a handled error at WARN is low and one at ERROR medium, and what nobody handled is high at any level below FATAL.
Log severities are OTLP's numbers (1-24, 0 is unset); span events have none.
"""

from __future__ import annotations

from otel_errors.semconv import SEVERITIES, Severity

FATAL = 21
ERROR = 17


def severity(explicit: str, severity_number: int, handled: bool | None) -> Severity:
    """The severity by the table above. ``handled`` is what ``otel_errors.handled`` or else ``exception.escaped`` says;
    None for neither."""
    for word in SEVERITIES:
        if explicit == word:
            return word
    if severity_number >= FATAL:
        return "critical"
    if handled is False:
        return "high"
    if 0 < severity_number < ERROR:
        return "low"
    return "medium"
