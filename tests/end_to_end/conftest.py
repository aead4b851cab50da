"""The demo's shop, driven once against a processor that forwards and writes to Loki."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from collector_processor.demo import Api, Driver, Issue, Ledger, Shop, bounded, wait_until_counted
from collector_processor.otlp.messages import SERVICES
from tests.collector_processor.sinks.loki_server import LokiServer
from tests.end_to_end.processor import Processor, running
from tests.receivers import otlp_receiver
from tests.waiting import PATIENCE_SECONDS

SEED = 11


@dataclass
class DemoRun:
    """A processor that has counted a whole script of the shop, and everything around it."""

    processor: Processor
    forwarded: dict[str, list[bytes]]
    """What the next hop got, by signal: the raw requests."""
    loki: LokiServer
    ledger: Ledger
    issues: list[Issue]
    differences: list[str]


@contextmanager
def loki_running() -> Iterator[LokiServer]:
    server = LokiServer()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    folder = tmp_path_factory.mktemp("demo")
    forwarded: dict[str, list[bytes]] = {signal: [] for signal in SERVICES}
    with otlp_receiver(lambda signal, payload: forwarded[signal].append(payload)) as hop, loki_running() as loki:
        processor = Processor(
            folder / "processor",
            OTEL_ERRORS_FORWARD__ENDPOINT=f"http://{hop}",
            OTEL_ERRORS_LOKI__URL=loki.url,
            OTEL_ERRORS_LOG_LEVEL="debug",
        )
        with running(processor):
            ledger = Ledger()
            endpoints = processor.endpoints
            with Shop(endpoints.otlp_grpc, folder) as shop:
                Driver(shop.urls, endpoints.otlp_http, ledger).play(bounded(SEED))
            issues, differences = wait_until_counted(Api(endpoints.api), ledger, within_seconds=PATIENCE_SECONDS)
            yield DemoRun(processor, forwarded, loki, ledger, issues, differences)
