"""From a raised exception to somebody's pager: the demo, real Prometheus and Alertmanager, our rules."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import httpx
import pytest

from alert_rules.build import ALERTMANAGER, RULES, render, write
from alert_rules.config import Notifiers, Rules
from collector_processor.demo import Driver, Ledger, Shop, bounded
from tests.alert_rules.live import WebhookReceiver, await_value, start_alertmanager, start_prometheus
from tests.end_to_end.processor import Processor, running
from tests.waiting import PATIENCE_SECONDS

# As shipped, but for the waiting times: an hour is too long for a test.
SHORT = Rules(evaluation_interval="1s", unacknowledged_after="25s", escalate_after="1h")


@pytest.mark.timeout(600)
def test_a_critical_issue_pages_once_and_acknowledging_it_ends_the_escalation(tmp_path: Path) -> None:
    processor = Processor(tmp_path / "processor")
    with WebhookReceiver() as pager, running(processor), httpx.Client(timeout=60, follow_redirects=True) as client:
        paged = partial(pager.wait_for, seconds=PATIENCE_SECONDS)
        write(render(SHORT, Notifiers(pager_webhook=pager.url, group_wait="1s", group_interval="1s")), tmp_path)
        with (
            start_alertmanager(tmp_path, config=tmp_path / ALERTMANAGER) as alertmanager,
            start_prometheus(
                tmp_path,
                scrape_target=processor.api.removeprefix("http://"),
                rules=tmp_path / RULES,
                alertmanager=alertmanager.url,
            ),
        ):
            ledger = Ledger()
            endpoints = processor.endpoints
            with Shop(endpoints.otlp_grpc, tmp_path) as shop:
                Driver(shop.urls, endpoints.otlp_http, ledger).play(bounded(3))

            page = pager.wait_for(
                lambda seen: seen.notifications(alertname="OtelErrorsNewIssue"), seconds=PATIENCE_SECONDS
            )[0]
            labels = page["alerts"][0]["labels"]
            assert page["receiver"] == "pager"
            assert labels["severity"] == "critical"
            assert labels["title"].startswith("BooksOutOfBalance")
            (critical,) = [issue for issue in processor.issues() if issue["severity"] == "critical"]
            assert labels["issue_id"] == critical["id"]
            assert client.get(page["alerts"][0]["annotations"]["issue_url"]).status_code == 200

            escalated = paged(lambda seen: seen.notifications(alertname="OtelErrorsUnacknowledged"))[0]
            assert escalated["alerts"][0]["labels"]["issue_id"] == critical["id"]

            answer = httpx.patch(
                f"{processor.api}/api/v1/issues/{critical['id']}", json={"state": "acknowledged"}, timeout=60
            )
            assert answer.status_code == 200
            assert answer.json()["state"] == "acknowledged"

            pager.wait_for(
                lambda seen: seen.notifications("resolved", alertname="OtelErrorsUnacknowledged"),
                seconds=PATIENCE_SECONDS,
            )
            await_value(
                lambda: (
                    not [
                        alert
                        for alert in alertmanager.get("/api/v2/alerts")
                        if alert["labels"]["alertname"] == "OtelErrorsUnacknowledged"
                    ]
                ),
                seconds=PATIENCE_SECONDS,
                what="no unacknowledged alert",
            )
            new = [post for post in pager.posts if _fires(post, "OtelErrorsNewIssue")]
            assert len(new) == 1, "one page for one new critical issue"
            assert {alert["labels"]["severity"] for post in pager.posts for alert in post["alerts"]} == {"critical"}


def _fires(post: dict[str, object], name: str) -> bool:
    alerts = post["alerts"]
    assert isinstance(alerts, list)
    return any(alert["status"] == "firing" and alert["labels"]["alertname"] == name for alert in alerts)
