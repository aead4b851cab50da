"""When a service that failed may be asked again: after what time, and whether to leave it alone until then.

A hint and no more: nothing is blocked or repeated here. An application that has a circuit breaker feeds it with this;
one that has none asks ``RetryHints.hint`` before it calls.
"""

from __future__ import annotations

import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["RetryHint", "RetryHints"]

MAX_SERVICES: Final = 256
MAX_DOUBLINGS: Final = 16


@dataclass(frozen=True)
class RetryHint:
    """What is known of a service that failed.

    >>> RetryHint("payments", retry_after=2.0, failures=5, open_circuit=True).open_circuit
    True
    """

    service_name: str
    """``""`` when the error named none."""
    retry_after: float
    """Seconds from now until asking again may help."""
    failures: int
    """In a row: without a success between them, and none longer ago than the window after the one before."""
    open_circuit: bool
    """So many that it should not be asked before that."""


class RetryHints:
    """Failures in a row by the name of the service. Thread-safe; the 256 services that failed last are kept.

    >>> hints = RetryHints(open_after=2)
    >>> hints.failed("payments", retry_after=5).open_circuit, hints.failed("payments", retry_after=5).open_circuit
    (False, True)
    >>> hints.succeeded("payments")
    >>> hints.hint("payments") is None
    True
    """

    def __init__(
        self,
        *,
        open_after: int = 5,
        window_seconds: float = 60.0,
        first_seconds: float = 1.0,
        longest_seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without a word of the service itself, the time doubles from ``first_seconds`` to ``longest_seconds``; half of
        it is left to chance, so that not everybody comes back at once. Raises ``ValueError`` for limits that are
        none."""
        for name, value in (
            ("open_after", open_after),
            ("window_seconds", window_seconds),
            ("first_seconds", first_seconds),
            ("longest_seconds", longest_seconds),
        ):
            if not value > 0:
                raise ValueError(f"{name}: {value!r}: more than 0 is needed")
        self._open_after = open_after
        self._window = window_seconds
        self._first = first_seconds
        self._longest = longest_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._services: OrderedDict[str, tuple[int, float, float]] = OrderedDict()
        """Name → (failures, time of the last one, time from which it may be asked)"""

    def failed(self, service_name: str, retry_after: float | None = None) -> RetryHint:
        """Count a failure. ``retry_after``: seconds, the service's own word.

        >>> RetryHints().failed("stock", retry_after=30)
        RetryHint(service_name='stock', retry_after=30, failures=1, open_circuit=False)
        """
        with self._lock:
            now = self._clock()
            failures, last, _ = self._services.pop(service_name, (0, now, now))
            failures = 1 if now - last > self._window else failures + 1
            wait = self._wait(failures) if retry_after is None else retry_after
            self._services[service_name] = (failures, now, now + wait)
            while len(self._services) > MAX_SERVICES:
                self._services.popitem(last=False)
        return RetryHint(service_name, wait, failures, failures >= self._open_after)

    def succeeded(self, service_name: str) -> None:
        """It answered: what was counted is forgotten.

        >>> RetryHints().succeeded("stock")
        """
        with self._lock:
            self._services.pop(service_name, None)

    def hint(self, service_name: str) -> RetryHint | None:
        """What to wait for now; None when it may be asked.

        >>> hints = RetryHints()
        >>> _ = hints.failed("stock", retry_after=30)
        >>> 29 < hints.hint("stock").retry_after <= 30
        True
        """
        with self._lock:
            now = self._clock()
            failures, _, until = self._services.get(service_name, (0, now, now))
        return RetryHint(service_name, until - now, failures, failures >= self._open_after) if until > now else None

    def _wait(self, failures: int) -> float:
        longest = min(self._first * 2.0 ** min(failures - 1, MAX_DOUBLINGS), self._longest)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
