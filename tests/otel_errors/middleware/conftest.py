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
        for signal, payload in payloads:
            answer = self._client.post(
                f"{self._processor.endpoints.otlp_http}/v1/{signal}",
                content=payload,
                headers={"Content-Type": "application/x-protobuf"},
            )
            answer.raise_for_status()

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
