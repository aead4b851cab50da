"""What /metrics exposes: metric name → its labels. Rules and dashboards may use nothing else.

``test_metric_contract`` holds it against the exposition itself.

``job``, ``instance`` and ``pod`` are added by Prometheus.
"""

from __future__ import annotations

_ISSUE = frozenset({"issue_id", "service_name", "environment"})

STORE: dict[str, frozenset[str]] = {
    "otel_errors_events_total": frozenset({"service_name", "environment", "exception_type", "severity", "handled"}),
    "otel_errors_issue_events_total": _ISSUE,
    "otel_errors_issue_users": _ISSUE,
    "otel_errors_issue_info": _ISSUE - {"environment"}
    | {"title", "exception_type", "culprit", "first_release", "severity", "owner", "team", "url"},
    "otel_errors_issue_state": frozenset({"issue_id", "service_name", "severity", "state"}),
    "otel_errors_issue_first_seen_timestamp_seconds": _ISSUE,
    "otel_errors_issue_last_seen_timestamp_seconds": _ISSUE,
    "otel_errors_issue_state_changed_timestamp_seconds": frozenset({"issue_id"}),
    "otel_errors_issue_unacknowledged_since_timestamp_seconds": frozenset(
        {"issue_id", "severity", "service_name", "team"}
    ),
    "otel_errors_issues": frozenset({"service_name", "state", "severity"}),
    "otel_errors_release_first_seen_timestamp_seconds": frozenset({"service_name", "release"}),
    "otel_errors_service_last_received_timestamp_seconds": frozenset({"service_name"}),
} | {
    f"otel_errors_issue_{what}_seconds_{part}": frozenset({"le"} if part == "bucket" else ())
    for what in ("ack", "resolve")
    for part in ("bucket", "sum", "count")
}
"""From the store: the same from every replica, so ``max without (instance, pod)`` comes first."""

SERVICE: dict[str, frozenset[str]] = {
    "otel_errors_received_total": frozenset({"signal", "service_name"}),
    "otel_errors_refused_total": frozenset({"signal", "reason"}),
    "otel_errors_forwarded_total": frozenset({"signal", "outcome"}),
    "otel_errors_dropped_total": frozenset({"signal", "reason", "output"}),
    "otel_errors_redactions_total": frozenset({"rule", "service_name"}),
    "otel_errors_output_requests_total": frozenset({"output", "code"}),
    "otel_errors_series_dropped_total": frozenset({"metric"}),
    "otel_errors_queue_events": frozenset(),
    "otel_errors_queue_bytes": frozenset(),
    "otel_errors_queue_oldest_seconds": frozenset(),
    "otel_errors_stage_seconds_bucket": frozenset({"stage", "le"}),
    "otel_errors_stage_seconds_sum": frozenset({"stage"}),
    "otel_errors_stage_seconds_count": frozenset({"stage"}),
    "otel_errors_build_info": frozenset({"version", "python_version"}),
}
"""Of each process of the service: they add up, or for one of several the largest."""

METRICS = STORE | SERVICE

ADDED_BY_PROMETHEUS = frozenset({"job", "instance", "pod"})
