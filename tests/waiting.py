"""Waiting for what comes about by itself: never a fixed pause, and patience for a machine under load."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECONDS = 90.0


def wait_until(condition: Callable[[], object], *, what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Poll until ``condition`` is true; fail with ``what`` was awaited."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.05)
