"""How much each of many may take a second, with a burst. Pure but for the clock."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MAX_BUCKETS: Final = 10_000
"""A bucket that was not used for longest is full again by the time it is forgotten, or close to it."""


class TokenBuckets:
    """One bucket for each name, full at first. ``burst``: how much it holds, at least one second's worth."""

    def __init__(
        self, per_second: float, burst: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = per_second
        self._burst = max(burst if burst is not None else 10 * per_second, per_second, 1.0)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, amount: float) -> float:
        """0 when taken, else the seconds after which asking again makes sense.

        Whoever has anything left may take more than that, once: what is larger than the whole bucket would never pass.
        """
        level = self._level(name)
        if level <= 0:
            return max(-level / self._rate, 1 / self._rate, 0.1)
        self._buckets[name] = (level - amount, self._clock())
        self._buckets.move_to_end(name)
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return 0.0

    def spend(self, name: str, amount: int) -> int:
        """How many of ``amount`` there is room for; they are taken."""
        level = self._level(name)
        granted = min(amount, max(int(level), 0))
        self._buckets[name] = (level - granted, self._clock())
        self._buckets.move_to_end(name)
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return granted

    def _level(self, name: str) -> float:
        level, at = self._buckets.get(name, (self._burst, self._clock()))
        return min(self._burst, level + (self._clock() - at) * self._rate)
