"""The contract of names and labels, held against what ``/metrics`` exposes of a real store and real counters."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from collector_processor.queue import QueueDepth
from collector_processor.sinks.exposition import exposition
from collector_processor.sinks.metrics import ServiceMetrics
from collector_processor.sinks.store_metrics import StoreCollector
from tests.collector_processor.api.stored import Stored, error
from tests.dashboards.metric_contract import METRICS

RECORDERS = {
    "received": ("traces", "shop", 512),
    "refused": ("logs", "too_large"),
    "forwarded": ("traces", "accepted"),
    "dropped": ("logs", "rejected", 3),
    "redactions": ("email", "shop", 2),
    "output_request": ("loki", 204),
    "stage_seconds": ("redact", 0.0003),
    "series_dropped": ("otel_errors_received_total", 1),
    "watch_queue": (lambda: QueueDepth(5, 1_000, 2.5),),
}
NOT_RECORDING = {"snapshot", "merge", "retire", "total"}


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[frozenset[str]]]:
    """Every name of a full exposition with the sets of labels that its series have: one, or a join would fail."""
    found: dict[str, set[frozenset[str]]] = {}
    for name, labels in _exposed(tmp_path_factory.mktemp("contract")):
        found.setdefault(name, set()).add(labels)
    return found


def _exposed(folder: Path) -> Iterator[tuple[str, frozenset[str]]]:
    stored = Stored(folder)
    try:
        for name, arguments in RECORDERS.items():
            getattr(stored.metrics, name)(*arguments)
        stored.add(error(1, handled=True), error(2, handled=False, severity="critical"), error(3, service_name="cart"))
        commands = stored.store.commands
        commands.acknowledge(stored.id_of(1), actor="test")
        commands.resolve(stored.id_of(3), actor="test")
        _, body = exposition(
            "application/openmetrics-text; version=1.0.0",
            stored.metrics.registry,
            StoreCollector(stored.store.queries.metrics_snapshot, public_url="http://errors.example"),
        )
    finally:
        stored.close()
    for family in text_string_to_metric_families(body.decode()):  # type: ignore[no-untyped-call]
        assert family.samples, f"{family.name} shows nothing: this test has to record it"
        for sample in family.samples:
            yield sample.name, frozenset(sample.labels)


def test_every_recorder_is_used() -> None:
    """A counter that is added to the service would otherwise stay outside this test."""
    public = {name for name, _ in inspect.getmembers(ServiceMetrics, inspect.isfunction) if not name.startswith("_")}
    assert public - NOT_RECORDING == set(RECORDERS)


def test_the_contract_names_everything_that_is_exposed_and_nothing_else(
    exposed: dict[str, set[frozenset[str]]],
) -> None:
    assert set(exposed) == set(METRICS)


@pytest.mark.parametrize("name", METRICS)
def test_labels_are_those_of_the_contract(name: str, exposed: dict[str, set[frozenset[str]]]) -> None:
    assert exposed[name] == {METRICS[name]}
