"""Times as people read them: UTC to the second, and how long ago. All times are seconds since 1970, or None when
unknown."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from collector_processor.api.times import iso, moment

_STEPS: Final = ((60, "s"), (60, "min"), (24, "h"), (7, "d"), (52.18, "wk"))


def utc(seconds: float | None) -> str:
    """``2026-11-25 02:47:34 UTC``, or ``unknown``."""
    when = moment(seconds)
    return when.strftime("%Y-%m-%d %H:%M:%S UTC") if when is not None else "unknown"


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
