"""Where a job goes: a thread of its own, the pool, the asyncio loop, the reconciliation thread."""

from __future__ import annotations

import asyncio
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import mail, payouts, webhooks
from .invoices import InvoicePrinter
from .reconciliation import Reconciliation


class Jobs:
    """Starts jobs; ``close()`` waits for all of them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="job")
        self._reconciliation = Reconciliation()
        self._invoices: queue.SimpleQueue[threading.Thread] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._loop_thread = threading.Thread(target=self._loop.run_forever, name="mail")
        self._loop_thread.start()

    def receipt(self, *, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Mail a receipt; nobody waits for it."""
        self._loop.call_soon_threadsafe(self._post, body)
        return 202, {}

    def _post(self, body: dict[str, Any]) -> None:
        # The task is nobody's: what it raises is heard of only when the loop finds it abandoned.
        self._loop.create_task(mail.send_receipt(body["order_id"], body["email"], body["total"]))

    def invoice(self, *, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Typeset an invoice in a thread of its own."""
        printer = InvoicePrinter(body["number"], body["lines"], body["total"])
        thread = threading.Thread(target=printer.print, name=f"invoice-{body['number']}")
        thread.start()
        self._invoices.put(thread)
        return 202, {}

    def webhook(self, *, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Tell a partner."""
        self._pool.submit(webhooks.deliver, body["partner"], body["order_id"])
        return 202, {}

    def payout(self, *, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Pay the sellers of a day."""
        self._pool.submit(payouts.run, body["day"], body["debits"], body["credits"])
        return 202, {}

    def reconcile(self, *, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Compare a warehouse's stock tonight."""
        self._reconciliation.put(body["warehouse"], body["booked"], body["counted"])
        return 202, {}

    def close(self) -> None:
        """Wait for everything that was taken on."""
        self._pool.shutdown(wait=True)
        self._reconciliation.close()
        while not self._invoices.empty():
            self._invoices.get().join()
        asyncio.run_coroutine_threadsafe(_all_others_done(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._loop_thread.join()
        self._loop.close()


async def _all_others_done() -> None:
    # Not gather(): it would fetch the tasks' exceptions, and an abandoned task is what the loop has to report.
    while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110 - tasks that end have no event
        await asyncio.sleep(0.01)
