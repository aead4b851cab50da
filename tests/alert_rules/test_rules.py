"""The rules: promtool accepts them and its unit tests pass, which notice changes.

Nothing outside the metric contract is used.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from alert_rules import build
from alert_rules.config import Notifiers, Rules, seconds
from alert_rules.rules import rule_file
from tests.dashboards import promql
from tests.dashboards.metric_contract import ADDED_BY_PROMETHEUS, METRICS, STORE
from tests.programs import required_program

REPOSITORY = Path(build.HERE).parent
CASES = sorted((build.HERE / "tests").glob("*.test.yml"))
ISSUE_ALERTS = {"OtelErrorsNewIssue", "OtelErrorsBurst", "OtelErrorsRegression", "OtelErrorsUnacknowledged"}
OWN_ALERTS = {"OtelErrorsDown", "OtelErrorsDropping"}


def rules() -> list[dict[str, Any]]:
    return list(rule_file(Rules())["groups"][0]["rules"])


ALERTS = [rule for rule in rules() if "alert" in rule]
RECORDS = {rule["record"] for rule in rules() if "record" in rule}


def promtool(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [required_program("promtool"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60)


def test_the_committed_files_are_what_the_builders_write() -> None:
    assert build.main(["--check"]) == 0


def test_promtool_accepts_the_rules_and_the_scrape_configuration() -> None:
    checked = promtool("check", "rules", "--lint=all", build.HERE / build.RULES)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    configuration = promtool("check", "config", build.HERE / "prometheus" / "prometheus.yml")
    assert configuration.returncode == 0, configuration.stdout + configuration.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_promtool_unit_tests(case: Path) -> None:
    tested = promtool("test", "rules", case)
    assert tested.returncode == 0, tested.stdout + tested.stderr


MUTATIONS = {
    "alerts are not held while the service is down": (
        "while the service does not answer",
        r"unless on \(\) \(",
        "unless on () (vector(1) or",
    ),
    "alerts are held for ever": (
        "acknowledged within the window",
        r"unless on \(\) \(",
        "unless on () (vector(1) > 1 and",
    ),
    "all end at once": ("acknowledged within the window", r"\n +keep_firing_for: \w+", ""),
    "an empty store holds alerts": ("the last issue of a store", r" or absent\(max[^\n]+\)\)\)", ")"),
    "two info series an issue": ("changed title", r"topk by \(issue_id\) \(1, ", "topk by (issue_id) (2, "),
    "ignored issues alert": ("an ignored issue", r'state="ignored"', 'state="ignor"'),
    "acknowledging makes a burst": ("acknowledged within the window", "acknowledged[|]resolved", "a|b"),
    "births are not seen": ("first seen two minutes ago", r"_seconds\) < 300", "_seconds) < -300"),
    "replicas are summed": (
        "two replicas",
        r"max without \(instance, pod\) \(increase",
        "sum without (instance, pod) (increase",
    ),
    "replicas stay apart": ("two replicas", r"max without \(instance, pod\)", "max without (zone)"),
    "a gap makes a burst of the total": (
        "a scrape gap",
        r"max without \(instance, pod\) \(increase\((\w+)\{[^}]+\}\[5m\]\)\)",
        r"(max without (instance, pod) (\1) unless max without (instance, pod) (\1 offset 5m))",
    ),
    "the sum of other issues alerts": ("sum of issues", r'\{issue_id!="other"\}', ""),
    "late telemetry is not new": (
        "held up",
        r"_state_changed_timestamp_seconds\) < 600",
        "_state_changed_timestamp_seconds) < 0",
    ),
    "critical issues stop being new": (
        "a resolved critical issue",
        r"or (max without \(instance, pod\) \(otel_errors_issue_unack)",
        r"and \1",
    ),
    "eleven are needed": ("ten in five minutes", ">= 10", ">= 11"),
    "nine suffice": ("ten in five minutes", ">= 10", ">= 9"),
    "one failed scrape is down": ("one failed scrape", "for: 5m", ""),
    "environments are mixed": ("known from staging", r"on \(issue_id, environment\)", "on (issue_id)"),
    "a reason's first drops are not seen": ("the first drop", r"unless last_over_time", "and last_over_time"),
    "drops are forgotten early": ("one failed scrape", r"\[15m\]", "[5m]"),
    "regressions are not seen": ("a resolved critical issue", 'state="regressed"', 'state="new"'),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_unit_tests_notice(name: str, tmp_path: Path) -> None:
    """Each habit of the rules is held by a promtool case: without it, that case fails."""
    case, pattern, replacement = MUTATIONS[name]
    text = (build.HERE / build.RULES).read_text(encoding="utf-8")
    changed = re.sub(pattern, replacement, text)
    assert changed != text
    (tmp_path / "rules").mkdir()
    (tmp_path / build.RULES).write_text(changed, encoding="utf-8")
    assert promtool("check", "rules", build.RULES, cwd=tmp_path).returncode == 0, "the mutation must be a valid rule"
    tests = yaml.safe_load((build.HERE / "tests" / "life.test.yml").read_text(encoding="utf-8"))
    tests["tests"] = [test for test in tests["tests"] if case in test["name"]]
    assert len(tests["tests"]) == 1
    tests["rule_files"] = [build.RULES]
    (tmp_path / "one.test.yml").write_text(yaml.safe_dump(tests), encoding="utf-8")
    assert promtool("test", "rules", "one.test.yml", cwd=tmp_path).returncode != 0


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_only_contract_metrics_and_labels_read_safely(rule: dict[str, Any]) -> None:
    for selector in promql.selectors(promql.parse(rule["expr"])):
        if selector.name in RECORDS or selector.name in ("ALERTS", "up"):
            continue
        assert selector.name in METRICS
        assert set(selector.labels) <= METRICS[selector.name]
        operation = selector.first_aggregation()
        assert operation is not None
        if selector.name in STORE:
            assert operation == ("max", frozenset({"instance", "pod"}), "without")
        else:
            assert operation[0] in ("sum", "max")
        for node in selector.around:
            labels = getattr(getattr(node, "modifier", None), "labels", None)
            if labels and selector.name == "otel_errors_issue_info":
                assert set(labels) <= METRICS[selector.name] | ADDED_BY_PROMETHEUS


def test_the_alerts_are_the_documented_ones() -> None:
    assert {rule["alert"] for rule in ALERTS} == ISSUE_ALERTS | OWN_ALERTS
    assert [rule["labels"]["tier"] for rule in ALERTS if rule["alert"] == "OtelErrorsUnacknowledged"] == ["2", "1"]


def inhibited_pairs() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Rules that inhibit each other by the Alertmanager configuration: (source, target)."""

    def matches(rule: dict[str, Any], matchers: list[str]) -> bool:
        labels = {"alertname": rule["alert"], "severity": "critical", "issue_id": "1", **rule.get("labels", {})}
        for matcher in matchers:
            name, regular, value = re.fullmatch(r'(\w+)=(~?)"(.*)"', matcher).groups()  # type: ignore[union-attr]
            found = labels.get(name, "")
            if not (re.fullmatch(value, found) if regular else found == value):
                return False
        return True

    configuration = yaml.safe_load(build.render(Rules(), Notifiers())[build.ALERTMANAGER])
    return [
        (source, target)
        for inhibition in configuration["inhibit_rules"]
        for source in ALERTS
        if matches(source, inhibition["source_matchers"])
        for target in ALERTS
        if matches(target, inhibition["target_matchers"])
    ]


def test_what_inhibits_starts_before_and_ends_after_what_it_inhibits() -> None:
    """Else Alertmanager, which hears of alerts one by one, could page for an issue that was just acknowledged."""
    pairs = inhibited_pairs()
    assert [(source["alert"], target["alert"]) for source, target in pairs] == [
        ("OtelErrorsUnacknowledged", "OtelErrorsBurst"),
        ("OtelErrorsUnacknowledged", "OtelErrorsBurst"),
        ("OtelErrorsNewIssue", "OtelErrorsBurst"),
        ("OtelErrorsRegression", "OtelErrorsBurst"),
    ]

    def outlasts(rule: dict[str, Any]) -> int:
        return seconds(rule.get("keep_firing_for", "0s"))

    for source, target in pairs:
        assert ALERTS.index(source) < ALERTS.index(target)
        assert outlasts(source) >= outlasts(target) + seconds(Rules().evaluation_interval)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_where_and_what_to_do(rule: dict[str, Any]) -> None:
    annotations = rule["annotations"]
    expected = {"summary", "description", "runbook_url", "dashboard_url"}
    assert set(annotations) == expected | ({"issue_url"} if rule["alert"] in ISSUE_ALERTS else set())
    page, _, anchor = annotations["runbook_url"].partition("#")
    assert page.endswith("/docs/runbooks.md")
    headings = re.findall(
        r"^## (\S+)$", (REPOSITORY / "docs" / "runbooks.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert anchor in {heading.lower() for heading in headings}
    uid = re.search(r"/d/([\w-]+)", annotations["dashboard_url"])
    assert uid is not None
    assert (REPOSITORY / "dashboards" / "json" / f"{uid.group(1)}.json").is_file()


def test_thresholds_are_options(tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = [
        "--unacknowledged-after",
        "90s",
        "--escalate-after=10m",
        "--burst-events",
        "3",
        "--burst-within=2m",
        "--job",
        "errors",
    ]
    assert build.main(["--out", str(out), *options]) == 0
    text = (out / build.RULES).read_text(encoding="utf-8")
    for part in ("> 90", "> 600", ">= 3", "[2m]", "< 120", 'up{job="errors"}', "tier 1 fires 90s after"):
        assert part in text
    assert promtool("check", "rules", out / build.RULES).returncode == 0
    assert build.main(["--out", str(out), "--check", *options]) == 0
    assert build.main(["--out", str(out), "--check"]) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--unacknowledged-after", "15"], "unacknowledged_after: '15' is not a duration"),
        (["--unacknowledged-after", "1m1h"], "'1m1h' is not a duration"),
        (["--unacknowledged-after", "1h"], "escalate_after: '1h' is not after unacknowledged_after ('1h')"),
        (["--burst-events", "0"], "burst_events: 0 is not allowed"),
        (["--burst-within", "0s"], "burst_within: '0s' is not allowed"),
        (["--evaluation-interval", "0s"], "evaluation_interval: '0s' is not allowed"),
        (["--job", 'x"} or vector(1) #'], "is not a job name"),
        (["--grafana-url", "javascript:alert(1)"], "grafana_url: 'javascript:alert(1)' is not an address"),
        (["--runbook-url", "http://{{ x }}"], "runbook_url: 'http://{{ x }}' is not an address"),
        (["--pager-webhook", "pager.example"], "pager_webhook: 'pager.example' is not an address"),
        (["--email-to", "ops"], "email_to: 'ops' is not an e-mail address"),
        (["--email-to", "ops@example.org"], "e-mail needs smtp_smarthost"),
        (["--smtp-smarthost", "mail"], "smtp_smarthost: 'mail' is not host:port"),
        (["--chat-slack-channel", "#errors"], "a channel needs chat_slack_url_file"),
        (["--group-interval", "0s"], "group_interval: '0s' is not allowed"),
        (["--smtp-from", "a\nb"], "holds a control character"),
    ],
)
def test_bad_options_are_named_and_nothing_is_written(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        build.main(["--out", str(tmp_path / "out"), *options])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_rule_file_is_plain_yaml_that_reads_back() -> None:
    text = build.render(Rules(), Notifiers())[build.RULES]
    assert yaml.safe_load(text) == rule_file(Rules())
