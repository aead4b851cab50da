"""Times as people read them: UTC to the second, and how long ago. All times are seconds since 1970, or None when
unknown."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

from markupsafe import Markup

EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
MAX_SECONDS: Final = 253_402_300_799.0
"""The last second of the year 9999: what a calendar here can show."""

_STEPS: Final = ((60, "s"), (60, "min"), (24, "h"), (7, "d"), (52.18, "wk"))


def moment(seconds: float | None) -> datetime | None:
    """None for what no calendar can show: a sender's clock may say anything."""
    if seconds is None or not 0 < seconds <= MAX_SECONDS:
        return None
    return EPOCH + timedelta(seconds=seconds)


def utc(seconds: float | None) -> str:
    """``2026-11-25 02:47:34 UTC``, or ``unknown``."""
    when = moment(seconds)
    return when.strftime("%Y-%m-%d %H:%M:%S UTC") if when is not None else "unknown"


def iso(seconds: float | None) -> str | None:
    """RFC 3339 with milliseconds and ``Z``, for the API; None when unknown."""
    when = moment(seconds)
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z" if when is not None else None


def ago(seconds: float | None, now: float) -> str:
    """``just now``, ``5 min ago``, ``in 3 d``, ``2 yr ago``; ``unknown`` when it is."""
    if moment(seconds) is None or seconds is None:
        return "unknown"
    distance = now - seconds
    if abs(distance) < 5:
        return "just now"
    text = span(abs(distance))
    return f"{text} ago" if distance > 0 else f"in {text}"


def span(seconds: float) -> str:
    """The largest whole unit: ``40 s``, ``12 min``, ``5 h``, ``3 d``, ``7 wk``, ``2 yr``."""
    amount = seconds
    for size, unit in _STEPS:
        if amount < size:
            return f"{int(amount)} {unit}"
        amount /= size
    return f"{int(amount)} yr"


def time_element(seconds: float | None, now: float) -> Markup:
    """``<time>`` with the relative text, the exact one on hover and for machines."""
    stamp = iso(seconds)
    if stamp is None:
        return Markup('<span class="unknown">unknown</span>')
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp, utc(seconds), ago(seconds, now))
