"""What the queries of the dashboards answer, run by Prometheus' own engine over the series of two replicas."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards import build
from tests.dashboards.test_dashboards import panels
from tests.programs import required_program

PANELS = {(name, one["title"]): one for name, text in build.render().items() for one in panels(json.loads(text))}
OVERVIEW = "otel-errors-overview.json"
ISSUE = "otel-errors-issue.json"

OLD = 'issue_id="1",service_name="shop"'
NEW = 'issue_id="2",service_name="cart"'
# Per replica: issue 1 is old, rises by 5 in minute 50 and is regressed; issue 2 is first scraped in minute 55,
# 20 seconds after it was born with 12 events, the first of its service; "other" rises by thousands.
SERIES = {
    f'otel_errors_issue_events_total{{{OLD},environment="prod"}}': "5000x199 5005x100",
    f'otel_errors_issue_events_total{{{NEW},environment="prod"}}': "_x220 12x80",
    'otel_errors_issue_events_total{issue_id="other",service_name="shop",environment="prod"}': "0+1000x300",
    f'otel_errors_issue_first_seen_timestamp_seconds{{{OLD},environment="prod"}}': "-900000x300",
    f'otel_errors_issue_first_seen_timestamp_seconds{{{NEW},environment="prod"}}': "_x220 3280x80",
    'otel_errors_issue_first_seen_timestamp_seconds{issue_id="other",service_name="shop"}': "3000x300",
    f'otel_errors_issue_last_seen_timestamp_seconds{{{OLD},environment="prod"}}': "3000x300",
    f'otel_errors_issue_users{{{OLD},environment="prod"}}': "7x300",
    f'otel_errors_issue_info{{{OLD},title="KeyError: old",severity="high",owner="kim",url="u1"}}': "1x300",
    f'otel_errors_issue_info{{{NEW},title="ValueError: new",severity="critical",url="u2"}}': "_x220 1x80",
    f'otel_errors_issue_state{{{OLD},severity="high",state="regressed"}}': "1x300",
    f'otel_errors_issue_state{{{NEW},severity="critical",state="new"}}': "_x220 1x80",
    f'otel_errors_issue_unacknowledged_since_timestamp_seconds{{{OLD},severity="high"}}': "3000x300",
    f'otel_errors_issue_unacknowledged_since_timestamp_seconds{{{NEW},severity="critical"}}': "_x220 3300x80",
    'otel_errors_issues{service_name="shop",state="regressed",severity="high"}': "1x300",
    'otel_errors_issues{service_name="cart",state="new",severity="critical"}': "_x220 1x80",
    'otel_errors_issues{service_name="cart",state="ignored",severity="low"}': "4x300",
    'otel_errors_events_total{service_name="shop",environment="prod",exception_type="KeyError"}': "5000x199 5005x100",
    # A type that is new to a known service: a new series.
    'otel_errors_events_total{service_name="shop",environment="prod",exception_type="OSError"}': "_x220 3x80",
    'otel_errors_events_total{service_name="cart",environment="prod",exception_type="ValueError"}': "_x220 12x80",
    'otel_errors_build_info{version="1"}': "1x300",
}


def query(name: str, title: str, ref: str = "A", *, interval: str = "1m") -> str:
    target = next(one for one in PANELS[name, title]["targets"] if one["refId"] == ref)
    text: str = target["expr"]
    for macro, value in (
        ("$__interval_ms", "60000"),
        ("$__interval", interval),
        ("$__range_s", "3600"),
        ("$__range", "1h"),
        ("$__rate_interval", "1m"),
        ("$service", ".*"),
        ("$environment", ".*"),
        ("$issue", "2"),
    ):
        text = text.replace(macro, value)
    assert "$" not in text
    return text


CASES: list[tuple[str, str, str, dict[str, float]]] = [
    ("60m", query(OVERVIEW, "Open issues"), "open", {"{}": 2}),
    ("60m", query(OVERVIEW, "New in 24 h"), "new", {"{}": 1}),
    ("50m", query(OVERVIEW, "New in 24 h"), "none new is 0", {"{}": 0}),
    ("60m", query(OVERVIEW, "Regressed"), "regressed", {"{}": 1}),
    ("60m", query(OVERVIEW, "Unacknowledged"), "unacknowledged", {"{}": 2}),
    ("60m", query(OVERVIEW, "Critical, unacknowledged"), "critical", {"{}": 1}),
    ("50m", query(OVERVIEW, "Critical, unacknowledged"), "no critical is 0", {"{}": 0}),
    ("60m", f"floor({query(OVERVIEW, 'Top issues')})", "top issues", {'{issue_id="1"}': 5, '{issue_id="2"}': 12}),
    ("60m", query(OVERVIEW, "Top issues", "D"), "users", {'{issue_id="1"}': 7}),
    ("60m", query(OVERVIEW, "Top issues", "E"), "last seen", {'{issue_id="1"}': 3000000}),
    (
        "60m",
        query(OVERVIEW, "Top issues", "C"),
        "state",
        {'{issue_id="1", state="regressed"}': 1, '{issue_id="2", state="new"}': 1},
    ),
    (
        "60m",
        query(OVERVIEW, "Open issues by service"),
        "state by service",
        {'{service_name="cart", state="new"}': 1, '{service_name="shop", state="regressed"}': 1},
    ),
    (
        "55m15s",
        query(OVERVIEW, "Events by service"),
        "births of a type and of a service",
        {'{service_name="shop"}': 3, '{service_name="cart"}': 12},
    ),
    ("55m30s", query(ISSUE, "Events over time"), "an issue's birth", {'{environment="prod"}': 12}),
    # Born before a step began, met by Prometheus within it.
    ("55m55s", query(ISSUE, "Events over time"), "a birth in the step before", {'{environment="prod"}': 12}),
    ("57m", query(ISSUE, "Events over time"), "once only", {'{environment="prod"}': 0}),
    ("60m", query(ISSUE, "Events, total"), "total", {"{}": 12}),
    ("60m", query(ISSUE, "State"), "state as a number", {"{}": 1}),
    ("60m", query(ISSUE, "Issue"), "title", {'{title="ValueError: new", url="u2"}': 1}),
    ("60m", query(OVERVIEW, "Replicas that answer"), "replicas", {"{}": 2}),
]


def run_promtool(document: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "queries.test.yml"
    file.write_text(yaml.safe_dump(document, width=1000), encoding="utf-8")
    command = [required_program("promtool"), "test", "rules", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_every_query_answers_what_its_panel_says(tmp_path: Path) -> None:
    replicas = [("a", "p-a"), ("b", "p-b")]
    inputs = [
        {"series": series.replace("{", f'{{job="otel-errors",instance="{instance}",pod="{pod}",', 1), "values": values}
        for series, values in SERIES.items()
        for instance, pod in replicas
    ]
    tests: list[dict[str, Any]] = [
        {
            "eval_time": at,
            "expr": expression,
            "exp_samples": [{"labels": labels, "value": value} for labels, value in expected.items()],
        }
        for at, expression, _, expected in CASES
    ]
    document = {
        "evaluation_interval": "15s",
        "tests": [{"interval": "15s", "input_series": inputs, "promql_expr_test": tests}],
    }
    result = run_promtool(document, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("title", ["Open issues", "New in 24 h", "Unacknowledged"])
def test_a_missing_scrape_job_is_not_zero(title: str, tmp_path: Path) -> None:
    """Where Prometheus has never met otel-errors, the panel says "no data", not "0"."""
    document = {
        "tests": [
            {
                "interval": "15s",
                "input_series": [{"series": 'up{job="node"}', "values": "1x100"}],
                "promql_expr_test": [{"eval_time": "5m", "expr": query(OVERVIEW, title), "exp_samples": []}],
            }
        ]
    }
    result = run_promtool(document, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("board", "title", "labels"),
    [(ISSUE, "Events over time", '{environment="prod"}'), (OVERVIEW, "Events by service", '{service_name="cart"}')],
)
def test_totals_that_return_are_no_news(board: str, title: str, labels: str, tmp_path: Path) -> None:
    """After a gap of twelve minutes an old total is not drawn; a failed scrape does not draw a young one again."""

    def series(first_seen: int, total: str) -> list[dict[str, str]]:
        issue = f'{NEW},environment="prod"'
        return [
            {"series": f"otel_errors_issue_events_total{{{issue}}}", "values": total},
            {"series": f"otel_errors_issue_first_seen_timestamp_seconds{{{issue}}}", "values": f"{first_seen}x150"},
            {"series": 'otel_errors_events_total{service_name="cart",environment="prod"}', "values": total},
        ]

    def one(first_seen: int, total: str, at: str) -> dict[str, Any]:
        expected = {"eval_time": at, "expr": query(board, title), "exp_samples": [{"labels": labels, "value": 0}]}
        return {"interval": "15s", "input_series": series(first_seen, total), "promql_expr_test": [expected]}

    old = one(-900_000, "5000x40 _x47 5000x60", "22m30s")
    young = one(580, "_x39 12x6 stale 12x60", "12m30s")
    result = run_promtool({"evaluation_interval": "15s", "tests": [old, young]}, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
