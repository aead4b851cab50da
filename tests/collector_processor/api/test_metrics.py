"""``/metrics`` over a real store: the names, labels and bounds that dashboards and alert rules are written against."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import threading
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from collector_processor.api.health import health
from tests.collector_processor.api.stored import Stored, error

OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}

STORE_SERIES = {
    "otel_errors_events_total": {"service_name", "environment", "exception_type", "severity", "handled"},
    "otel_errors_issue_events_total": {"issue_id", "service_name", "environment"},
    "otel_errors_issue_users": {"issue_id", "service_name", "environment"},
    "otel_errors_issue_info": {
        *("issue_id", "service_name", "title", "exception_type", "culprit"),
        *("first_release", "severity", "owner", "team", "url"),
    },
    "otel_errors_issue_state": {"issue_id", "service_name", "severity", "state"},
    "otel_errors_issue_first_seen_timestamp_seconds": {"issue_id", "service_name", "environment"},
    "otel_errors_issue_last_seen_timestamp_seconds": {"issue_id", "service_name", "environment"},
    "otel_errors_issue_state_changed_timestamp_seconds": {"issue_id"},
    "otel_errors_issue_unacknowledged_since_timestamp_seconds": {"issue_id", "severity", "service_name", "team"},
    "otel_errors_issue_ack_seconds_bucket": {"le"},
    "otel_errors_issue_resolve_seconds_bucket": {"le"},
    "otel_errors_issues": {"service_name", "state", "severity"},
    "otel_errors_release_first_seen_timestamp_seconds": {"service_name", "release"},
    "otel_errors_service_last_received_timestamp_seconds": {"service_name"},
}


class Scrape:
    def __init__(self, text: str) -> None:
        self.text = text
        self.samples: list[Sample] = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def of(self, name: str, **labels: str) -> Iterator[Sample]:
        for sample in self.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                yield sample

    def value(self, name: str, **labels: str) -> float:
        (sample,) = self.of(name, **labels)
        return sample.value


async def scrape(stored: Stored) -> Scrape:
    async with stored.client(**OPENMETRICS) as client:
        response = await client.get("/metrics")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    return Scrape(response.text)


async def test_names_and_labels_are_the_contract(stored: Stored) -> None:
    stored.add(error(1, handled=True), error(1, handled=False), error(2, service_name="cart", handled=None))
    found = await scrape(stored)
    for name, labels in STORE_SERIES.items():
        samples = list(found.of(name))
        assert samples, name
        assert {frozenset(sample.labels) for sample in samples} == {frozenset(labels)}, name
    of_store = {
        s.name
        for s in found.samples
        if s.name.startswith(("otel_errors_issue", "otel_errors_events", "otel_errors_re"))
    }
    suffixes = ("_sum", "_count", "_received_total", "_refused_total", "_redactions_total")
    assert {name for name in of_store if not name.endswith(suffixes)} <= set(STORE_SERIES)


async def test_values(stored: Stored) -> None:
    stored.add(error(1, handled=True), error(1, handled=True), error(1, handled=False, environment="staging"))
    issue = stored.id_of(1)
    found = await scrape(stored)
    events = {s.labels["handled"]: s.value for s in found.of("otel_errors_events_total", exception_type="ValueError")}
    assert events == {"true": 2, "false": 1}
    assert found.value("otel_errors_issue_events_total", issue_id=issue, environment="prod") == 2
    assert found.value("otel_errors_issue_events_total", issue_id=issue, environment="staging") == 1
    (info,) = found.of("otel_errors_issue_info")
    assert info.value == 1
    assert info.labels["title"] == "ValueError: bad value 1"
    assert info.labels["url"] == f"http://127.0.0.1:8080/issues/{issue}"
    assert info.labels["first_release"] == "1.0.0"
    assert [s.labels["state"] for s in found.of("otel_errors_issue_state", issue_id=issue)] == ["new"]
    assert found.value("otel_errors_issues", state="new", severity="high") == 1
    first = found.value("otel_errors_issue_first_seen_timestamp_seconds", issue_id=issue, environment="prod")
    last = found.value("otel_errors_issue_last_seen_timestamp_seconds", issue_id=issue, environment="prod")
    assert last == first + 1


async def test_counters_carry_a_trace(stored: Stored) -> None:
    traced = error(1)
    stored.add(traced, error(1, trace_id="", span_id=""))
    found = await scrape(stored)
    for name in ("otel_errors_events_total", "otel_errors_issue_events_total"):
        (sample,) = found.of(name)
        assert sample.exemplar is not None
        assert sample.exemplar.labels == {"trace_id": traced.trace_id}
        assert float(sample.exemplar.timestamp or 0) == traced.time_unix_nano / 1e9


async def test_an_answer_ends_the_waiting_and_is_measured(stored: Stored) -> None:
    stored.add(error(1), error(2))
    waiting = "otel_errors_issue_unacknowledged_since_timestamp_seconds"
    assert {s.labels["issue_id"] for s in (await scrape(stored)).of(waiting)} == {stored.id_of(1), stored.id_of(2)}
    stored.store.commands.acknowledge(stored.id_of(1), actor="test")
    stored.store.commands.assign(stored.id_of(1), "mara", actor="test")
    found = await scrape(stored)
    assert {s.labels["issue_id"] for s in found.of(waiting)} == {stored.id_of(2)}
    assert [s.labels["state"] for s in found.of("otel_errors_issue_state", issue_id=stored.id_of(1))] == [
        "acknowledged"
    ]
    (info,) = found.of("otel_errors_issue_info", issue_id=stored.id_of(1))
    assert info.labels["owner"] == "mara"
    assert found.value("otel_errors_issue_ack_seconds_count") == 1
    assert found.value("otel_errors_issue_ack_seconds_bucket", le="+Inf") == 1
    assert found.value("otel_errors_issue_resolve_seconds_count") == 0


async def test_totals_only_grow_when_issues_are_merged(stored: Stored) -> None:
    stored.add(error(1), error(2), error(2))
    before = sum(s.value for s in (await scrape(stored)).of("otel_errors_events_total"))
    stored.store.commands.merge(stored.id_of(1), [stored.id_of(2)], actor="test")
    found = await scrape(stored)
    assert sum(s.value for s in found.of("otel_errors_events_total")) == before
    assert len(list(found.of("otel_errors_issue_info"))) == 1


async def test_issues_past_the_bound_are_summed(stored: Stored) -> None:
    stored.add_all([error(number) for number in range(1, 531)])
    settled = [stored.id_of(number) for number in range(1, 21)]
    for issue in settled:
        stored.store.commands.resolve(issue, actor="test")
    found = await scrape(stored)
    shown = {s.labels["issue_id"] for s in found.of("otel_errors_issue_events_total")}
    # 500 seen last, the ten older ones that wait for somebody, and the rest as one
    assert len(shown) == 511
    assert not shown & set(settled)
    assert found.value("otel_errors_issue_events_total", issue_id="other") == 20
    for name in ("otel_errors_issue_info", "otel_errors_issue_users", "otel_errors_issue_state"):
        assert len(list(found.of(name))) == 510
        assert not list(found.of(name, issue_id="other"))
    assert sum(s.value for s in found.of("otel_errors_issue_events_total")) == 530


async def test_types_and_releases_of_a_service_are_bounded(stored: Stored) -> None:
    stored.add_all([error(1, type=f"Error{n}", release=f"1.0.{n}") for n in range(130)])
    found = await scrape(stored)
    assert len({s.labels["exception_type"] for s in found.of("otel_errors_events_total")}) <= 101
    assert len(list(found.of("otel_errors_release_first_seen_timestamp_seconds"))) <= 51
    assert sum(s.value for s in found.of("otel_errors_events_total")) == 130


async def test_hostile_texts_make_no_series_of_their_own(stored: Stored) -> None:
    bad = 'a"b\\c\nd\r{e="f"} 9\u202e\x00\ud83d' + "x" * 500
    text = bad.encode("utf-8", "replace").decode().replace("\x00", "")
    fields = dict.fromkeys(("type", "title", "culprit", "service_name", "environment", "release"), text)
    stored.add(error(1, **fields), error(2, **{**fields, "type": text.replace("\r", "\t")}))
    found = await scrape(stored)
    infos = list(found.of("otel_errors_issue_info"))
    assert len(infos) == 2
    for info in infos:
        assert len(info.labels["title"]) == 120
        assert "\n" not in info.labels["title"]
    assert sum(s.value for s in found.of("otel_errors_events_total")) == 2
    keys = [(s.name, tuple(sorted(s.labels.items()))) for s in found.samples]
    assert len(keys) == len(set(keys))


async def test_a_store_that_does_not_answer_fails_the_scrape(stored: Stored) -> None:
    """Series that vanish would end alerts; a scrape that fails raises one."""
    with stored.store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE event_totals")
    async with stored.client() as client:
        response = await client.get("/metrics")
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
async def test_promtool_has_nothing_to_say(stored: Stored) -> None:
    stored.add(error(1), error(2, service_name="cart"))
    stored.store.commands.resolve(stored.id_of(1), actor="test")
    stored.metrics.received("traces", "shop", 3)
    stored.metrics.stage_seconds("redact", 0.001)
    async with stored.client() as client:
        text = (await client.get("/metrics")).text
    done = await asyncio.to_thread(
        subprocess.run, ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_scrapes_at_the_same_time_share_one_answer() -> None:
    made = 0
    going_on = threading.Event()

    class Slow(Collector):
        def collect(self) -> Iterator[Metric]:
            nonlocal made
            made += 1
            assert going_on.wait(60)
            yield GaugeMetricFamily("made", "Answers so far.", made)

    app = FastAPI()
    app.include_router(health(lambda: [], [Slow()]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        asked = [asyncio.create_task(client.get("/metrics")) for _ in range(5)]
        other_form = asyncio.create_task(client.get("/metrics", headers=OPENMETRICS))
        while made < 2:  # noqa: ASYNC110 - nothing to wait on: a collector runs in a thread
            await asyncio.sleep(0.01)
        asked[0].cancel()  # who goes away takes nothing from the others
        going_on.set()
        answers = await asyncio.gather(*asked[1:], other_form)
        assert made == 2
        assert [answer.status_code for answer in answers] == [200] * 5
        assert "made 3.0" in (await client.get("/metrics")).text  # and nobody later gets an old one
