"""Counters and histograms by label, bounded in series: the arithmetic under the service's own metrics.

prometheus-client's own counters cannot be summed over processes without its multiprocess mode, which has no exemplars
and writes files; these tables are plain data that one process hands to another and that a collector turns into
prometheus-client's metric families at exposition. Nothing here locks: the owner does.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

OTHER = "other"
"""The label value that stands for every value past a bound."""

LabelValues = tuple[str, ...]

MAX_LABEL_CHARACTERS = 200


def label_text(value: str, limit: int = MAX_LABEL_CHARACTERS) -> str:
    """``value`` fit for a label: at most ``limit`` characters, no control characters (they break line formats),
    encodable as UTF-8."""
    if len(value) <= limit and value.isascii() and value.isprintable():
        return value
    cut = value if len(value) <= limit else value[: limit - 1] + "…"
    return "".join(c if c.isprintable() and not "\ud800" <= c <= "\udfff" else " " for c in cut)


class BoundedValues:
    """The first ``limit`` distinct values keep their name; what comes later is ``other``. Used where the values are
    chosen by senders."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: set[str] = set()

    def of(self, value: str) -> str:
        text = label_text(value)
        if text in self._known:
            return text
        if len(self._known) < self._limit:
            self._known.add(text)
            return text
        return OTHER


class CounterTable:
    """Totals by label values; at most ``max_series`` of them, the rest under ``other`` in every label."""

    def __init__(self, labels: LabelValues, max_series: int) -> None:
        self.labels = labels
        self.rows: dict[LabelValues, float] = {}
        self._max_series = max_series

    def add(self, values: LabelValues, amount: float) -> bool:
        """Add ``amount``; True when it went under ``other``. These only grow: an amount that is not above or equal to
        zero is left out."""
        if not amount >= 0:
            return False
        full = values not in self.rows and len(self.rows) >= self._max_series
        if full:
            values = (OTHER,) * len(self.labels)
        self.rows[values] = self.rows.get(values, 0.0) + amount
        return full


class HistogramTable:
    """Observations in seconds by label values: counts per bucket (last: above the largest bound), and their sum."""

    def __init__(self, labels: LabelValues, bounds: tuple[float, ...], max_series: int) -> None:
        self.labels = labels
        self.bounds = bounds
        self.counts: dict[LabelValues, list[int]] = {}
        self.sums: dict[LabelValues, float] = {}
        self._max_series = max_series

    def observe(self, values: LabelValues, amount: float) -> bool:
        """Add one observation; True when it went under ``other``. Negative ones (a clock set back) and NaN are left
        out."""
        if not amount >= 0:
            return False
        full = values not in self.counts and len(self.counts) >= self._max_series
        if full:
            values = (OTHER,) * len(self.labels)
        self.counts.setdefault(values, [0] * (len(self.bounds) + 1))[bisect_left(self.bounds, amount)] += 1
        self.sums[values] = self.sums.get(values, 0.0) + amount
        return full


def sum_rows(*tables: Mapping[LabelValues, float]) -> dict[LabelValues, float]:
    """One table out of several processes' tables."""
    total: dict[LabelValues, float] = {}
    for rows in tables:
        for values, amount in rows.items():
            total[values] = total.get(values, 0.0) + amount
    return total
