"""Times as machines read them. All are seconds since 1970, or None when unknown."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
MAX_SECONDS: Final = 253_402_300_799.0
"""The last second of the year 9999: what a calendar here can show."""


def moment(seconds: float | None) -> datetime | None:
    """None for what no calendar can show: a sender's clock may say anything."""
    if seconds is None or not 0 < seconds <= MAX_SECONDS:
        return None
    return EPOCH + timedelta(seconds=seconds)


def iso(seconds: float | None) -> str | None:
    """RFC 3339 with milliseconds and ``Z``; None when unknown."""
    when = moment(seconds)
    if when is None:
        return None
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"
