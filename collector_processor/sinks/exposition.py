"""``/metrics`` as bytes: OpenMetrics with exemplars for who asks for it, Prometheus text for everybody else."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import exposition as prometheus_text
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition as openmetrics_text
from prometheus_client.registry import Collector


class _Together(Collector):
    def __init__(self, collectors: tuple[Collector, ...]) -> None:
        self._collectors = collectors

    def collect(self) -> Iterator[Metric]:
        for collector in self._collectors:
            yield from collector.collect()


def is_openmetrics(accept: str) -> bool:
    """Which of the two forms ``accept`` asks for."""
    return "application/openmetrics-text" in accept


def exposition(accept: str, *collectors: Collector) -> tuple[str, bytes]:
    """Content type and body of all families of ``collectors``; ``accept`` is the request's header. Raises what a
    collector raises."""
    # Our names are plain ASCII, so neither versions nor escaping schemes of the header change anything;
    # prometheus-client's
    # own negotiation raises for a version that is no number.
    together = _Together(collectors)
    if is_openmetrics(accept):
        return openmetrics_text.CONTENT_TYPE_LATEST, openmetrics_text.generate_latest(together)  # type: ignore[no-untyped-call]
    return prometheus_text.CONTENT_TYPE_PLAIN_0_0_4, prometheus_text.generate_latest(together)
