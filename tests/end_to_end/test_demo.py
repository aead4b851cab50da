"""What the demo promises: exact counts, nothing personal anywhere, pages, series."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from collector_processor.demo import BUGS, SECRETS
from scripts.readme_table import lines_without_times, run_demo, table_in
from tests.collector_processor.sinks.loki_server import lines_of
from tests.end_to_end.conftest import DemoRun
from tests.waiting import wait_until


def test_the_counts_are_what_the_driver_did(demo: DemoRun) -> None:
    assert demo.differences == []
    assert len(demo.issues) == len(BUGS) >= 10


def test_demo_once_prints_the_table_of_the_readme_within_a_minute(tmp_path: Path) -> None:
    began = time.monotonic()
    output = run_demo("--data-dir", str(tmp_path / "data"))
    assert time.monotonic() - began < 60
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    assert lines_without_times(table_in(output)) == lines_without_times(table_in(readme))
    assert not [secret for secret in SECRETS if secret in output]


def _everything_written(demo: DemoRun) -> Iterator[tuple[str, bytes]]:
    """Every place that the processor writes to, by name. Databases with their logs as they lie on the disk."""
    for path in sorted(demo.processor.data_dir.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(demo.processor.data_dir)), path.read_bytes()
    for signal, payloads in demo.forwarded.items():
        yield f"forwarded {signal}", b"\n".join(payloads)
    yield "Loki", b"\n".join(demo.loki.bodies)
    yield "stdout", demo.processor.output.read_bytes()
    yield "log", demo.processor.log.read_bytes()
    with httpx.Client(base_url=demo.processor.api, timeout=60) as client:
        for accept in ("text/plain", "application/openmetrics-text; version=1.0.0"):
            yield f"/metrics {accept}", client.get("/metrics", headers={"Accept": accept}).content
        paths = ["/", "/api/v1/issues?limit=100", "/api/v1/stats", "/readyz"]
        for issue in demo.issues:
            paths += [
                f"/issues/{issue.id}",
                *(f"/api/v1/issues/{issue.id}{part}" for part in ("", "/occurrences", "/activity", "/trend")),
            ]
        for path in paths:
            answer = client.get(path)
            assert answer.status_code == 200, path
            yield path, answer.content
        for path in (
            "/api/v1/issues?search=mina.okafor@mailbox.example",
            "/issues/4242424242424242",
            "/api/v1/events/tr0mb0ne-Kestrel-42",
        ):
            client.get(path)  # what people look for is not logged either


def test_no_secret_of_the_driver_is_anywhere(demo: DemoRun) -> None:
    wait_until(lambda: len(_loki_events(demo)) >= sum(demo.ledger.expected().values()), what="Loki's lines")
    places = dict(_everything_written(demo))
    found = [(place, secret) for place, content in places.items() for secret in SECRETS if secret.encode() in content]
    assert found == []
    # The search looked at real data: what stands around the secrets is there.
    assert {"issues.sqlite3", "Loki", "forwarded traces", "forwarded logs"} <= set(places)
    for place in ("issues.sqlite3", "Loki", "forwarded traces"):
        assert b"CardDeclined" in b"".join(content for name, content in places.items() if name.startswith(place)), place
    assert b"[email" in places["Loki"]
    assert b"[card" in places["Loki"]


def _loki_events(demo: DemoRun) -> list[str]:
    return [line for push in demo.loki.pushes for _, _, line in lines_of(push)]


def test_loki_has_a_line_for_every_occurrence(demo: DemoRun) -> None:
    expected = sum(demo.ledger.expected().values())
    wait_until(lambda: len(_loki_events(demo)) >= expected, what="Loki's lines")
    streams = [stream for push in demo.loki.pushes for stream in push["streams"]]
    for stream in streams:
        assert set(stream["stream"]) <= {"service_name", "deployment_environment_name", "source"}
        assert stream["stream"]["source"] == "otel-errors"


def test_the_series_add_up_and_carry_exemplars(demo: DemoRun) -> None:
    answer = httpx.get(
        f"{demo.processor.api}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}, timeout=60
    )
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    expected = sum(demo.ledger.expected().values())
    for name in ("otel_errors_events", "otel_errors_issue_events"):
        totals = [sample for sample in families[name].samples if sample.name.endswith("_total")]
        assert sum(sample.value for sample in totals) == expected
        assert any(sample.exemplar and "trace_id" in sample.exemplar.labels for sample in totals)
    infos = (
        [sample.labels["issue_id"] for sample in families["otel_errors_issue_info"].samples]
        if "otel_errors_issue_info" in families
        else [sample.labels["issue_id"] for sample in families["otel_errors_issue"].samples]
    )
    assert sorted(infos) == sorted(issue.id for issue in demo.issues)


def test_what_is_forwarded_carries_fingerprint_and_page(demo: DemoRun) -> None:
    forwarded = b"\n".join(payload for payloads in demo.forwarded.values() for payload in payloads)
    fingerprints = set(re.findall(rb"fp1:[0-9a-f]{32}", forwarded))
    assert len(fingerprints) >= len(BUGS)
    assert f"{demo.processor.api}/f/fp1:".encode() in forwarded
    page = httpx.get(f"{demo.processor.api}/f/{sorted(fingerprints)[0].decode()}", timeout=60, follow_redirects=True)
    assert page.status_code == 200


@pytest.mark.timeout(400)
def test_stop_drains_and_a_start_resumes(demo: DemoRun) -> None:
    before = {str(issue["id"]): issue["count"] for issue in demo.processor.issues()}
    assert demo.processor.stop() == 0
    demo.processor.start()
    assert {str(issue["id"]): issue["count"] for issue in demo.processor.issues()} == before
