"""The processor that support references are looked up at: one for all servers of this folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest

from tests.end_to_end.processor import Processor, running
from tests.waiting import PATIENCE_SECONDS, wait_until


class Lookup:
    def __init__(self, processor: Processor) -> None:
        self._processor = processor
        self._client = httpx.Client(timeout=PATIENCE_SECONDS)

    def send(self, payloads: Sequence[tuple[str, bytes]]) -> None:
        """(signal, request) as the application's exporter sent them."""
        kind = {"Content-Type": "application/x-protobuf"}
        for signal, payload in payloads:
            address = f"{self._processor.endpoints.otlp_http}/v1/{signal}"

            def is_taken(address: str = address, payload: bytes = payload) -> bool:
                # "Retry" is an answer that exporters obey, too.
                return self._client.post(address, content=payload, headers=kind).status_code == 200

            wait_until(is_taken, what=f"{address} to take {len(payload)} bytes")

    def find(self, reference: str) -> dict[str, Any]:
        """``GET /api/v1/lookup/{reference}``, as soon as the event is counted."""
        address = f"{self._processor.api}/api/v1/lookup/{reference}"
        found: list[httpx.Response] = []

        def is_there() -> bool:
            found[:] = [self._client.get(address)]
            return found[0].status_code == 200

        wait_until(is_there, what=address)
        document = found[0].json()
        assert isinstance(document, dict)
        return document

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="package")
def lookup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lookup]:
    with running(Processor(tmp_path_factory.mktemp("processor"))) as processor:
        lookup = Lookup(processor)
        yield lookup
        lookup.close()
