"""The demo's shop, driven once against a processor that forwards and writes to Loki."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from collector_processor.demo import Api, Driver, Endpoints, Issue, Ledger, Shop, bounded, wait_until_counted
from tests.end_to_end.processor import Processor, running
from tests.end_to_end.receivers import Loki, NextHop, loki, next_hop

SEED = 11


@dataclass
class DemoRun:
    """A processor that has counted a whole script of the shop, and everything around it."""

    processor: Processor
    hop: NextHop
    loki: Loki
    ledger: Ledger
    issues: list[Issue]
    differences: list[str]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    folder = tmp_path_factory.mktemp("demo")
    with next_hop() as hop, loki() as push:
        processor = Processor(
            folder / "processor",
            OTEL_ERRORS_FORWARD__ENDPOINT=hop.endpoint,
            OTEL_ERRORS_LOKI__URL=push.url,
            OTEL_ERRORS_LOG_LEVEL="debug",
        )
        with running(processor):
            ledger = Ledger()
            endpoints = Endpoints(
                otlp_grpc=f"http://{processor.grpc}", otlp_http=f"http://{processor.http}", api=processor.api
            )
            with Shop(endpoints.otlp_grpc, folder) as shop:
                Driver(shop.urls, endpoints.otlp_http, ledger).play(bounded(SEED))
            issues, differences = wait_until_counted(Api(endpoints.api), ledger)
            yield DemoRun(processor, hop, push, ledger, issues, differences)
