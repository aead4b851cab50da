"""The issue store as Prometheus series: what dashboards and alert rules are built on.

Read from the store at every scrape, so totals survive restarts and replicas agree. Every family has its labels here and
nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from collector_processor.sinks.tables import OTHER, LabelValues, label_text

if TYPE_CHECKING:
    from collector_processor.issues.rows import EventTotal, IssueEnvironment, IssueInfo, MetricsSnapshot

MAX_TITLE_CHARACTERS: Final = 120

_TRACE_ID: Final = re.compile("[0-9a-f]{32}")
_DURATION_HELP: Final = {
    "ack": "Seconds from an issue's opening (new or regressed) to its acknowledgement.",
    "resolve": "Seconds from an issue's opening (new or regressed) to its resolution.",
}


class StoreCollector(Collector):
    """Families of one snapshot. An error of the store goes through: a scrape that fails is seen, series that vanish are
    not."""

    def __init__(self, snapshot: Callable[[], MetricsSnapshot], *, public_url: str) -> None:
        self._snapshot = snapshot
        self._public_url = public_url.rstrip("/")

    def describe(self) -> Iterator[Metric]:
        """Nothing: names are fixed, and registering must not read the store."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        snapshot = self._snapshot()
        yield _events(snapshot.event_totals)
        yield from _issue_environments(snapshot.issue_environments)
        yield from _issues(snapshot.issues, self._public_url)
        yield _gauge(
            "issues",
            "Issues by service, state and severity.",
            ("service_name", "state", "severity"),
            ((_texts(row.service_name, row.state, row.severity), float(row.issues)) for row in snapshot.issue_tallies),
            combine=float.__add__,
        )
        yield _gauge(
            "release_first_seen_timestamp_seconds",
            "When the first error of a service with a release occurred.",
            ("service_name", "release"),
            ((_texts(row.service_name, row.release), row.first_seen) for row in snapshot.releases),
            combine=min,
        )
        yield _gauge(
            "service_last_received_timestamp_seconds",
            "When the last error of a service was received.",
            ("service_name",),
            ((_texts(row.service_name), row.last_received) for row in snapshot.services),
            combine=max,
        )
        for duration in snapshot.durations:
            family = HistogramMetricFamily(f"otel_errors_issue_{duration.kind}_seconds", _DURATION_HELP[duration.kind])
            bounds = ["+Inf" if upper == float("inf") else str(upper) for upper, _ in duration.buckets]
            below = accumulate(count for _, count in duration.buckets)
            family.add_metric((), list(zip(bounds, below, strict=True)), duration.sum_seconds)
            yield family


def _events(rows: Iterable[EventTotal]) -> Metric:
    labels = ("service_name", "environment", "exception_type", "severity", "handled")
    family = CounterMetricFamily("otel_errors_events", "Errors counted, each once.", labels=labels)
    totals = _Totals()
    for row in rows:
        handled = "unknown" if row.handled is None else str(row.handled).lower()
        totals.add(
            _texts(row.service_name, row.environment, row.type, row.severity, handled),
            row.total,
            row.trace_id,
            row.trace_time,
        )
    return totals.into(family)


def _issue_environments(rows: Iterable[IssueEnvironment]) -> Iterator[Metric]:
    labels = ("issue_id", "service_name", "environment")
    family = CounterMetricFamily(
        "otel_errors_issue_events",
        "Errors counted of an issue; issues without series of their own are summed as other.",
        labels=labels,
    )
    totals = _Totals()
    single = []
    for row in rows:
        values = _texts(row.issue_id, row.service_name, row.environment)
        totals.add(values, row.total, row.trace_id, row.trace_time)
        if row.issue_id != OTHER:  # users and times of several issues cannot be summed
            single.append((values, row))
    yield totals.into(family)
    yield _gauge(
        "issue_users",
        "Distinct users that met an issue.",
        labels,
        ((v, float(row.users)) for v, row in single),
        combine=float.__add__,
    )
    yield _gauge(
        "issue_first_seen_timestamp_seconds",
        "When an issue first occurred.",
        labels,
        ((v, row.first_seen) for v, row in single),
        combine=min,
    )
    yield _gauge(
        "issue_last_seen_timestamp_seconds",
        "When an issue last occurred.",
        labels,
        ((v, row.last_seen) for v, row in single),
        combine=max,
    )


def _issues(rows: list[IssueInfo], public_url: str) -> Iterator[Metric]:
    info = InfoMetricFamily("otel_errors_issue", "What an issue is; exactly one series an issue.")
    shown: list[tuple[str, str, str, str, IssueInfo]] = []
    for row in {row.issue_id: row for row in rows}.values():
        issue_id, service, severity, team = _texts(row.issue_id, row.service_name, row.severity, row.team)
        shown.append((issue_id, service, severity, team, row))
        described = {
            "issue_id": issue_id,
            "service_name": service,
            "title": label_text(row.title, MAX_TITLE_CHARACTERS),
            "exception_type": label_text(row.type),
            "culprit": label_text(row.culprit),
            "first_release": label_text(row.first_release),
            "severity": severity,
            "owner": label_text(row.owner),
            "team": team,
            "url": label_text(f"{public_url}/issues/{row.issue_id}"),
        }
        info.add_metric((), described)
    yield info
    yield _gauge(
        "issue_state",
        "The state that an issue is in; its other states have no series.",
        ("issue_id", "service_name", "severity", "state"),
        (((issue_id, service, severity, row.state), 1.0) for issue_id, service, severity, _, row in shown),
        combine=max,
    )
    yield _gauge(
        "issue_state_changed_timestamp_seconds",
        "When an issue came into its state.",
        ("issue_id",),
        (((issue_id,), row.changed_at) for issue_id, _, _, _, row in shown),
        combine=max,
    )
    yield _gauge(
        "issue_unacknowledged_since_timestamp_seconds",
        "Since when an issue waits for somebody; gone once it is acknowledged, resolved or ignored.",
        ("issue_id", "severity", "service_name", "team"),
        (
            ((issue_id, severity, service, team), row.unacknowledged_since)
            for issue_id, service, severity, team, row in shown
            if row.unacknowledged_since is not None
        ),
        combine=min,
    )


def _texts(*values: str) -> LabelValues:
    return tuple([label_text(value) for value in values])


class _Totals:
    """Counter values by labels: names that differ only in what a label cannot hold become one series, never two of the
    same."""

    def __init__(self) -> None:
        self._totals: dict[LabelValues, int] = {}
        self._traces: dict[LabelValues, tuple[float, str]] = {}

    def add(self, texts: LabelValues, total: int, trace_id: str, trace_time: float) -> None:
        self._totals[texts] = self._totals.get(texts, 0) + total
        if _TRACE_ID.fullmatch(trace_id):
            self._traces[texts] = max(self._traces.get(texts, (0.0, "")), (trace_time, trace_id))

    def into(self, family: CounterMetricFamily) -> CounterMetricFamily:
        for values, total in self._totals.items():
            trace_time, trace_id = self._traces.get(values, (0.0, ""))
            exemplar = (
                Exemplar({"trace_id": trace_id}, 1.0, trace_time if trace_time > 0 else None) if trace_id else None
            )
            family.add_metric(values, total, exemplar=exemplar)
        return family


def _gauge(
    name: str,
    text: str,
    labels: LabelValues,
    rows: Iterable[tuple[LabelValues, float]],
    *,
    combine: Callable[[float, float], float],
) -> Metric:
    """``rows``: labels as ``_texts`` makes them. They are made once for all families that share them."""
    values: dict[LabelValues, float] = {}
    for texts, value in rows:
        values[texts] = combine(values[texts], value) if texts in values else value
    family = GaugeMetricFamily(f"otel_errors_{name}", text, labels=labels)
    for texts, value in values.items():
        family.add_metric(texts, value)
    return family
