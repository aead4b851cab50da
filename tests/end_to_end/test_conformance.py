"""Each row of docs/conformance.md against a real process, whose memory stays bounded through all of them."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Iterator

import pytest

from benchmarks.ingestion.process_tree import PeakMemory
from collector_processor.otlp.connections import MOST_CONNECTIONS
from tests.end_to_end.conformance import DOCUMENT, ERROR, ROWS, Row, call, document, post
from tests.end_to_end.processor import Processor, running

MEMORY_BYTES = 500_000_000
"""An idle process has 120 MB; two bodies at a time may stand for 64 MiB each, and each is held twice while it is put
together."""
CONNECTIONS = 5_000


@pytest.fixture(scope="module")
def memory(processor: Processor) -> Iterator[PeakMemory]:
    with PeakMemory(processor.pid) as peak:
        yield peak


@pytest.fixture(scope="module")
def processor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processor]:
    with running(Processor(tmp_path_factory.mktemp("conformance"))) as started:
        yield started
        assert started.stop() == 0
    log = started.log.read_text()
    assert "Traceback" not in log, "no row made anything fail inside"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.protocol}: {row.name}")
def test_row(processor: Processor, memory: PeakMemory, row: Row) -> None:
    assert row.send(processor) == row.answer
    assert row.answer not in ("500", "UNKNOWN", "INTERNAL")
    assert memory.peak < MEMORY_BYTES


def connected(address: str, number: int, stack: contextlib.ExitStack, first: bytes) -> None:
    host, port = address.split(":")
    for _ in range(number):
        connection = stack.enter_context(contextlib.closing(socket.create_connection((host, int(port)), 90)))
        with contextlib.suppress(OSError):  # the server may have made room already
            connection.sendall(first)


@pytest.mark.long
@pytest.mark.parametrize("port", ["http", "grpc"])
def test_five_thousand_connections_that_dribble_keep_nobody_out(
    processor: Processor, memory: PeakMemory, port: str
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < CONNECTIONS + 1000:
        pytest.skip(f"this user may have {hard} descriptors; {CONNECTIONS + 1000} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, CONNECTIONS + 1000), hard))
    assert CONNECTIONS > MOST_CONNECTIONS
    try:
        with contextlib.ExitStack() as stack:
            first = b"POST /v1/traces HTTP/1.1\r\nx: " if port == "http" else b"PRI * HTTP/2.0\r\n"
            connected(processor.http if port == "http" else processor.grpc, CONNECTIONS, stack, first)
            assert post(content=ERROR)(processor) == "200"
            if port == "http":
                assert call(ERROR)(processor) == "OK"
        assert call(ERROR)(processor) == "OK"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert memory.peak < MEMORY_BYTES


def test_the_document_has_every_row() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run python -m tests.end_to_end.conformance"
