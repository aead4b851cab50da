"""Error events for the tests of queue, store and consumer."""

from __future__ import annotations

from typing import Any

from collector_processor.events import ErrorEvent

NOW = 1_800_000_000.0
"""Seconds: the processor's clock in these tests."""
START = int(NOW * 1e9) - 3600 * 10**9
"""Nanoseconds: an hour before."""


def error(number: int = 0, **fields: Any) -> ErrorEvent:
    """An error of a trace of its own, a millisecond after the one before."""
    values: dict[str, Any] = {
        "signal": "span_event",
        "time_unix_nano": START + number * 1_000_000,
        "trace_id": f"{number + 1:032x}",
        "span_id": f"{number + 1:016x}",
        "service_name": "shop",
        "type": "shop.CardDeclined",
        "message": f"card {number} declined",
        "fingerprint": "fp1:" + "a" * 32,
        "raise_site": "shop.payments:charge",
        "title": "CardDeclined: card <int> declined",
        "culprit": "shop.payments.charge",
        "severity": "medium",
    }
    return ErrorEvent(**{**values, **fields})


def numbered(events: list[ErrorEvent], first: int = 1) -> list[tuple[int, ErrorEvent]]:
    """As a queue file would give them."""
    return list(enumerate(events, first))
