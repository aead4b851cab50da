"""The road, with the real stages; the queue and the next hop are real where the test is about them."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import grpc.aio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import collector_processor.pipeline as pipeline_module
from collector_processor.events import ErrorEvent, RawError
from collector_processor.otlp.exchange import Accepted, BadData, Outcome, Request, Retry, TooLarge
from collector_processor.otlp.forward import Forwarder
from collector_processor.otlp.grpc_server import start_grpc
from collector_processor.otlp.messages import SERVICES
from collector_processor.otlp.values import to_dict
from collector_processor.pipeline import Pipeline, PipelineMeter
from collector_processor.queue import QueueFull, QueueReader, QueueUnavailable, SqliteQueue
from collector_processor.sinks.metrics import ServiceMetrics
from collector_processor.stages.inbound_filters import InboundFilters
from collector_processor.stages.redact import Redactor
from tests.collector_processor.otlp import telemetry
from tests.collector_processor.otlp.telemetry import Handler, add_exception, add_record, add_span, fail, put

EMAIL = "jane.doe@example.com"
REDACTOR = Redactor()


class Meter:
    def __init__(self) -> None:
        self.counts: Counter[tuple[Any, ...]] = Counter()
        self.stages: list[str] = []

    def received(self, signal: str, service: str, items: int) -> None:
        self.counts["received", signal, service] += items

    def refused(self, signal: str, reason: str) -> None:
        self.counts["refused", signal, reason] += 1

    def forwarded(self, signal: str, outcome: str) -> None:
        self.counts["forwarded", signal, outcome] += 1

    def dropped(self, signal: str, reason: str, items: int = 1) -> None:
        self.counts["dropped", signal, reason] += items

    def redactions(self, rule: str, service: str, count: int) -> None:
        self.counts["redactions", rule, service] += count

    def stage_seconds(self, stage: str, seconds: float) -> None:
        assert seconds >= 0
        self.stages.append(stage)


class Kept:
    """Where errors are appended; raises what it is told to."""

    def __init__(self) -> None:
        self.events: list[ErrorEvent] = []
        self.appends = 0
        self.error: Exception | None = None

    async def append(self, events: Sequence[ErrorEvent]) -> None:
        if self.error is not None:
            raise self.error
        self.appends += 1
        self.events.extend(events)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
def hop() -> Handler:
    return Handler()


def road(kept: Kept, forward: Any = None, meter: PipelineMeter | None = None, **more: Any) -> Pipeline:
    given = {"max_in_flight_bytes": 64 * 1024 * 1024, "append": kept.append, "redactor": REDACTOR, **more}
    return Pipeline(
        pseudonym_key=b"k" * 32,
        public_url="https://errors.example/",
        forward=forward,
        meter=meter or Meter(),
        **given,
    )


def traces(payload: bytes) -> Request:
    return Request(signal="traces", payload=payload)


def first_event(payload: bytes) -> dict[str, Any]:
    span = ExportTraceServiceRequest.FromString(payload).resource_spans[0].scope_spans[0].spans[0]
    return to_dict(span.events[0].attributes)


# --- errors ---


async def test_an_error_is_kept_and_forwarded_with_what_we_found_out(kept: Kept, hop: Handler, meter: Meter) -> None:
    pipeline = road(kept, hop, meter)
    assert await pipeline.handle(traces(telemetry.traces_with_error(f"no account {EMAIL}"))) == Accepted()
    (event,) = kept.events
    assert (event.type, event.message, event.service_name) == ("ValueError", "no account [email]", "shop")
    assert event.fingerprint.startswith("fp1:")
    assert len(event.fingerprint) == 36
    assert (event.language, event.raise_site != "", event.culprit != "") == ("python", True, True)
    assert EMAIL not in event.title
    assert event.title.startswith("ValueError: no account")
    assert event.redacted == 2, "in the message and in the stack text"
    forwarded = first_event(hop.requests[0].payload)
    assert forwarded["exception.message"] == "no account [email]"
    assert forwarded["otel_errors.fingerprint"] == event.fingerprint
    assert forwarded["otel_errors.issue.url"] == f"https://errors.example/f/{event.fingerprint}"
    assert (forwarded["otel_errors.severity"], forwarded["otel_errors.redacted"]) == (event.severity, 2)
    assert meter.counts["received", "traces", "shop"] == 1
    assert meter.counts["forwarded", "traces", "accepted"] == 1
    assert meter.counts["redactions", "email", "shop"] == 2
    assert meter.stages == ["find", "process", "splice", "append", "forward"]


async def test_errors_of_logs(kept: Kept, hop: Handler) -> None:
    request, records = telemetry.logs()
    add_record(records, {"exception.type": "ValueError"}, body=f"no account {EMAIL}", time_unix_nano=telemetry.NOW)
    assert await road(kept, hop).handle(Request(signal="logs", payload=request.SerializeToString())) == Accepted()
    assert (kept.events[0].signal, kept.events[0].message) == ("log", "no account [email]")
    forwarded = ExportLogsServiceRequest.FromString(hop.requests[0].payload).resource_logs[0].scope_logs[0]
    assert forwarded.log_records[0].body.string_value == "no account [email]"
    assert to_dict(forwarded.log_records[0].attributes)["otel_errors.fingerprint"] == kept.events[0].fingerprint


async def test_several_errors_get_each_its_own(kept: Kept, hop: Handler) -> None:
    request, spans = telemetry.traces()
    for type_ in ("A", "B"):
        span = add_span(spans)
        add_exception(span, type_)
        add_exception(span, type_ + "2")
    await road(kept, hop).handle(traces(request.SerializeToString()))
    assert [event.type for event in kept.events] == ["A", "A2", "B", "B2"]
    forwarded = ExportTraceServiceRequest.FromString(hop.requests[0].payload).resource_spans[0].scope_spans[0].spans
    written = [to_dict(event.attributes)["otel_errors.fingerprint"] for span in forwarded for event in span.events]
    assert written == [event.fingerprint for event in kept.events]
    assert len(set(written)) == 4


async def test_a_span_that_repeats_the_message_in_its_status_is_redacted_and_is_no_error(
    kept: Kept, hop: Handler
) -> None:
    request, spans = telemetry.traces()
    fail(add_span(spans), f"no account {EMAIL}")
    await road(kept, hop).handle(traces(request.SerializeToString()))
    assert kept.events == []
    span = ExportTraceServiceRequest.FromString(hop.requests[0].payload).resource_spans[0].scope_spans[0].spans[0]
    assert span.status.message == "no account [email]"


def raw_error(**more: Any) -> RawError:
    attributes = {"exception.type": "ValueError", "exception.message": "bad total", **more.pop("attributes", {})}
    given = {"signal": "span_event", "resource": {"service.name": "shop"}, "time_unix_nano": telemetry.NOW}
    return RawError(**{**given, **more}, attributes=attributes)


def test_personal_data_in_the_message_does_not_split_an_issue(kept: Kept) -> None:
    process = road(kept).process
    first = process(raw_error(attributes={"exception.message": "no account ann@example.com"}))
    second = process(raw_error(attributes={"exception.message": "no account bob@example.org"}))
    assert first.fingerprint == second.fingerprint


def test_a_user_is_a_pseudonym_that_is_the_same_each_time(kept: Kept) -> None:
    process = road(kept).process
    by_event = process(raw_error(attributes={"user.id": "42"}))
    by_span = process(raw_error(span_attributes={"user.id": "42"}))
    other = process(raw_error(attributes={"user.id": "43"}))
    assert by_event.user == by_span.user != other.user
    assert len(by_event.user) == 16
    assert process(raw_error()).user == ""


@pytest.mark.parametrize("wish", ["checkout", ["checkout", 1], 7, True])
def test_a_wish_of_the_application_decides_the_fingerprint(kept: Kept, wish: Any) -> None:
    process = road(kept).process
    first = process(raw_error(attributes={"otel_errors.fingerprint.client": wish}))
    second = process(raw_error(attributes={"otel_errors.fingerprint.client": wish, "exception.message": "other"}))
    assert first.fingerprint == second.fingerprint != process(raw_error()).fingerprint


def test_ids_that_hold_nothing_personal_are_kept_as_they_are(kept: Kept) -> None:
    event_id = "0b7f2a1c9d3e4f5a8b6c7d8e9f0a1b2c"
    event = road(kept).process(
        raw_error(
            attributes={"otel_errors.event_id": event_id, "otel_errors.support_reference": "7KQ2-M4XT"},
            resource={"service.name": "shop", "service.version": "2.14.0+3f9c2e1d8b7a6c5d4e3f2a1b0c9d8e7f6a5b4c3d"},
        )
    )
    assert (event.event_id, event.support_reference) == (event_id, "7KQ2-M4XT")
    assert event.release == "2.14.0+3f9c2e1d8b7a6c5d4e3f2a1b0c9d8e7f6a5b4c3d"


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.lists(st.text())


@given(st.dictionaries(st.text(max_size=20), VALUES, max_size=4), VALUES, VALUES, VALUES)
@settings(deadline=None, max_examples=60)
def test_process_takes_any_attributes(attributes: dict[str, Any], type_: Any, message: Any, stack: Any) -> None:
    told = {"exception.type": type_, "exception.message": message, "exception.stacktrace": stack}
    event = road(Kept()).process(raw_error(attributes={**attributes, **told}))
    assert event.fingerprint.startswith("fp1:")
    assert event.title.isprintable()


async def test_over_the_limit_of_a_service_every_error_is_counted_and_says_what_is_not_kept(
    kept: Kept, hop: Handler
) -> None:
    pipeline = road(kept, hop, stacks_per_second=0.01)
    for number in range(3):
        await pipeline.handle(traces(telemetry.traces_with_error(f"bad total {number}")))
    whole, *sampled = kept.events
    assert whole.stacktrace != ""
    assert [event.stacktrace for event in sampled] == ["", ""]
    assert {event.fingerprint for event in kept.events} == {whole.fingerprint}
    assert "service_stacks_per_second" in sampled[0].attributes["otel_errors.not_kept"]
    forwarded = first_event(hop.requests[2].payload)
    assert forwarded["exception.stacktrace"].startswith("Traceback"), "telemetry goes on whole"


async def test_what_is_filtered_is_in_no_issue_and_is_counted(kept: Kept, hop: Handler, meter: Meter) -> None:
    request, spans = telemetry.traces()
    put(request.resource_spans[0].resource.attributes, {"telemetry.sdk.language": "webjs"})
    add_exception(add_span(spans), message="ResizeObserver loop limit exceeded")
    add_exception(add_span(spans), message="bad total")
    pipeline = road(kept, hop, meter, filters=InboundFilters("known_noise"))
    assert await pipeline.handle(traces(request.SerializeToString())) == Accepted()
    assert [event.message for event in kept.events] == ["bad total"]
    assert meter.counts["dropped", "traces", "filter_known_noise"] == 1
    assert "otel_errors.fingerprint" in first_event(hop.requests[0].payload), "telemetry goes on, both of it"


async def test_requests_not_yet_answered_are_bounded(kept: Kept) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Outcome:
        entered.set()
        await leave.wait()
        return Accepted()

    pipeline = road(kept, slow, max_requests=1)
    first = asyncio.create_task(pipeline.handle(traces(b"")))
    await entered.wait()
    assert isinstance(await pipeline.handle(traces(b"")), Retry)
    leave.set()
    assert await first == Accepted()
    assert await pipeline.handle(traces(b"")) == Accepted()


# --- what passes unchanged ---


async def test_metrics_pass_unchanged(kept: Kept, hop: Handler, meter: Meter) -> None:
    request = Request(signal="metrics", payload=telemetry.metrics().SerializeToString())
    assert await road(kept, hop, meter).handle(request) == Accepted()
    assert hop.requests == [request]
    assert meter.counts["received", "metrics", "shop"] == 3


TEXT = st.sampled_from([EMAIL, "4111111111111111", "", "exceptional", "password=hunter2"])


@given(st.lists(st.tuples(TEXT, TEXT, TEXT, st.sampled_from([0, 1])), max_size=4), st.binary(max_size=20))
@settings(deadline=None)
def test_what_holds_no_error_passes_byte_for_byte(specs: list[tuple[str, str, str, int]], unknown: bytes) -> None:
    request, spans = telemetry.traces()
    for name, key, value, status in specs:
        span = add_span(spans, name)
        put(span.attributes, {key: value})
        put(span.events.add(name=f"{name}.event").attributes, {key: [value, {key: value}]})
        span.status.code = status
    # A field that we do not know, at the end: a newer client's.
    payload = request.SerializeToString() + b"\xfa\x07" + bytes([len(unknown)]) + unknown
    hop, kept = Handler(), Kept()
    assert asyncio.run(road(kept, hop).handle(traces(payload))) == Accepted()
    assert hop.requests[0].payload == payload
    assert kept.events == []


async def test_json_goes_on_as_protobuf(kept: Kept, hop: Handler) -> None:
    attributes = [{"key": "exception.type", "value": {"stringValue": "ValueError"}}]
    span = {
        "traceId": telemetry.TRACE_ID.hex(),
        "spanId": telemetry.SPAN_ID.hex(),
        "name": "GET /cart",
        "events": [{"name": "exception", "timeUnixNano": str(telemetry.NOW), "attributes": attributes}],
    }
    for spans in ([span], [{**span, "events": []}]):
        payload = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()
        request = Request(signal="traces", payload=payload, encoding="json")
        assert await road(kept, hop).handle(request) == Accepted()
    with_error, without = hop.requests
    assert with_error.encoding == without.encoding == "protobuf"
    assert first_event(with_error.payload)["otel_errors.fingerprint"] == kept.events[0].fingerprint
    assert kept.events[0].trace_id == telemetry.TRACE_ID.hex()
    parsed = ExportTraceServiceRequest.FromString(without.payload)
    assert parsed.resource_spans[0].scope_spans[0].spans[0].trace_id == telemetry.TRACE_ID


@pytest.mark.parametrize("signal", list(SERVICES))
async def test_an_empty_request_is_a_success(kept: Kept, hop: Handler, signal: Any) -> None:
    assert await road(kept, hop).handle(Request(signal=signal, payload=b"")) == Accepted()


# --- bad data ---


@pytest.mark.parametrize("payload", [b"\xff", telemetry.traces_with_error()[:-3], b"{}"])
async def test_what_cannot_be_read_is_bad_data(kept: Kept, hop: Handler, meter: Meter, payload: bytes) -> None:
    outcome = await road(kept, hop, meter).handle(traces(payload))
    assert isinstance(outcome, BadData)
    assert outcome.reason.startswith("not a protobuf ExportTraceServiceRequest")
    assert hop.requests == []
    assert meter.counts["refused", "traces", "bad_data"] == 1


async def test_json_ten_thousand_deep_is_bad_data(kept: Kept, hop: Handler) -> None:
    value = b'{"arrayValue":{"values":[' * 10_000 + b"]}}" * 10_000
    payload = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":' + value + b"}]}]}]}"
    outcome = await road(kept, hop).handle(Request(signal="logs", payload=payload, encoding="json"))
    assert outcome == BadData("not OTLP: values are nested too deep")


# --- the queue ---


async def test_without_a_next_hop_the_road_ends_after_the_append(kept: Kept) -> None:
    assert await road(kept).handle(traces(telemetry.traces_with_error())) == Accepted()
    assert len(kept.events) == 1


@pytest.mark.parametrize(("error", "reason"), [(QueueFull(), "queue_full"), (QueueUnavailable(), "queue_unavailable")])
async def test_errors_that_cannot_be_kept_are_refused_for_now(
    kept: Kept, hop: Handler, meter: Meter, error: Exception, reason: str
) -> None:
    kept.error = error
    pipeline = road(kept, hop, meter)
    assert isinstance(await pipeline.handle(traces(telemetry.traces_with_error())), Retry)
    assert hop.requests == []
    assert meter.counts["refused", "traces", reason] == 1
    kept.error = None
    assert await pipeline.handle(traces(telemetry.traces_with_error())) == Accepted()
    assert len(kept.events) == 1, "what failed was not remembered as kept"


async def test_pass_forwards_what_the_full_queue_cannot_keep_and_counts_it(
    kept: Kept, hop: Handler, meter: Meter
) -> None:
    kept.error = QueueFull()
    pipeline = road(kept, hop, meter, on_full="pass")
    assert await pipeline.handle(traces(telemetry.traces_with_error(EMAIL))) == Accepted()
    assert meter.counts["dropped", "traces", "queue_full"] == 1
    assert EMAIL.encode() not in hop.requests[0].payload
    kept.error = QueueUnavailable()
    assert isinstance(await pipeline.handle(traces(telemetry.traces_with_error(EMAIL))), Retry)


async def test_pass_without_a_next_hop_has_nowhere_to_pass_to(kept: Kept) -> None:
    kept.error = QueueFull()
    assert isinstance(await road(kept, on_full="pass").handle(traces(telemetry.traces_with_error())), Retry)


async def test_a_full_queue_does_not_hold_up_telemetry_without_errors(kept: Kept, hop: Handler) -> None:
    kept.error = QueueFull()
    assert await road(kept, hop).handle(traces(telemetry.traces_without_error())) == Accepted()


async def test_a_request_that_is_sent_again_is_not_appended_again(kept: Kept, hop: Handler) -> None:
    hop.outcomes = [Retry("down"), Retry("down"), Accepted()]
    pipeline = road(kept, hop)
    request = traces(telemetry.traces_with_error(EMAIL))
    outcomes = [await pipeline.handle(request) for _ in range(4)]
    assert [type(outcome) for outcome in outcomes] == [Retry, Retry, Accepted, Accepted]
    assert kept.appends == 1
    assert len({seen.payload for seen in hop.requests}) == 1, "redacted and marked each time"
    assert EMAIL.encode() not in hop.requests[0].payload
    await pipeline.handle(traces(telemetry.traces_with_error("other")))
    assert kept.appends == 2


async def test_what_is_remembered_is_bounded(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_module, "REMEMBERED_REQUESTS", 2)
    pipeline = road(kept)
    for message in ("a", "b", "a", "c", "a", "b"):  # "b" was pushed out by "c", for "a" had been seen again
        await pipeline.handle(traces(telemetry.traces_with_error(message)))
    assert [event.message for event in kept.events] == ["a", "b", "c", "b"]


# --- the next hop ---


@pytest.mark.parametrize("outcome", [Retry("down", 7.0), BadData("no"), TooLarge("big"), Accepted(2, "old")])
async def test_the_answer_of_the_next_hop_is_ours(kept: Kept, hop: Handler, meter: Meter, outcome: Outcome) -> None:
    hop.outcomes = [outcome]
    assert await road(kept, hop, meter).handle(traces(telemetry.traces_with_error())) == outcome
    assert len(kept.events) == 1, "durable before it was forwarded"
    assert sum(count for key, count in meter.counts.items() if key[0] == "forwarded") == 1
    if isinstance(outcome, Accepted):
        assert meter.counts["dropped", "traces", "next_hop"] == 2
    else:
        assert meter.counts["refused", "traces", "next_hop"] == 1


@pytest.mark.parametrize("outcome", [Retry(f"no {EMAIL}"), BadData(f"no {EMAIL}"), Accepted(1, f"no {EMAIL}")])
async def test_what_the_hop_quotes_is_redacted_in_answers_and_logs(
    kept: Kept, hop: Handler, outcome: Outcome, caplog: pytest.LogCaptureFixture
) -> None:
    hop.outcomes = [outcome]
    answer = await road(kept, hop).handle(traces(telemetry.traces_without_error()))
    assert EMAIL not in repr(answer) + caplog.text
    assert "[email]" in repr(answer)


async def test_a_hop_that_is_down_loses_no_error(kept: Kept) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        forwarder = Forwarder(f"http://127.0.0.1:{holder.getsockname()[1]}", timeout_seconds=2)
        try:
            outcome = await road(kept, forwarder.forward).handle(traces(telemetry.traces_with_error()))
        finally:
            await forwarder.aclose()
    assert isinstance(outcome, Retry)
    assert "UNAVAILABLE" in outcome.reason
    assert len(kept.events) == 1


# --- bounds and failures of our own ---


class Gate:
    """A next hop that answers when it is told to."""

    def __init__(self) -> None:
        self.entered, self.release = asyncio.Event(), asyncio.Event()

    async def __call__(self, request: Request) -> Outcome:
        self.entered.set()
        await self.release.wait()
        return Accepted()


async def test_bytes_in_flight_are_bounded(kept: Kept, meter: Meter) -> None:
    gate = Gate()
    payload = telemetry.traces_without_error()
    pipeline = road(kept, gate, meter, max_in_flight_bytes=2 * len(payload))
    first = asyncio.create_task(pipeline.handle(traces(payload)))
    second = asyncio.create_task(pipeline.handle(traces(payload)))
    await gate.entered.wait()
    outcome = await pipeline.handle(traces(payload))
    assert isinstance(outcome, Retry)
    assert meter.counts["refused", "traces", "overload"] == 1
    gate.release.set()
    assert [await first, await second] == [Accepted(), Accepted()]
    assert await pipeline.handle(traces(payload)) == Accepted()


async def test_a_request_larger_than_the_bound_goes_alone(kept: Kept, hop: Handler) -> None:
    pipeline = road(kept, hop, max_in_flight_bytes=1)
    assert await pipeline.handle(traces(telemetry.traces_without_error())) == Accepted()


async def test_a_client_that_goes_away_gives_its_bytes_back(kept: Kept) -> None:
    gate = Gate()
    payload = telemetry.traces_without_error()
    pipeline = road(kept, gate, max_in_flight_bytes=len(payload))
    task = asyncio.create_task(pipeline.handle(traces(payload)))
    await gate.entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.release.set()
    assert await pipeline.handle(traces(payload)) == Accepted()


async def test_a_failure_of_our_own_is_a_retry_and_quotes_nothing(
    kept: Kept, hop: Handler, meter: Meter, caplog: pytest.LogCaptureFixture
) -> None:
    kept.error = RuntimeError(f"disk of {EMAIL}")
    with caplog.at_level(logging.DEBUG):
        outcome = await road(kept, hop, meter).handle(traces(telemetry.traces_with_error(EMAIL)))
    assert isinstance(outcome, Retry)
    assert EMAIL not in outcome.reason + caplog.text
    assert "RuntimeError in append" in caplog.text
    assert meter.counts["refused", "traces", "internal"] == 1
    assert hop.requests == []


async def test_a_redactor_that_fails_lets_nothing_out(kept: Kept, hop: Handler) -> None:
    class Broken:
        def text(self, text: str, key: str | None = None, /) -> tuple[str, Sequence[Any]]:
            raise RuntimeError

    pipeline = Pipeline(
        redactor=Broken(),
        pseudonym_key=b"k",
        public_url="http://x",
        append=kept.append,
        forward=hop,
        max_in_flight_bytes=1024 * 1024,
        meter=Meter(),
    )
    assert isinstance(await pipeline.handle(traces(telemetry.traces_with_error())), Retry)
    assert kept.events == []
    assert hop.requests == []


@pytest.mark.parametrize("bound", ["THREAD_FROM_BYTES", "CLEAN_ON_LOOP_BYTES"])
async def test_a_large_request_is_prepared_beside_the_loop_with_the_same_result(
    kept: Kept, hop: Handler, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    request = traces(telemetry.traces_with_error(EMAIL))
    await road(kept, hop).handle(request)
    monkeypatch.setattr(pipeline_module, bound, 1)
    await road(kept, hop).handle(request)
    assert kept.events[0] == kept.events[1]
    assert hop.requests[0] == hop.requests[1]
    assert isinstance(await road(kept, hop).handle(traces(b"\xff")), BadData)


class Slow:
    """A redactor that says in which thread it works, and waits there."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.entered, self.both_entered, self.release = threading.Event(), threading.Event(), threading.Event()

    def text(self, text: str, key: str | None = None, /) -> tuple[str, Sequence[Any]]:
        if text.startswith("slow"):
            self.threads.append(threading.current_thread())
            self.entered.set()
            if len(self.threads) == 2:
                self.both_entered.set()
            assert self.release.wait(60)
        return text, ()

    def would_take(self, clean: str, key: str | None = None, /) -> Sequence[str]:
        return ()

    def for_service(self, service: str, /) -> Slow:
        return self


@pytest.mark.parametrize("signal", ["traces", "logs"])
async def test_many_attributes_in_a_small_request_do_not_hold_the_loop(
    kept: Kept, signal: Literal["traces", "logs"]
) -> None:
    if signal == "traces":
        sent, spans = telemetry.traces()
        record: Any = add_exception(add_span(spans))
    else:
        sent, records = telemetry.logs()
        record = add_record(records, {"exception.type": "ValueError"})
    for number in range(400):
        put(record.attributes, {f"key_{number}": f"slow value {number} and fifty more characters to look through"})
    slow = Slow()
    pipeline = road(kept, redactor=slow)
    handled = asyncio.create_task(pipeline.handle(Request(signal=signal, payload=sent.SerializeToString())))
    assert await asyncio.to_thread(slow.entered.wait, 60)  # and the loop is free to wait for it
    assert await pipeline.handle(traces(telemetry.traces_without_error())) == Accepted()
    slow.release.set()
    assert await handled == Accepted()
    assert threading.main_thread() not in slow.threads
    assert len(kept.events) == 1


async def test_what_a_thread_still_works_on_stays_in_flight_when_the_client_is_gone(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline_module, "CLEAN_ON_LOOP_BYTES", 1)
    payload = telemetry.traces_with_error("slow")
    slow = Slow()
    pipeline = road(kept, redactor=slow, max_in_flight_bytes=len(payload))
    gone = asyncio.create_task(pipeline.handle(traces(payload)))
    assert await asyncio.to_thread(slow.entered.wait, 60)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert isinstance(await pipeline.handle(traces(payload)), Retry)
    slow.release.set()
    end = asyncio.get_running_loop().time() + 60
    while isinstance(await pipeline.handle(traces(payload)), Retry):
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.01)


async def test_what_no_thread_has_begun_is_given_up_with_its_client(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline_module, "CLEAN_ON_LOOP_BYTES", 1)
    payload = telemetry.traces_with_error("slow")
    slow = Slow()
    pipeline = road(kept, redactor=slow, max_in_flight_bytes=3 * len(payload))
    busy = [asyncio.create_task(pipeline.handle(traces(payload))) for _ in range(2)]
    assert await asyncio.to_thread(slow.both_entered.wait, 60)
    waiting = asyncio.create_task(pipeline.handle(traces(payload)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    third = asyncio.create_task(
        pipeline.handle(traces(payload))
    )  # its room is free again, though both threads are busy
    await asyncio.sleep(0)
    slow.release.set()
    assert [await task for task in (*busy, third)] == [Accepted()] * 3


# --- the whole road ---


async def test_from_the_sdk_through_the_queue_to_the_next_hop(tmp_path: Path) -> None:
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with pytest.raises(ValueError, match="no account"), provider.get_tracer("t").start_as_current_span("GET /cart"):
        raise ValueError(f"no account {EMAIL}")
    provider.shutdown()

    hop = Handler()
    next_hop = await start_grpc(hop, bind="127.0.0.1:0", max_request_bytes=1024 * 1024)
    queue = SqliteQueue.open(tmp_path / "worker-0.sqlite3", max_bytes=1024 * 1024)
    forwarder = Forwarder(f"http://127.0.0.1:{next_hop.port}", timeout_seconds=5)
    meter: PipelineMeter = ServiceMetrics()
    pipeline = road(Kept(), forwarder.forward, meter, append=queue.append)
    server = await start_grpc(pipeline.handle, bind="127.0.0.1:0", max_request_bytes=1024 * 1024)
    try:
        exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{server.port}", insecure=True)
        sent = await asyncio.to_thread(exporter.export, memory.get_finished_spans())
        await asyncio.to_thread(exporter.shutdown)
        assert sent is SpanExportResult.SUCCESS
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary(SERVICES["logs"].method)(b"\xff", timeout=5)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    finally:
        await server.stop(1)
        await forwarder.aclose()
        await next_hop.stop(0)
        queue.close()
    reader = QueueReader.open(tmp_path / "worker-0.sqlite3")
    ((_, event),) = reader.read(0, 10)
    reader.close()
    assert (event.type, event.message) == ("ValueError", "no account [email]")
    forwarded = ExportTraceServiceRequest.FromString(hop.requests[0].payload)
    span = forwarded.resource_spans[0].scope_spans[0].spans[0]
    assert to_dict(span.events[0].attributes)["otel_errors.fingerprint"] == event.fingerprint
    assert span.status.message == "ValueError: no account [email]"
    files = await asyncio.to_thread(lambda: list(tmp_path.iterdir()))
    assert files
    for path in files:
        assert EMAIL.encode() not in path.read_bytes(), path.name
