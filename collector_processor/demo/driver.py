"""Plays a script against the shop, and writes down in the ledger what it provoked."""

from __future__ import annotations

import json
import secrets
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from random import Random

from collector_processor.demo import browser
from collector_processor.demo.ledger import Ledger
from collector_processor.demo.script import Step

CUSTOMERS_AT_ONCE = 4


class UnexpectedAnswer(Exception):
    """The shop answered something else than the script says: what was provoked is not known."""


class Driver:
    """Sends steps. ``shop`` maps a service's name to its URL; ``otlp_http`` is where the browsers' telemetry goes."""

    def __init__(self, shop: Mapping[str, str], otlp_http: str, ledger: Ledger) -> None:
        self._shop = shop
        self._otlp_http = otlp_http
        self._ledger = ledger
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def play(self, steps: Iterable[Step], *, stop: threading.Event | None = None, pause_seconds: float = 0.0) -> None:
        """Send all steps, several customers at once; with a pause, one after the other until ``stop``.

        Raises UnexpectedAnswer, OSError or browser.SendError at the first step that did not do what it should.
        """
        if pause_seconds:
            waiting = stop if stop is not None else threading.Event()
            for step in steps:
                if waiting.wait(pause_seconds):
                    return
                self.send(step)
            return
        with ThreadPoolExecutor(max_workers=CUSTOMERS_AT_ONCE, thread_name_prefix="customer") as customers:
            sent = [customers.submit(self.send, step) for step in steps]
            try:
                done, _ = wait(sent, return_when=FIRST_EXCEPTION)
            finally:
                for future in sent:
                    future.cancel()
            for future in done:
                future.result()

    def send(self, step: Step) -> None:
        """One step. The ledger is written once the answer is there."""
        if step.service == "shop-web":
            page = browser.PAGES[next(iter(step.raises))]
            browser.send(self._otlp_http, *page(Random(secrets.randbits(64))))  # noqa: S311 - trace ids of another run must differ
        else:
            status = self._request(step)
            if status != step.status:
                raise UnexpectedAnswer(
                    f"{step.service} answered {status} to {step.method} {step.path}, {step.status} was expected"
                )
        self._ledger.record(step.raises, step.user)

    def _request(self, step: Step) -> int:
        body = None if step.body is None else json.dumps(step.body).encode()
        request = urllib.request.Request(self._shop[step.service] + step.path, data=body, method=step.method)  # noqa: S310 - loopback
        request.add_header("Content-Type", "application/json")
        if step.user:
            request.add_header("X-Customer", step.user)
        if not step.sampled:
            request.add_header("traceparent", f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00")
        try:
            with self._opener.open(request, timeout=60) as response:
                response.read()
                return int(response.status)
        except urllib.error.HTTPError as error:
            error.read()
            error.close()
            return error.code
