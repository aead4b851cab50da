"""Every query of the dashboards and every rule, asked of a real Prometheus that scrapes the processor of a demo.

Two addresses of one processor stand for two replicas, as both answer from one store.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from alert_rules.build import RULES, render, write
from alert_rules.config import Notifiers, Rules
from collector_processor.demo import Api, Driver, Ledger, Shop, bounded, wait_until_counted
from dashboards import build
from tests.alert_rules.live import Handle, await_value, start_prometheus
from tests.dashboards.test_dashboards import panels
from tests.end_to_end.processor import Processor, running

RANGE_SECONDS = 3600
STEP_SECONDS = 60
BOARDS = {name: json.loads(text) for name, text in build.render().items()}
OVERVIEW = BOARDS["otel-errors-overview.json"]
ISSUE = BOARDS["otel-errors-issue.json"]

Series = dict[str, Any]


@dataclass
class Watched:
    """A processor that has counted a script of the shop, and the Prometheus that watched it."""

    prometheus: Handle
    issues: dict[str, dict[str, Any]]
    """Id → issue as the REST API shows it; one is acknowledged, one resolved, the others are new."""

    def ask(self, expression: str, *, issue: str = "", instant: bool) -> list[Series]:
        """Series of the expression as Grafana would ask for it: all services, all environments."""
        text = expression
        for macro, value in (
            ("$__interval_ms", str(STEP_SECONDS * 1000)),
            ("$__interval", f"{STEP_SECONDS}s"),
            ("$__rate_interval", f"{STEP_SECONDS}s"),
            ("$__range_s", str(RANGE_SECONDS)),
            ("$__range", f"{RANGE_SECONDS}s"),
            ("$service", ".*"),
            ("$environment", ".*"),
            ("$issue", issue),
        ):
            text = text.replace(macro, value)
        assert "$" not in text
        now = time.time()
        if instant:
            path = "/api/v1/query?" + urlencode({"query": text, "time": now})
        else:
            times = {"start": now - RANGE_SECONDS, "end": now, "step": STEP_SECONDS}
            path = "/api/v1/query_range?" + urlencode({"query": text, **times})
        answer = self.prometheus.get(path)
        assert answer["status"] == "success"
        assert not answer.get("warnings")
        found: list[Series] = answer["data"]["result"]
        return found

    def panel(self, board: dict[str, Any], title: str, ref: str = "A", *, issue: str = "") -> list[Series]:
        (one,) = [panel for panel in panels(board) if panel["title"] == title]
        (target,) = [target for target in one["targets"] if target["refId"] == ref]
        return self.ask(target["expr"], issue=issue, instant=target["instant"])

    def one_value(self, board: dict[str, Any], title: str, *, issue: str = "") -> float:
        (series,) = self.panel(board, title, issue=issue)
        return float(series["value"][1])

    def in_state(self, *states: str) -> set[str]:
        return {number for number, issue in self.issues.items() if issue["state"] in states}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    write(render(Rules(evaluation_interval="1s"), Notifiers()), folder)
    processor = Processor(folder / "processor")
    address = processor.api.removeprefix("http://")
    other_name = address.replace("127.0.0.1", "localhost")
    with (
        running(processor),
        start_prometheus(folder, scrape_target=address, more_targets=[other_name], rules=folder / RULES) as prometheus,
    ):
        await_value(lambda: _value(prometheus, "count(up == 1)") == 2, what="two targets that answer")
        ledger = Ledger()
        with Shop(f"http://{processor.grpc}", folder) as shop:
            Driver(shop.urls, f"http://{processor.http}", ledger).play(bounded(5))
        _, differences = wait_until_counted(Api(processor.api), ledger)
        assert not differences
        for issue, state in zip(processor.issues(), ("acknowledged", "resolved"), strict=False):
            answer = httpx.patch(f"{processor.api}/api/v1/issues/{issue['id']}", json={"state": state})
            assert answer.status_code == 200, answer.text
        issues = {str(issue["id"]): issue for issue in processor.issues()}
        total = sum(int(str(issue["count"])) for issue in issues.values())
        events = "sum(max without (instance) (otel_errors_issue_events_total))"
        waiting = "count(max without (instance) (otel_errors_issue_unacknowledged_since_timestamp_seconds))"
        firing = 'count(ALERTS{alertname="OtelErrorsNewIssue", alertstate="firing"})'
        for expression, expected in ((events, total), (waiting, len(issues) - 2), (firing, len(issues) - 2)):
            await_value(
                lambda expression=expression, expected=expected: _value(prometheus, expression) == expected,  # type: ignore[misc]
                seconds=60,
                what=f"{expression} = {expected}",
            )
        yield Watched(prometheus, issues)


def _value(prometheus: Handle, expression: str) -> float:
    found = prometheus.get("/api/v1/query?" + urlencode({"query": expression}))["data"]["result"]
    return float(found[0]["value"][1]) if found else math.nan


def labels(found: list[Series], name: str) -> list[str]:
    return sorted(series["metric"].get(name, "") for series in found)


def course(series: Series) -> float:
    """The sum over the steps of a range query."""
    return sum(float(value) for _, value in series["values"])


def test_every_query_has_a_check_here() -> None:
    """A panel that is added must be looked at with real data, too."""
    text = Path(__file__).read_text(encoding="utf-8")
    for board in BOARDS.values():
        for panel in panels(board):
            for target in panel.get("targets", []):
                if target["datasource"]["type"] == "prometheus":
                    assert f'"{panel["title"]}"' in text, panel["title"]


def test_the_counts_of_issues(watched: Watched) -> None:
    waiting = watched.in_state("new", "regressed")
    critical = [number for number in waiting if watched.issues[number]["severity"] == "critical"]
    assert critical
    assert watched.one_value(OVERVIEW, "Open issues") == len(waiting) + 1
    assert watched.one_value(OVERVIEW, "New in 24 h") == len(watched.issues)
    assert watched.one_value(OVERVIEW, "Regressed") == 0
    assert watched.one_value(OVERVIEW, "Unacknowledged") == len(waiting)
    assert watched.one_value(OVERVIEW, "Critical, unacknowledged") == len(critical)


def test_the_open_issues_by_service(watched: Watched) -> None:
    found = watched.panel(OVERVIEW, "Open issues by service")
    shown = {(s["metric"]["service_name"], s["metric"]["state"]): int(s["value"][1]) for s in found}
    expected: dict[tuple[str, str], int] = {}
    for number in watched.in_state("new", "regressed", "acknowledged"):
        issue = watched.issues[number]
        key = (issue["service_name"], issue["state"])
        expected[key] = expected.get(key, 0) + 1
    assert shown == expected


def test_events_are_drawn_from_the_first_on(watched: Watched) -> None:
    """Each service is new here: without what stands for births, its first events would be missing."""
    found = watched.panel(OVERVIEW, "Events by service")
    assert labels(found, "service_name") == sorted({issue["service_name"] for issue in watched.issues.values()})
    for series in found:
        of_service = [
            i["count"] for i in watched.issues.values() if i["service_name"] == series["metric"]["service_name"]
        ]
        assert 1 <= course(series) <= 2 * sum(of_service)
    # A rate needs two points of its subquery, 15 seconds apart.
    (rate,) = await_value(lambda: watched.panel(OVERVIEW, "Events per minute"), seconds=60, what="a rate")
    assert all(float(value) >= 0 for _, value in rate["values"])


def test_the_table_of_issues(watched: Watched) -> None:
    counts = {s["metric"]["issue_id"]: float(s["value"][1]) for s in watched.panel(OVERVIEW, "Top issues", "A")}
    assert counts == {number: issue["count"] for number, issue in watched.issues.items()}
    about = {s["metric"]["issue_id"]: s["metric"] for s in watched.panel(OVERVIEW, "Top issues", "B")}
    states = {s["metric"]["issue_id"]: s["metric"]["state"] for s in watched.panel(OVERVIEW, "Top issues", "C")}
    users = {s["metric"]["issue_id"]: int(s["value"][1]) for s in watched.panel(OVERVIEW, "Top issues", "D")}
    seen = {s["metric"]["issue_id"]: float(s["value"][1]) for s in watched.panel(OVERVIEW, "Top issues", "E")}
    for number, issue in watched.issues.items():
        assert about[number]["url"] == issue["url"]
        assert about[number]["service_name"] == issue["service_name"]
        assert about[number]["severity"] == issue["severity"]
        assert about[number]["first_release"]
        assert states[number] == issue["state"]
        assert users[number] == issue["users"]
        # Milliseconds of the last hours, as Grafana's "from now" wants them.
        assert 0 <= time.time() - seen[number] / 1000 < RANGE_SECONDS


def test_how_otel_errors_itself_is_doing(watched: Watched) -> None:
    assert watched.one_value(OVERVIEW, "Replicas that answer") == 2
    assert 0 <= time.time() - watched.one_value(OVERVIEW, "Last error received") / 1000 < RANGE_SECONDS
    assert watched.one_value(OVERVIEW, "Dropped in 24 h") == 0


def test_the_issue_dashboard_for_every_issue(watched: Watched) -> None:
    words = {
        panel["title"]: {int(place): shown["text"] for place, shown in mapping["options"].items()}
        for panel in panels(ISSUE)
        if panel["title"] in ("State", "Severity")
        for mapping in panel["fieldConfig"]["defaults"]["mappings"]
    }
    for number, issue in watched.issues.items():
        (title,) = watched.panel(ISSUE, "Issue", issue=number)
        assert title["metric"]["title"] == issue["title"][:120]
        assert title["metric"]["url"] == issue["url"]
        assert words["State"][int(watched.one_value(ISSUE, "State", issue=number))] == issue["state"]
        assert words["Severity"][int(watched.one_value(ISSUE, "Severity", issue=number))] == issue["severity"]
        first = watched.one_value(ISSUE, "First seen", issue=number)
        last = watched.one_value(ISSUE, "Last seen", issue=number)
        assert time.time() - RANGE_SECONDS < first / 1000 <= last / 1000 <= time.time()
        assert watched.one_value(ISSUE, "Events, total", issue=number) == issue["count"]
        assert watched.one_value(ISSUE, "Users", issue=number) == issue["users"]
        (about,) = watched.panel(ISSUE, "About this issue", issue=number)
        assert about["metric"]["service_name"] == issue["service_name"]
        assert about["metric"].get("culprit", "") == issue["culprit"]
        (events,) = watched.panel(ISSUE, "Events over time", issue=number)
        assert events["metric"]["environment"] == "demo"
        assert 1 <= course(events) <= 2 * issue["count"]


def test_events_have_exemplars_that_lead_to_traces(watched: Watched) -> None:
    now = time.time()
    times = {"start": now - RANGE_SECONDS, "end": now + 60}
    found = watched.prometheus.get(
        "/api/v1/query_exemplars?" + urlencode({"query": "otel_errors_issue_events_total", **times})
    )["data"]
    traces = [one["labels"]["trace_id"] for series in found for one in series["exemplars"]]
    assert traces
    assert all(re.fullmatch("[0-9a-f]{32}", trace) for trace in traces)


def test_releases_are_marked(watched: Watched) -> None:
    for board in BOARDS.values():
        (marks,) = board["annotations"]["list"]
        for number, issue in watched.issues.items():
            found = watched.ask(marks["expr"], issue=number, instant=True)
            assert issue["service_name"] in labels(found, "service_name")
            for series in found:
                assert series["metric"]["release"]
                assert 0 <= time.time() - float(series["value"][1]) / 1000 < RANGE_SECONDS
            if board is ISSUE:
                assert set(labels(found, "service_name")) == {issue["service_name"]}


def test_variables_offer_what_is_there(watched: Watched) -> None:
    number = next(iter(watched.issues))
    services = {issue["service_name"] for issue in watched.issues.values()}
    expected = {
        "environment": {"demo"},
        "service": services,
        "issue": {(number, issue["title"][:120]) for number, issue in watched.issues.items()},
    }
    for board in BOARDS.values():
        for variable in board["templating"]["list"]:
            if variable["type"] != "query":
                continue
            query = variable["definition"].replace("$issue", number)
            values = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
            if values:
                found = watched.ask(values[1], instant=True)
                assert set(labels(found, values[2])) == expected[variable["name"]]
                continue
            (expression,) = re.fullmatch(r"query_result\((.+)\)", query).groups()  # type: ignore[union-attr]
            pattern = variable["regex"].strip("/").replace("(?<", "(?P<")
            rows = []
            for series in watched.ask(expression, instant=True):
                # As Grafana writes a series down, without escapes.
                written = ",".join(f'{name}="{value}"' for name, value in series["metric"].items())
                match = re.search(pattern, f"{{{written}}} 1 1795000000000")
                assert match is not None
                rows.append((match["value"], match["text"]))
            assert set(rows) == expected["issue"]
            assert len(rows) == len(expected["issue"])


def test_rules_work_and_fire_for_what_is_new(watched: Watched) -> None:
    (group,) = watched.prometheus.get("/api/v1/rules")["data"]["groups"]
    assert [(rule["name"], rule["lastError"]) for rule in group["rules"] if rule.get("lastError")] == []
    assert {rule["health"] for rule in group["rules"]} == {"ok"}
    firing = {
        (a["labels"]["alertname"], a["labels"].get("issue_id"))
        for rule in group["rules"]
        for a in rule.get("alerts", [])
    }
    new = {("OtelErrorsNewIssue", number) for number in watched.in_state("new")}
    bursts = {("OtelErrorsBurst", n) for n in watched.in_state("new") if watched.issues[n]["count"] >= 10}
    assert firing == new | bursts
    for rule in group["rules"]:
        for alert in rule.get("alerts", []):
            issue = watched.issues[alert["labels"]["issue_id"]]
            assert alert["labels"]["severity"] == issue["severity"]
            assert alert["annotations"]["issue_url"] == issue["url"]
            times = "once" if issue["count"] == 1 else f"{issue['count']} times"
            if alert["labels"]["alertname"] == "OtelErrorsNewIssue":
                assert alert["annotations"]["description"].endswith(f"Seen {times} in demo.")
