"""The whole way with real programs, Prometheus and Alertmanager.

A served exposition becomes one page, then an escalated one, and ends by acknowledgement.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from alert_rules.build import ALERTMANAGER, RULES, render, write
from alert_rules.config import Notifiers, Rules
from tests.alert_rules.live import WebhookReceiver, await_value, start_alertmanager, start_prometheus
from tests.programs import required_program

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Exposition:
    """Serves OpenMetrics text at /metrics; ``text = None`` answers 503, as a service that restarts does."""

    def __init__(self) -> None:
        self.text: str | None = "# EOF\n"
        exposition = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = (exposition.text or "").encode()
                self.send_response(200 if body else 503)
                self.send_header("Content-Type", OPENMETRICS)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.address = f"127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


def issue_text(*, state: str, events: int, first_seen: float, changed: float, severity: str = "critical") -> str:
    """What /metrics shows of one issue."""
    issue = 'issue_id="1",service_name="shop"'
    since = "otel_errors_issue_unacknowledged_since_timestamp_seconds"
    unacknowledged = f'{since}{{{issue},severity="{severity}",team="payments"}} {changed}\n'
    trace = 'trace_id="4bf92f3577b34da6a3ce929d0e0e4736"'
    return (
        "# TYPE otel_errors_build info\n"
        'otel_errors_build_info{version="1"} 1\n'
        "# TYPE otel_errors_issue_events counter\n"
        f'otel_errors_issue_events_total{{{issue},environment="prod"}} {events} # {{{trace}}} 1\n'
        "# TYPE otel_errors_issue_first_seen_timestamp_seconds gauge\n"
        f'otel_errors_issue_first_seen_timestamp_seconds{{{issue},environment="prod"}} {first_seen}\n'
        "# TYPE otel_errors_issue info\n"
        f'otel_errors_issue_info{{{issue},title="CardDeclined: <int>",exception_type="CardDeclined",culprit="pay",'
        f'first_release="1",severity="{severity}",owner="",team="payments",url="http://errors.example/f/fp1:ab"}} 1\n'
        "# TYPE otel_errors_issue_state gauge\n"
        f'otel_errors_issue_state{{{issue},severity="{severity}",state="{state}"}} 1\n'
        "# TYPE otel_errors_issue_state_changed_timestamp_seconds gauge\n"
        f'otel_errors_issue_state_changed_timestamp_seconds{{issue_id="1"}} {changed}\n'
        "# TYPE otel_errors_issue_unacknowledged_since_timestamp_seconds gauge\n"
        + (unacknowledged if state in ("new", "regressed") else "")
        + "# EOF\n"
    )


@pytest.fixture
def exposition() -> Iterator[Exposition]:
    served = Exposition()
    yield served
    served.stop()


def alert_names(post: dict[str, Any], status: str = "firing") -> list[str]:
    return sorted(alert["labels"]["alertname"] for alert in post["alerts"] if alert["status"] == status)


def test_a_new_critical_issue_pages_once_then_escalates_and_ends_by_acknowledgement(
    tmp_path: Path, exposition: Exposition
) -> None:
    """It is a burst from its first scrape on, and the service restarts in the middle: neither makes another page."""
    for names in (("prometheus",), ("prometheus-alertmanager", "alertmanager")):
        required_program(*names)
    with WebhookReceiver() as pager:
        rules = Rules(evaluation_interval="1s", unacknowledged_after="12s", escalate_after="20s")
        notifiers = Notifiers(
            pager_webhook=pager.url, escalation_webhook=f"{pager.url}/next", group_wait="1s", group_interval="1s"
        )
        write(render(rules, notifiers), tmp_path)
        with (
            start_alertmanager(tmp_path, config=tmp_path / ALERTMANAGER) as alertmanager,
            start_prometheus(
                tmp_path, scrape_target=exposition.address, rules=tmp_path / RULES, alertmanager=alertmanager.url
            ) as prometheus,
        ):
            born = time.time()
            exposition.text = issue_text(state="new", events=12, first_seen=born, changed=born)

            first = pager.wait_for(lambda seen: seen.notifications(alertname="OtelErrorsNewIssue"), seconds=20)[0]
            assert first["receiver"] == "pager"
            assert alert_names(first) == ["OtelErrorsNewIssue"]
            labels = first["alerts"][0]["labels"]
            assert {
                key: labels[key] for key in ("issue_id", "service_name", "severity", "title", "environment", "team")
            } == {
                "issue_id": "1",
                "service_name": "shop",
                "severity": "critical",
                "title": "CardDeclined: <int>",
                "environment": "prod",
                "team": "payments",
            }
            assert first["alerts"][0]["annotations"]["issue_url"] == "http://errors.example/f/fp1:ab"
            assert "Seen 12 times in prod." in first["alerts"][0]["annotations"]["description"]

            def inhibited_burst() -> bool:
                found = [a for a in alertmanager.get("/api/v2/alerts") if a["labels"]["alertname"] == "OtelErrorsBurst"]
                return bool(found) and bool(found[0]["status"]["inhibitedBy"])

            await_value(inhibited_burst, what="a burst, inhibited")

            # A restart: two failed scrapes and more, long enough for groups to be flushed.
            exposition.text = None
            await_value(
                lambda: prometheus.get("/api/v1/query?query=up%3D%3D0")["data"]["result"], what="a failed scrape"
            )
            time.sleep(3)
            exposition.text = issue_text(state="new", events=14, first_seen=born, changed=born)

            again = pager.wait_for(lambda seen: seen.notifications(alertname="OtelErrorsUnacknowledged"))[0]
            assert time.time() - born > 12
            assert alert_names(again) == ["OtelErrorsUnacknowledged"]
            assert again["alerts"][0]["labels"]["tier"] == "1"
            escalated = pager.wait_for(lambda seen: [post for post in seen.posts if post["receiver"] == "escalation"])
            assert time.time() - born > 20
            assert [alert["labels"]["tier"] for alert in escalated[0]["alerts"]] == ["2"]
            pager.wait_for(lambda seen: len(seen.posts) == 4)

            # Exemplars came through: Prometheus asked for OpenMetrics.
            exemplars = prometheus.get(
                f"/api/v1/query_exemplars?query=otel_errors_issue_events_total&start={born - 60}&end={time.time() + 60}"
            )
            assert exemplars["data"][0]["exemplars"][0]["labels"]["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"

            exposition.text = issue_text(state="acknowledged", events=30, first_seen=born, changed=time.time())
            for name in ("OtelErrorsUnacknowledged", "OtelErrorsNewIssue"):
                pager.wait_for(lambda seen, name=name: seen.notifications("resolved", alertname=name))  # type: ignore[misc]
            await_value(lambda: not alertmanager.get("/api/v2/alerts"), what="no alert left")
            # Nothing but the pages fired; the burst that goes on while somebody works on it is quiet.
            time.sleep(2)
            fired = [(post["receiver"], alert_names(post)) for post in pager.notifications("firing")]
            assert sorted(fired) == [
                ("escalation", ["OtelErrorsUnacknowledged"]),
                ("pager", ["OtelErrorsNewIssue"]),
                ("pager", ["OtelErrorsUnacknowledged"]),
                ("pager", ["OtelErrorsUnacknowledged", "OtelErrorsUnacknowledged"]),
            ]
