"""What the service counts about itself, in every process of it, and how the API process sums it up.

Each process holds one ``ServiceMetrics``; the receivers, the pipeline and the outputs call it from their threads. A
worker process sends ``snapshot()`` (plain data, fit for JSON) to the API process, which takes it in with ``merge``.
Totals never go down while the API process lives: what a process counted stays when that process ends.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from importlib import metadata
from typing import Final, Protocol

import msgspec
from prometheus_client import CollectorRegistry

from collector_processor.sinks.service_families import ServiceCollector
from collector_processor.sinks.snapshot import (
    COUNTER_LABELS,
    MAX_SERVICES,
    STAGE_BUCKETS_SECONDS,
    Histogram,
    ServiceSnapshot,
    sum_snapshots,
)
from collector_processor.sinks.tables import OTHER, BoundedValues, CounterTable, HistogramTable, LabelValues, label_text

MAX_SERIES: Final = 10_000
"""Of one metric. Services are bounded before; this bounds their product with signals and rules."""
MAX_STAGES: Final = 200


class Depth(Protocol):
    """What waits in a queue: number, bytes, seconds since the oldest came."""

    @property
    def events(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def oldest_seconds(self) -> float: ...


class ServiceMetrics:
    """The service's own counters. Every method may be called from any thread and never raises for what a sender
    chose."""

    def __init__(self, *, max_services: int = MAX_SERVICES, max_series: int = MAX_SERIES) -> None:
        self.instance = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._services = BoundedValues(max_services)
        self._counters = {name: CounterTable(labels, max_series) for name, labels in COUNTER_LABELS.items()}
        self._stages = HistogramTable(("stage",), STAGE_BUCKETS_SECONDS, MAX_STAGES)
        self._queue_depth: Callable[[], Depth] | None = None
        self._merged: dict[str, ServiceSnapshot] = {}
        self._gone: list[ServiceSnapshot] = []
        self.registry = CollectorRegistry()
        """Holds these metrics, summed over processes; the store's series are registered here too
        (``StoreCollector``)."""
        self.registry.register(ServiceCollector(self.total, version=_package_version()))

    def received(self, signal: str, service: str, items: int) -> None:
        """``items`` spans, log records or data points of ``service`` came in with a request that was read."""
        with self._lock:
            self._add("received", (label_text(signal), self._service("received", service)), items)

    def refused(self, signal: str, reason: str) -> None:
        """A request was answered with an error: bad data, too large, overload, queue full."""
        with self._lock:
            self._add("refused", (label_text(signal), label_text(reason)), 1)

    def forwarded(self, signal: str, outcome: str) -> None:
        """A request was sent to the next hop, which answered ``outcome``."""
        with self._lock:
            self._add("forwarded", (label_text(signal), label_text(outcome)), 1)

    def dropped(self, signal: str, reason: str, items: int = 1, *, output: str = "") -> None:
        """``items`` will never arrive; ``output`` names the place they do not arrive at (``loki``), empty for the
        service as a whole."""
        with self._lock:
            self._add("dropped", (label_text(signal), label_text(reason), label_text(output)), items)

    def redactions(self, rule: str, service: str, count: int) -> None:
        """``rule`` replaced ``count`` pieces of text in errors of ``service``."""
        with self._lock:
            self._add("redactions", (label_text(rule), self._service("redactions", service)), count)

    def output_request(self, output: str, code: str | int) -> None:
        """A request to an output ended with a status code, or with ``timeout`` or ``unreachable``."""
        with self._lock:
            self._add("output_requests", (label_text(output), label_text(str(code))), 1)

    def stage_seconds(self, stage: str, seconds: float) -> None:
        """One stage took that long for one request or batch."""
        with self._lock:
            if self._stages.observe((label_text(stage),), seconds):
                self._add("series_dropped", ("otel_errors_stage_seconds",), 1)

    def series_dropped(self, metric: str, observations: int) -> None:
        """So many observations went under ``other`` because ``metric`` (its full name) has as many series as are
        kept."""
        with self._lock:
            self._add("series_dropped", (label_text(metric),), observations)

    def watch_queue(self, depth: Callable[[], Depth]) -> None:
        """Where to ask, at every snapshot, what waits in this process's queue (``SqliteQueue.depth``). If it raises,
        the queue reads as empty."""
        self._queue_depth = depth

    def snapshot(self) -> ServiceSnapshot:
        """This process alone, without what it took in from others."""
        queue = self._depth()  # outside the lock: it may read a database
        with self._lock:
            return ServiceSnapshot(
                instance=self.instance,
                counters={name: list(table.rows.items()) for name, table in self._counters.items()},
                stage_seconds=[
                    Histogram(values, tuple(counts), self._stages.sums[values])
                    for values, counts in self._stages.counts.items()
                ],
                queue=queue,
            )

    def merge(self, source: str, snapshot: ServiceSnapshot) -> None:
        """Take in the numbers of another process of the service, in the place of the earlier ones of that
        ``source``."""
        with self._lock:
            last = self._merged.get(source)
            if last is not None and last.instance != snapshot.instance:
                self._keep_totals(last)  # it was restarted and counts from zero again
            self._merged[source] = snapshot

    def retire(self, source: str) -> None:
        """The process of that name is gone: its totals stay (added to those of others that are gone), its queue gauges
        go."""
        with self._lock:
            last = self._merged.pop(source, None)
            if last is not None:
                self._keep_totals(last)

    def total(self) -> ServiceSnapshot:
        """This process and all that were taken in, summed; the bounds hold for the sum too."""
        own = self.snapshot()
        with self._lock:
            others = list(self._merged.values())
            gone = self._gone
        return sum_snapshots([own, *others, *gone])

    def _keep_totals(self, last: ServiceSnapshot) -> None:
        self._gone = [msgspec.structs.replace(sum_snapshots([*self._gone, last]), queue=(0, 0, 0.0))]

    def _add(self, name: str, values: LabelValues, amount: float) -> None:
        if self._counters[name].add(values, amount) and name != "series_dropped":
            self._counters["series_dropped"].add((f"otel_errors_{name}_total",), 1)

    def _service(self, name: str, service: str) -> str:
        kept = self._services.of(service)
        if kept == OTHER and service != OTHER:
            self._counters["series_dropped"].add((f"otel_errors_{name}_total",), 1)
        return kept

    def _depth(self) -> tuple[int, int, float]:
        if self._queue_depth is None:
            return (0, 0, 0.0)
        try:
            depth = self._queue_depth()
            return (depth.events, depth.bytes, depth.oldest_seconds)
        except Exception:
            # A scrape must not fail because the queue is being closed; readiness is where a broken queue is told.
            return (0, 0, 0.0)


def _package_version() -> str:
    try:
        return metadata.version("otel-errors")
    except metadata.PackageNotFoundError:
        return "unknown"
