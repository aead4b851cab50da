"""The service's own numbers as prometheus-client's metric families: names, help texts and units, once."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from collector_processor.sinks.snapshot import COUNTER_LABELS, STAGE_BUCKETS_SECONDS, ServiceSnapshot

COUNTER_HELP: Final = {
    "received": "Spans, log records and metric data points received, by signal and service.",
    "refused": "Requests answered with an error, by signal and reason.",
    "forwarded": "Requests sent to the next hop, by signal and its answer.",
    "dropped": "Records that will never arrive, by signal, reason and, when it is one output only, that output.",
    "redactions": "Personal data and secrets replaced, by rule and service.",
    "output_requests": "Requests to outputs, by output and status code.",
    "series_dropped": "Observations counted under the label value other because a bound was reached, by metric.",
}

QUEUE_HELP: Final = {
    "events": "Error events in the durable queue, not yet in the store.",
    "bytes": "Bytes of the durable queue.",
    "oldest_seconds": "Age of the oldest event in the durable queue; 0 when it is empty.",
}


class ServiceCollector(Collector):
    """Asks for the numbers at every scrape."""

    def __init__(self, total: Callable[[], ServiceSnapshot], *, version: str) -> None:
        self._total = total
        self._version = version

    def describe(self) -> Iterator[Metric]:
        """Nothing: names are fixed, and registering must not ask the queue."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        total = self._total()
        for name, labels in COUNTER_LABELS.items():
            counter = CounterMetricFamily(f"otel_errors_{name}", COUNTER_HELP[name], labels=labels)
            for values, amount in total.counters[name]:
                counter.add_metric(values, amount)
            yield counter
        for (name, text), size in zip(QUEUE_HELP.items(), total.queue, strict=True):
            yield GaugeMetricFamily(f"otel_errors_queue_{name}", text, value=size)
        stages = HistogramMetricFamily(
            "otel_errors_stage_seconds",
            "Time that one stage took for one request or batch, in seconds.",
            labels=("stage",),
        )
        bounds = [*(str(bound) for bound in STAGE_BUCKETS_SECONDS), "+Inf"]
        for one in total.stage_seconds:
            below = 0
            buckets = []
            for bound, count in zip(bounds, one.counts, strict=True):
                below += count
                buckets.append((bound, below))
            stages.add_metric(one.values, buckets, one.sum_seconds)
        yield stages
        build = InfoMetricFamily("otel_errors_build", "Version of otel-errors and of the Python that runs it.")
        build.add_metric((), {"version": self._version, "python_version": platform.python_version()})
        yield build
