"""The Alertmanager configuration: accepted, routed by severity, filled in by options.

The templates say what is needed and escape what must be.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from alert_rules import build
from alert_rules.config import Notifiers, Rules
from tests.programs import required_program

EVERYTHING = Notifiers(
    pager_webhook="https://pager.example/hook?key=a&b=c",
    escalation_webhook="http://127.0.0.1:9/next",
    chat_slack_url_file="/etc/alertmanager/slack-url",
    chat_slack_channel="#errors",
    chat_webhook="http://127.0.0.1:9/chat",
    email_to="ops@example.org, lead@example.org",
    digest_email_to="team@example.org",
    smtp_smarthost="mail.example.org:587",
    smtp_from="errors@example.org",
    smtp_username="errors",
    smtp_password_file="/etc/alertmanager/smtp-password",
)


def amtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [required_program("amtool"), *map(str, arguments)], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("notifiers", [Notifiers(), EVERYTHING], ids=["as committed", "everything filled in"])
def test_amtool_accepts(notifiers: Notifiers, tmp_path: Path) -> None:
    build.write(build.render(Rules(), notifiers), tmp_path)
    checked = amtool("check-config", tmp_path / build.ALERTMANAGER)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "1 templates" in checked.stdout


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ("alertname=OtelErrorsNewIssue severity=critical service_name=shop issue_id=1", "pager"),
        ("alertname=OtelErrorsRegression severity=critical service_name=shop issue_id=1", "pager"),
        ("alertname=OtelErrorsBurst severity=critical service_name=shop issue_id=1", "pager"),
        ("alertname=OtelErrorsNewIssue severity=high service_name=shop issue_id=1", "chat"),
        ("alertname=OtelErrorsBurst severity=high service_name=shop issue_id=1", "chat"),
        ("alertname=OtelErrorsNewIssue severity=medium service_name=shop issue_id=1", "digest"),
        ("alertname=OtelErrorsNewIssue severity=low service_name=shop issue_id=1", "digest"),
        ("alertname=OtelErrorsUnacknowledged severity=critical tier=1 service_name=shop issue_id=1", "pager"),
        (
            "alertname=OtelErrorsUnacknowledged severity=critical tier=2 service_name=shop issue_id=1",
            "escalation,pager",
        ),
        ("alertname=OtelErrorsDown severity=critical", "pager"),
        ("alertname=OtelErrorsDropping severity=high reason=queue_full", "chat"),
        ("alertname=SomethingElse", "chat"),
    ],
)
def test_routes(labels: str, receivers: str) -> None:
    file = build.HERE / build.ALERTMANAGER
    tested = amtool(
        "config", "routes", "test", f"--config.file={file}", f"--verify.receivers={receivers}", *labels.split()
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_options_fill_in_receivers() -> None:
    receivers = {
        entry["name"]: entry
        for entry in yaml.safe_load(build.render(Rules(), EVERYTHING)[build.ALERTMANAGER])["receivers"]
    }
    assert set(receivers) == {"pager", "escalation", "chat", "digest"}
    assert receivers["pager"]["webhook_configs"] == [
        {"url": "https://pager.example/hook?key=a&b=c", "send_resolved": True}
    ]
    assert receivers["pager"]["email_configs"][0]["to"] == "ops@example.org, lead@example.org"
    assert receivers["chat"]["slack_configs"][0]["api_url_file"] == "/etc/alertmanager/slack-url"
    assert receivers["digest"]["email_configs"][0]["to"] == "team@example.org"
    assert "webhook_configs" in receivers["escalation"]


def test_the_committed_receivers_have_no_notifier_and_say_where_to_put_one() -> None:
    text = (build.HERE / build.ALERTMANAGER).read_text(encoding="utf-8")
    assert all(set(entry) == {"name"} for entry in yaml.safe_load(text)["receivers"])
    assert "Put webhook_configs, pagerduty_configs … here." in text


ALERT: dict[str, Any] = {
    "status": "firing",
    "labels": {
        "alertname": "OtelErrorsNewIssue",
        "severity": "critical",
        "service_name": "shop",
        "environment": "prod",
        "issue_id": "1",
        "title": "KeyError: <!channel> & <script>",
    },
    "annotations": {
        "summary": "New: KeyError: <!channel> & <script> (shop)",
        "description": "An error that shop did not have before. Seen 12 times in prod.",
        "issue_url": "http://errors.example/f/fp1:ab",
        "dashboard_url": "http://grafana.example/d/otel-errors-issue?var-issue=1",
        "runbook_url": "http://docs.example/runbooks.md#otelerrorsnewissue",
    },
    "startsAt": "2026-01-01T00:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
}


def rendered(name: str, tmp_path: Path, *alerts: dict[str, Any], status: str = "firing", html: bool = False) -> str:
    severities = {alert["labels"].get("severity") for alert in alerts}
    data = {
        "receiver": "pager",
        "status": status,
        "alerts": list(alerts),
        "groupLabels": {},
        "commonLabels": {"severity": severities.pop()} if len(severities) == 1 and None not in severities else {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
    }
    file = tmp_path / "data.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    glob = build.HERE / "alertmanager" / "templates" / "*.tmpl"
    kind = "--template.type=html" if html else "--template.type=text"
    text = f'{{{{ template "otel_errors.{name}" . }}}}'
    result = amtool(
        "template", "render", f"--template.glob={glob}", f"--template.text={text}", f"--template.data={file}", kind
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.strip("\n")


def with_labels(alert: dict[str, Any], **labels: str) -> dict[str, Any]:
    return {**alert, "labels": {**alert["labels"], **labels}}


def test_the_title_is_one_line_with_severity_and_what_happened(tmp_path: Path) -> None:
    assert rendered("title", tmp_path, ALERT) == "[CRITICAL] New: KeyError: <!channel> & <script> (shop)"
    escalated = with_labels(ALERT, alertname="OtelErrorsUnacknowledged", tier="2")
    assert rendered("title", tmp_path, escalated).startswith("[CRITICAL] UNACKNOWLEDGED (tier 2) ")
    assert rendered("title", tmp_path, ALERT, ALERT).endswith(" [2 alerts]")
    over = {**ALERT, "status": "resolved"}
    assert (
        rendered("title", tmp_path, over, status="resolved") == "[RESOLVED] New: KeyError: <!channel> & <script> (shop)"
    )


def test_the_text_shows_title_service_count_and_links(tmp_path: Path) -> None:
    text = rendered("text", tmp_path, ALERT)
    assert text.splitlines()[:8] == [
        "New: KeyError: <!channel> & <script> (shop)",
        "An error that shop did not have before. Seen 12 times in prod.",
        "Service: shop",
        "Environment: prod",
        "Severity: critical",
        "Issue: http://errors.example/f/fp1:ab",
        "Dashboard: http://grafana.example/d/otel-errors-issue?var-issue=1",
        "Runbook: http://docs.example/runbooks.md#otelerrorsnewissue",
    ]
    down = {
        **ALERT,
        "labels": {"alertname": "OtelErrorsDown", "severity": "critical"},
        "annotations": {key: value for key, value in ALERT["annotations"].items() if key != "issue_url"},
    }
    assert "Issue:" not in rendered("text", tmp_path, down)
    assert rendered("link", tmp_path, down) == ALERT["annotations"]["dashboard_url"]
    assert rendered("link", tmp_path, ALERT) == ALERT["annotations"]["issue_url"]


def test_slack_control_characters_of_a_title_are_escaped_once(tmp_path: Path) -> None:
    assert (
        rendered("slack.title", tmp_path, ALERT)
        == "[CRITICAL] New: KeyError: &lt;!channel&gt; &amp; &lt;script&gt; (shop)"
    )
    hostile = {**ALERT, "annotations": {**ALERT["annotations"], "description": "<http://evil.example|click> & more"}}
    text = rendered("slack.text", tmp_path, hostile)
    assert text.splitlines()[0] == "&lt;http://evil.example|click&gt; &amp; more"
    assert "<http://errors.example/f/fp1:ab|Issue>" in text


def test_the_html_mail_escapes_and_links(tmp_path: Path) -> None:
    html = rendered("email.html", tmp_path, ALERT, html=True)
    assert "<script>" not in html
    assert "New: KeyError: &lt;!channel&gt; &amp; &lt;script&gt; (shop)" in html
    assert "&amp;amp;" not in html
    for url in ("http://errors.example/f/fp1:ab", "http://docs.example/runbooks.md#otelerrorsnewissue"):
        assert f'href="{url}"' in html
    hostile = {**ALERT, "annotations": {**ALERT["annotations"], "issue_url": 'javascript:alert("x")'}}
    assert "javascript:" not in rendered("email.html", tmp_path, hostile, html=True)
