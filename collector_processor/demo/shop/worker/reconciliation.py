"""The nightly comparison of booked and counted stock: a thread with a queue of its own, outside any span."""

from __future__ import annotations

import logging
import queue
import threading

logger = logging.getLogger("shop.worker.reconciliation")


class StockDiffers(Exception):
    """Booked and counted stock differ by more than shrinkage explains."""


def compare(warehouse: int, booked: int, counted: int) -> None:
    """Raise StockDiffers when more than 2 percent are missing."""
    if abs(booked - counted) * 50 > booked:
        raise StockDiffers(f"warehouse {warehouse}: {booked} pieces booked, {counted} counted")


class Reconciliation:
    """Takes warehouses to compare, one after the other."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[int, int, int] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="reconciliation")
        self._thread.start()

    def put(self, warehouse: int, booked: int, counted: int) -> None:
        """Have a warehouse compared."""
        self._queue.put((warehouse, booked, counted))

    def close(self) -> None:
        """Finish what was put."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                compare(*item)
            except StockDiffers:
                logger.exception("stock of warehouse %d does not reconcile", item[0])
