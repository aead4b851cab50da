"""Which errors are sent: the sample, the rate, and the application's own last word."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from otel_errors import semconv
from otel_errors.config import Settings
from otel_errors.guard import log, tell_failure

BURST_SECONDS: Final = 10
TELL_SECONDS: Final = 60.0

_KEPT_WITHOUT_ITS_WORD: Final = frozenset(
    {
        semconv.EXCEPTION_TYPE, semconv.EVENT_ID, semconv.HANDLED, semconv.MECHANISM, semconv.SEVERITY,
        semconv.CODE_FUNCTION_NAME, semconv.CODE_FILE_PATH, semconv.CODE_LINE_NUMBER,
    }
)  # fmt: skip


def in_sample(event_id: str, rate: float) -> bool:
    """Chosen by the error's own id: the application's random numbers are not touched."""
    return rate >= 1.0 or int(event_id[:8], 16) < rate * 2**32


class RateLimit:
    """A bucket that holds ten seconds' worth. What is past it is counted and said on stderr once a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._spent = 0.0
        self._last = clock()
        self._refused = 0
        self._told: float | None = None

    def allows(self, per_second: int) -> bool:
        if per_second <= 0:
            return True
        # Not waited for: the garbage collector may call a hook of ours while this thread holds the lock, and a fork
        # may leave it locked.
        if not self._lock.acquire(timeout=0.1):
            return True
        try:
            now = self._clock()
            self._spent = max(0.0, self._spent - (now - self._last) * per_second)
            self._last = now
            if self._spent < per_second * BURST_SECONDS:
                self._spent += 1
                return True
            self._refused += 1
            tell = self._told is None or now - self._told >= TELL_SECONDS
            if tell:
                self._told = now
        finally:
            self._lock.release()
        if tell:
            log.warning("%d errors so far were past the limit of %d a second and not sent", self._refused, per_second)
        return False


rate_limit: RateLimit = RateLimit()
"""Of this process."""


def admitted(settings: Settings, event_id: str) -> bool:
    """Whether a new error is in the sample and within the rate."""
    return in_sample(event_id, settings.sample_rate) and rate_limit.allows(settings.max_per_second)


def last_word(settings: Settings, attributes: Mapping[str, Any], exc: BaseException | None) -> Mapping[str, Any] | None:
    """What ``before_send`` makes of the attributes; None: the application does not want this error.

    When it fails, only what cannot hold anybody's data is sent: it may have been there to take something out.
    """
    if settings.before_send is None:
        return attributes
    try:
        answer = settings.before_send(dict(attributes), exc)
        if answer is None or isinstance(answer, Mapping):
            return answer
        raise TypeError(f"before_send returned {type(answer).__name__}, a mapping or None is needed")
    except Exception as error:
        tell_failure("before_send", error)
        return {key: value for key, value in attributes.items() if key in _KEPT_WITHOUT_ITS_WORD}
