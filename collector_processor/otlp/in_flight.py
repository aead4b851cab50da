"""The bytes of requests that are not yet answered, and the threads that work on large ones: both bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

THREADS: Final = 2
"""They share the interpreter with the loop: more would only hold more requests in memory at once."""

_T = TypeVar("_T")


class InFlight:
    """``take`` and ``give_back`` on the loop's thread."""

    def __init__(self, max_bytes: int, max_requests: int) -> None:
        self._max_bytes = max_bytes
        self._max_requests = max_requests
        self._requests = 0
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self.bytes = 0

    def take(self, size: int) -> bool:
        """Whether there is room. A request larger than the whole bound may still go alone: refused each time, it would
        never arrive."""
        if self._requests >= self._max_requests or (self.bytes and self.bytes + size > self._max_bytes):
            return False
        self.bytes += size
        self._requests += 1
        return True

    def give_back(self, size: int) -> None:
        self.bytes -= size
        self._requests -= 1

    async def compute(self, size: int, work: Callable[[], _T]) -> _T:
        """``work()`` in a thread.

        A thread cannot be stopped: when the caller is cancelled meanwhile (the client hung up, or its deadline passed),
        ``size`` bytes stay taken until the thread is through. Else clients that lose patience could pile up any number
        of requests.
        """
        loop = asyncio.get_running_loop()
        running = self._threads.submit(work)
        try:
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            if not running.cancel():
                self.bytes += size
                self._requests += 1

                def give_back(_: object) -> None:
                    with suppress(RuntimeError):  # the loop is closed: nobody counts any more
                        loop.call_soon_threadsafe(self.give_back, size)

                running.add_done_callback(give_back)
            raise
