"""The Collector's configurations of deploy/, run by a real Collector in front of a real process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.ingestion.subjects import collector_binary
from collector_processor.otlp.messages import SERVICES
from collector_processor.otlp.values import to_dict
from tests.collector_processor.otlp import telemetry
from tests.end_to_end.processor import Processor, running
from tests.ports import free_port
from tests.programs import required_program
from tests.receivers import otlp_receiver
from tests.waiting import PATIENCE_SECONDS, wait_until

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "collector"
EMAIL = "jane.doe@example.com"


@pytest.mark.parametrize("name", ["inline", "beside"])
def test_every_part_is_used_and_bound_to_loopback(name: str) -> None:
    tree: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    pipelines = tree["service"]["pipelines"].values()
    for kind in ("receivers", "processors", "exporters"):
        assert {part for pipeline in pipelines for part in pipeline.get(kind, ())} == set(tree[kind])
    addresses = [end["endpoint"] for one in tree["receivers"].values() for end in one["protocols"].values()]
    assert all(":-127.0.0.1:" in address for address in addresses)


@contextmanager
def collector(name: str, folder: Path, **addresses: str) -> Iterator[str]:
    """A Collector with the configuration ``name``; gives the ``host:port`` where applications send."""
    required_program("go")
    ours = {"COLLECTOR_OTLP_GRPC": f"127.0.0.1:{free_port()}", "COLLECTOR_OTLP_HTTP": f"127.0.0.1:{free_port()}"}
    command = [str(collector_binary()), "--config", str(FOLDER / f"{name}.yaml")]
    with (folder / "collector.log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **ours, **addresses}, stdout=log, stderr=log)
    try:
        yield ours["COLLECTOR_OTLP_GRPC"]
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def send(target: str) -> None:
    with grpc.insecure_channel(target) as channel:
        payload = telemetry.traces_with_error(f"no account {EMAIL}")
        channel.unary_unary(SERVICES["traces"].method)(payload, timeout=PATIENCE_SECONDS, wait_for_ready=True)


def attributes(payload: bytes) -> dict[str, Any]:
    span = ExportTraceServiceRequest.FromString(payload).resource_spans[0].scope_spans[0].spans[0]
    return to_dict(span.events[0].attributes)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_inline_fingerprint_and_redaction_reach_the_store_of_traces(tmp_path: Path) -> None:
    stored: list[bytes] = []
    processed = f"127.0.0.1:{free_port()}"
    processor = Processor(tmp_path, OTEL_ERRORS_FORWARD__ENDPOINT=f"http://{processed}")
    with (
        otlp_receiver(lambda signal, payload: stored.append(payload)) as store,
        running(processor),
        collector(
            "inline",
            tmp_path,
            COLLECTOR_PROCESSED=processed,
            OTEL_ERRORS_ENDPOINT=processor.grpc,
            STORE_ENDPOINT=store,
        ) as target,
    ):
        send(target)
        wait_until(lambda: stored, what="the span in the store of traces")
        wait_until(lambda: processor.total() == 1, what="the error in its issue")
    found = attributes(stored[0])
    assert found["exception.message"] == "no account [email]"
    assert found["otel_errors.fingerprint"].startswith("fp1:")


@pytest.mark.long
@pytest.mark.timeout(900)
def test_beside_an_outage_of_ours_keeps_nothing_back(tmp_path: Path) -> None:
    stored: list[bytes] = []
    processor = Processor(tmp_path)
    with (
        otlp_receiver(lambda signal, payload: stored.append(payload)) as store,
        collector("beside", tmp_path, OTEL_ERRORS_ENDPOINT=processor.grpc, STORE_ENDPOINT=store) as target,
    ):
        send(target)
        wait_until(lambda: stored, what="the span in the store of traces, without us")
        assert attributes(stored[0])["exception.message"] == f"no account {EMAIL}"
        with running(processor):
            wait_until(lambda: processor.total() == 1, what="the error that the Collector kept for us")
