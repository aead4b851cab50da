from __future__ import annotations

import threading
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import exposition as prometheus_text
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.openmetrics import exposition as openmetrics_text
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from collector_processor.queue import QueueDepth
from collector_processor.sinks.exposition import exposition
from collector_processor.sinks.metrics import ServiceMetrics
from collector_processor.sinks.snapshot import ServiceSnapshot, sum_snapshots

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def samples(metrics: ServiceMetrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What OpenMetrics' own parser reads from the exposition."""
    _, body = exposition(OPENMETRICS, metrics.registry)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def fill(metrics: ServiceMetrics) -> None:
    metrics.received("traces", "shop", 512)
    metrics.received("traces", "shop", 8)
    metrics.refused("logs", "too_large")
    metrics.forwarded("traces", "accepted")
    metrics.dropped("logs", "rejected", 3, output="loki")
    metrics.redactions("email", "shop", 2)
    metrics.output_request("loki", 204)
    metrics.stage_seconds("redact", 0.0003)
    metrics.stage_seconds("redact", 99.0)
    metrics.watch_queue(lambda: QueueDepth(5, 1_000, 2.5))


def test_names_and_labels_are_the_contract() -> None:
    metrics = ServiceMetrics()
    fill(metrics)
    found = samples(metrics)
    assert found["otel_errors_received_total", (("service_name", "shop"), ("signal", "traces"))] == 520
    assert found["otel_errors_refused_total", (("reason", "too_large"), ("signal", "logs"))] == 1
    assert found["otel_errors_forwarded_total", (("outcome", "accepted"), ("signal", "traces"))] == 1
    assert found["otel_errors_dropped_total", (("output", "loki"), ("reason", "rejected"), ("signal", "logs"))] == 3
    assert found["otel_errors_redactions_total", (("rule", "email"), ("service_name", "shop"))] == 2
    assert found["otel_errors_output_requests_total", (("code", "204"), ("output", "loki"))] == 1
    assert found["otel_errors_queue_events", ()] == 5
    assert found["otel_errors_queue_bytes", ()] == 1_000
    assert found["otel_errors_queue_oldest_seconds", ()] == 2.5
    assert found["otel_errors_stage_seconds_bucket", (("le", "0.00025"), ("stage", "redact"))] == 0
    assert found["otel_errors_stage_seconds_bucket", (("le", "0.0005"), ("stage", "redact"))] == 1
    assert found["otel_errors_stage_seconds_bucket", (("le", "+Inf"), ("stage", "redact"))] == 2
    assert found["otel_errors_stage_seconds_count", (("stage", "redact"),)] == 2
    assert found["otel_errors_stage_seconds_sum", (("stage", "redact"),)] == pytest.approx(99.0003)
    assert any(name == "otel_errors_build_info" and value == 1 for (name, _), value in found.items())


def test_services_are_bounded_and_the_rest_is_counted() -> None:
    metrics = ServiceMetrics(max_services=3)
    for number in range(10):
        metrics.received("logs", f"service-{number}", 1)
    received = dict(metrics.snapshot().counters["received"])
    assert received["logs", "other"] == 7
    assert len(received) == 4
    assert dict(metrics.snapshot().counters["series_dropped"]) == {("otel_errors_received_total",): 7}


def test_series_are_bounded_whatever_the_labels() -> None:
    metrics = ServiceMetrics(max_series=5)
    for number in range(50):
        metrics.refused("logs", f"reason {number}")
    refused = dict(metrics.snapshot().counters["refused"])
    assert refused["other", "other"] == 45
    assert len(refused) == 6


@given(st.text(), st.text(), st.floats() | st.integers())
def test_nothing_that_comes_from_outside_breaks_the_exposition(name: str, other: str, number: float) -> None:
    metrics = ServiceMetrics()
    metrics.received(name, other, number)  # type: ignore[arg-type]
    metrics.redactions(name, other, 1)
    metrics.stage_seconds(name, number)
    samples(metrics)


def test_counts_from_many_threads_are_exact() -> None:
    metrics = ServiceMetrics()

    def work() -> None:
        for number in range(2_000):
            metrics.received("logs", f"s{number % 7}", 1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(amount for _, amount in metrics.snapshot().counters["received"]) == 16_000


def test_other_processes_are_summed_and_replace_their_earlier_numbers() -> None:
    parent, worker = ServiceMetrics(), ServiceMetrics()
    fill(parent)
    fill(worker)
    parent.merge("worker-0", worker.snapshot())
    worker.received("traces", "shop", 80)
    parent.merge("worker-0", worker.snapshot())
    total = parent.total()
    assert dict(total.counters["received"])["traces", "shop"] == 520 + 600
    assert total.queue == (10, 2_000, 2.5)
    assert total.stage_seconds[0].sum_seconds == pytest.approx(2 * 99.0003)
    assert sum(total.stage_seconds[0].counts) == 4


def test_totals_survive_the_end_and_the_restart_of_a_process() -> None:
    parent = ServiceMetrics()
    for life in range(5):
        worker = ServiceMetrics()
        worker.received("logs", "shop", 10)
        worker.watch_queue(lambda: QueueDepth(1, 1, 1.0))
        parent.merge("worker-0", worker.snapshot())
        if life % 2:
            parent.retire("worker-0")
    parent.retire("worker-0")
    parent.retire("never heard of")
    assert dict(parent.total().counters["received"]) == {("logs", "shop"): 50}
    assert parent.total().queue == (0, 0, 0.0)


def test_a_snapshot_travels() -> None:
    metrics = ServiceMetrics()
    fill(metrics)
    snapshot = metrics.snapshot()
    assert msgspec.json.decode(msgspec.json.encode(snapshot), type=ServiceSnapshot) == snapshot


def test_the_bound_on_services_holds_for_the_sum() -> None:
    snapshots = []
    for process in range(3):
        metrics = ServiceMetrics()
        for number in range(10):
            metrics.received("logs", f"p{process}-s{number}", 1)
        snapshots.append(metrics.snapshot())
    received = dict(sum_snapshots(snapshots, max_services=12).counters["received"])
    assert len(received) == 13
    assert received["logs", "other"] == 18


def test_a_queue_that_cannot_be_asked_does_not_stop_a_scrape() -> None:
    metrics = ServiceMetrics()

    def broken() -> QueueDepth:
        raise RuntimeError("closed")

    metrics.watch_queue(broken)
    assert samples(metrics)["otel_errors_queue_events", ()] == 0


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain"),
        ("*/*", "text/plain"),
        ("text/html", "text/plain"),
        (OPENMETRICS, "application/openmetrics-text"),
        (
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2",
            "application/openmetrics-text",
        ),
        ("application/openmetrics-text; version=one", "application/openmetrics-text"),
        ("text/plain; version=;", "text/plain"),
    ],
)
def test_the_format_follows_the_accept_header(accept: str, content_type: str) -> None:
    found, body = exposition(accept, ServiceMetrics().registry)
    assert found.startswith(content_type)
    assert body.endswith(b"# EOF\n") == (content_type != "text/plain")


class _Given(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self.metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self.metrics


@settings(deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"])),
            st.sampled_from(['"', "\\", "\n", 'a"b\\n', ""]),
            st.floats() | st.integers(-(10**15), 10**15),
        )
    ),
    st.sampled_from([0.0, 1.5, 999_999.0, 1e6, 1234567.0, 1_800_000_000.25, 1e15, 1e16, 1e21, 1e300, 5e-324]),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_the_bytes_are_those_of_prometheus_client(rows: list[tuple[str, str, float]], number: float, text: str) -> None:
    counter = CounterMetricFamily("c", text, labels=("b", "a"))
    gauge = GaugeMetricFamily("g", "Plain.", labels=("only",))
    info = InfoMetricFamily("i", "About.")
    for one, other, value in rows:
        counter.add_metric((one, other), abs(value), exemplar=Exemplar({"trace_id": "f" * 32}, 1.0, number))
        counter.add_metric((other, one), number)
        gauge.add_metric((one,), value)
        gauge.add_metric((other,), -number)
        info.add_metric((), {"z": one, "y": other})
    histogram = HistogramMetricFamily("h", "Took.", buckets=[("1.0", 2), ("+Inf", 3)], sum_value=number)
    given_ = _Given([counter, gauge, info, histogram, GaugeMetricFamily("n", "None.", value=number)])
    assert exposition(OPENMETRICS, given_)[1] == openmetrics_text.generate_latest(given_)
    assert exposition("", given_)[1] == prometheus_text.generate_latest(given_)
