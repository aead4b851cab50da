from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from collector_processor.events import ErrorEvent
from collector_processor.sink import SinkRecord, SinkUnavailable
from collector_processor.sinks.loki import LokiSink, retry_after
from collector_processor.sinks.metrics import ServiceMetrics
from tests.collector_processor.sinks.loki_server import LokiServer, Push, lines_of

BASE_NS = 1_764_000_000_000_000_000


def record(number: int = 0, **fields: Any) -> SinkRecord:
    values: dict[str, Any] = {
        "signal": "log",
        "time_unix_nano": BASE_NS + number,
        "service_name": "shop",
        "environment": "prod",
        "type": "ValueError",
        "message": f"bad value {number}",
        "stacktrace": f'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: bad value {number}',
        "fingerprint": "fp1:" + "a" * 32,
        "severity": "high",
    }
    return SinkRecord(event=ErrorEvent(**{**values, **fields}), issue_id="7", position=number)


@pytest.fixture
def loki() -> Iterator[LokiServer]:
    server = LokiServer()
    yield server
    server.stop()


@pytest.fixture
def metrics() -> ServiceMetrics:
    return ServiceMetrics()


@pytest.fixture
def sink(loki: LokiServer, metrics: ServiceMetrics) -> Iterator[LokiSink]:
    made = LokiSink(loki.url, metrics=metrics, timeout_seconds=30)
    yield made
    made.close()


def counted(metrics: ServiceMetrics, name: str) -> dict[tuple[str, ...], float]:
    return dict(metrics.snapshot().counters[name])


def has_bad_line(push: Push) -> bool:
    return any("BAD" in line for _, _, line in lines_of(push))


def test_a_push_carries_lines_labels_and_metadata(loki: LokiServer, sink: LokiSink) -> None:
    event = record(1, trace_id="ab" * 16, release="1.2.3", attributes={"http.route": "/pay"}, tags={"plan": "pro"})
    assert sink.push([event]).dropped == 0
    assert loki.paths == ["/loki/api/v1/push"]
    (stream,) = loki.pushes[0]["streams"]
    assert stream["stream"] == {
        "service_name": "shop",
        "deployment_environment_name": "prod",
        "source": "otel-errors",
    }
    ((time, line, metadata),) = stream["values"]
    assert time == str(BASE_NS + 1)
    assert line.startswith("ValueError: bad value 1\nTraceback")
    assert line.endswith("ValueError: bad value 1")
    assert metadata["issue_id"] == "7"
    assert metadata["trace_id"] == "ab" * 16
    assert metadata["release"] == "1.2.3"
    assert metadata["http_route"] == "/pay"
    assert metadata["tag_plan"] == "pro"
    assert metadata["level"] == "error"
    assert "stacktrace" not in metadata


def test_headers_for_tenant_and_token(loki: LokiServer) -> None:
    sink = LokiSink(loki.url + "/", tenant="team-a", bearer_token="s3cret")
    sink.push([record()])
    sink.close()
    assert loki.headers[0]["X-Scope-OrgID"] == "team-a"
    assert loki.headers[0]["Authorization"] == "Bearer s3cret"
    assert loki.headers[0]["Content-Encoding"] == "gzip"


def test_streams_are_grouped_by_service_and_environment(loki: LokiServer, sink: LokiSink) -> None:
    sink.push([record(1), record(2, service_name="cart"), record(3), record(4, environment="")])
    streams = [(s["stream"], len(s["values"])) for s in loki.pushes[0]["streams"]]
    assert ({"service_name": "shop", "source": "otel-errors"}, 1) in streams
    assert sorted(count for _, count in streams) == [1, 1, 2]


def test_batches_stay_below_a_megabyte(loki: LokiServer, sink: LokiSink) -> None:
    assert sink.push([record(n, stacktrace="x" * 100_000 + str(n)) for n in range(30)]).dropped == 0
    assert len(loki.pushes) >= 3
    assert max(loki.raw_sizes) <= 1_048_576
    assert len(loki.stored) == 30


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "7"}, 7.0),
        (503, {}, 1.0),
        (500, {"Retry-After": "100000"}, 300.0),
        (502, {"Retry-After": "soon"}, 1.0),
        (401, {}, 30.0),
        (404, {}, 30.0),
        (307, {"Location": "http://127.0.0.1:9/elsewhere"}, 30.0),
    ],
)
def test_no_line_is_to_blame(
    loki: LokiServer, sink: LokiSink, metrics: ServiceMetrics, status: int, headers: dict[str, str], seconds: float
) -> None:
    loki.script = [(status, headers)]
    with pytest.raises(SinkUnavailable) as caught:
        sink.push([record(n) for n in range(3)])
    assert caught.value.retry_after_seconds == seconds
    assert counted(metrics, "output_requests") == {("loki", str(status)): 1}
    assert counted(metrics, "dropped") == {}
    assert sink.push([record(n) for n in range(3)]).dropped == 0
    assert len(loki.stored) == 3


def test_a_repeated_push_is_byte_for_byte_the_same(loki: LokiServer, sink: LokiSink) -> None:
    records = [record(n, tags={"b": "2", "a": "1"}, attributes={"y": "1", "x": "2"}) for n in range(5)]
    sink.push(records)
    sink.push(records)
    assert loki.pushes[0] == loki.pushes[1]
    assert len(loki.stored) == 5


@pytest.mark.parametrize("bad", [set(), {0}, {16}, {3, 4}, {0, 5, 9, 16}, set(range(17))])
def test_bad_lines_are_found_and_only_they_are_dropped(
    loki: LokiServer, sink: LokiSink, metrics: ServiceMetrics, bad: set[int]
) -> None:
    loki.rule = lambda push: 400 if has_bad_line(push) else 204
    records = [record(n, message="BAD" if n in bad else f"fine {n}", stacktrace="") for n in range(17)]
    assert sink.push(records).dropped == len(bad)
    assert len(loki.stored) == 17 - len(bad)
    assert counted(metrics, "dropped") == ({("logs", "rejected", "loki"): len(bad)} if bad else {})


def test_a_long_run_of_bad_lines_costs_a_bounded_number_of_requests(loki: LokiServer, sink: LokiSink) -> None:
    loki.rule = lambda push: 400
    assert sink.push([record(n) for n in range(1_000)]).dropped == 1_000
    assert len(loki.pushes) < 600


def test_an_outage_in_the_middle_counts_nothing_as_dropped(
    loki: LokiServer, sink: LokiSink, metrics: ServiceMetrics
) -> None:
    records = [record(n, message="BAD" if n == 0 else f"fine {n}", stacktrace="") for n in range(4)]
    loki.script = [(400, {}), (400, {}), (400, {}), (503, {})]
    with pytest.raises(SinkUnavailable):
        sink.push(records)
    assert counted(metrics, "dropped") == {}
    loki.rule = lambda push: 400 if has_bad_line(push) else 204
    assert sink.push(records).dropped == 1
    assert counted(metrics, "dropped") == {("logs", "rejected", "loki"): 1}
    assert len(loki.stored) == 3


def test_too_large_a_request_is_halved_and_too_large_a_line_dropped(
    loki: LokiServer, sink: LokiSink, metrics: ServiceMetrics
) -> None:
    loki.rule = lambda push: 413 if len(lines_of(push)) > 2 or has_bad_line(push) else 204
    records = [record(n, message="BAD" if n == 5 else f"fine {n}", stacktrace="") for n in range(9)]
    assert sink.push(records).dropped == 1
    assert len(loki.stored) == 8
    assert counted(metrics, "dropped") == {("logs", "too_large", "loki"): 1}


def test_a_block_on_ingestion_drops(loki: LokiServer, sink: LokiSink, metrics: ServiceMetrics) -> None:
    loki.script = [(260, {})]
    assert sink.push([record(1), record(2)]).dropped == 2
    assert counted(metrics, "dropped") == {("logs", "blocked", "loki"): 2}


def test_no_answer_in_time(loki: LokiServer, sink: LokiSink, metrics: ServiceMetrics) -> None:
    loki.hanging = True
    impatient = LokiSink(loki.url, metrics=metrics, timeout_seconds=0.2)
    with pytest.raises(SinkUnavailable):
        impatient.push([record()])
    impatient.close()
    loki.hanging = False
    loki.hang.set()
    assert sink.push([record()]).dropped == 0
    assert counted(metrics, "output_requests") == {("loki", "timeout"): 1, ("loki", "204"): 1}


def test_nobody_listens(metrics: ServiceMetrics) -> None:
    server = LokiServer()
    server.stop()
    sink = LokiSink(server.url, metrics=metrics)
    with pytest.raises(SinkUnavailable):
        sink.push([record()])
    sink.close()
    assert counted(metrics, "output_requests") == {("loki", "unreachable"): 1}


def test_nothing_to_push_sends_nothing(loki: LokiServer, sink: LokiSink) -> None:
    assert sink.push([]).dropped == 0
    assert loki.pushes == []


def test_retry_after_as_a_date() -> None:
    now = datetime(2026, 11, 25, 12, 0, tzinfo=timezone.utc)
    assert retry_after(format_datetime(now + timedelta(seconds=90)), now=now) == 90
    assert retry_after(format_datetime(now - timedelta(days=1)), now=now) == 0
    assert retry_after("²") is None
    assert retry_after("") is None
