"""All numbers of one process at one moment, as plain data, and their sum over processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from collector_processor.sinks.tables import OTHER, BoundedValues, LabelValues, sum_rows

MAX_SERVICES: Final = 1_000

STAGE_BUCKETS_SECONDS: Final = (
    0.00001,
    0.000025,
    0.00005,
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.5,
    2.5,
    10.0,
)

COUNTER_LABELS: Final[Mapping[str, LabelValues]] = {
    "received": ("signal", "service_name"),
    "refused": ("signal", "reason"),
    "forwarded": ("signal", "outcome"),
    "dropped": ("signal", "reason", "output"),
    "redactions": ("rule", "service_name"),
    "output_requests": ("output", "code"),
    "series_dropped": ("metric",),
}
"""``otel_errors_{name}_total`` and its labels."""


class Histogram(msgspec.Struct, frozen=True):
    """One label set's observations: counts per bucket (not cumulated, the last above the largest bound) and their sum
    in seconds."""

    values: LabelValues
    counts: tuple[int, ...]
    sum_seconds: float


class ServiceSnapshot(msgspec.Struct, frozen=True):
    """What a process counted since it started. Encodes to JSON or MessagePack with msgspec."""

    instance: str
    """Names the life of one process: a restarted worker has another one, and adds to the total instead of taking its
    forerunner's place."""
    counters: dict[str, list[tuple[LabelValues, float]]]
    stage_seconds: list[Histogram]
    queue: tuple[int, int, float]
    """Events, bytes, age of the oldest event in seconds."""


def sum_snapshots(snapshots: Sequence[ServiceSnapshot], *, max_services: int = MAX_SERVICES) -> ServiceSnapshot:
    """Counters, histograms and queue sizes added up; the oldest event's age is the largest. Services past the bound go
    under ``other``."""
    counters = {name: sum_rows(*(dict(one.counters.get(name, ())) for one in snapshots)) for name in COUNTER_LABELS}
    services = BoundedValues(max_services)
    for name in ("received", "redactions"):
        counters[name] = _bounded(counters[name], COUNTER_LABELS[name].index("service_name"), services)
    stages: dict[LabelValues, Histogram] = {}
    for snapshot in snapshots:
        for one in snapshot.stage_seconds:
            seen = stages.get(one.values)
            stages[one.values] = one if seen is None else _sum(seen, one)
    return ServiceSnapshot(
        instance=snapshots[0].instance if snapshots else "",
        counters={name: list(rows.items()) for name, rows in counters.items()},
        stage_seconds=list(stages.values()),
        queue=(
            sum(one.queue[0] for one in snapshots),
            sum(one.queue[1] for one in snapshots),
            max((one.queue[2] for one in snapshots), default=0.0),
        ),
    )


def _bounded(rows: Mapping[LabelValues, float], place: int, services: BoundedValues) -> dict[LabelValues, float]:
    bounded: dict[LabelValues, float] = {}
    for values, amount in rows.items():
        service = values[place] if values[place] == OTHER else services.of(values[place])
        kept = (*values[:place], service, *values[place + 1 :])
        bounded[kept] = bounded.get(kept, 0.0) + amount
    return bounded


def _sum(a: Histogram, b: Histogram) -> Histogram:
    return Histogram(
        a.values, tuple(x + y for x, y in zip(a.counts, b.counts, strict=True)), a.sum_seconds + b.sum_seconds
    )
