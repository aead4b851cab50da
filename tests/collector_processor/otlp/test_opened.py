"""The fast way through a request, beside the way that decodes everything."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import collector_processor.pipeline as pipeline_module
from collector_processor.otlp.codec import BadPayload, decode
from collector_processor.otlp.exchange import Accepted, Outcome, Request, TelemetrySignal
from collector_processor.otlp.opened import Opened, Sparse, Whole, open_request
from collector_processor.pipeline import Pipeline
from collector_processor.stages.redact import Redactor
from tests.collector_processor.otlp import telemetry, wire
from tests.collector_processor.otlp.telemetry import Handler, add_exception, add_record, add_span, fail, put
from tests.collector_processor.otlp.wire import bytes_field, number_field
from tests.collector_processor.test_pipeline import Kept, Meter

REDACTOR = Redactor()
BY = {"max_examples": 80, "deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


def passed(request: Request, way: Any) -> tuple[Outcome, Kept, Meter, Handler]:
    """What becomes of ``request`` on a road of its own that opens it by ``way``."""
    kept, meter, hop = Kept(), Meter(), Handler()
    pipeline = Pipeline(
        redactor=REDACTOR,
        pseudonym_key=b"k" * 32,
        public_url="https://errors.example",
        append=kept.append,
        forward=hop,
        max_in_flight_bytes=1 << 30,
        meter=meter,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline_module, "open_request", way)
        outcome = asyncio.run(pipeline.handle(request))
    return outcome, kept, meter, hop


def check_same(signal: TelemetrySignal, payload: bytes) -> None:
    request = Request(signal=signal, payload=payload)
    slow, slow_kept, slow_meter, slow_hop = passed(request, Whole)
    fast, kept, meter, hop = passed(request, open_request)
    if slow != Accepted():
        # What stands inside a span without an error is the next hop's to judge, as it came.
        assert fast == slow or (hop.requests == [request] and not kept.events)
        return
    assert fast == slow
    assert kept.events == slow_kept.events
    assert meter.counts == slow_meter.counts
    assert decode(signal, "protobuf", hop.requests[0].payload) == decode(
        signal, "protobuf", slow_hop.requests[0].payload
    )
    assert len(hop.requests) == len(slow_hop.requests) == 1
    if slow_hop.requests == [request]:
        assert hop.requests == [request], "to the byte"


@given(wire.REQUESTS["traces"])
@settings(**BY)
def test_fast_is_slow_for_any_traces(payload: bytes) -> None:
    check_same("traces", payload)


@given(wire.REQUESTS["logs"])
@settings(**BY)
def test_fast_is_slow_for_any_logs(payload: bytes) -> None:
    check_same("logs", payload)


@given(wire.REQUESTS["metrics"])
@settings(**BY)
def test_fast_is_slow_for_any_metrics(payload: bytes) -> None:
    check_same("metrics", payload)


@given(st.sampled_from(["traces", "logs", "metrics"]), st.binary(max_size=60))
@settings(**BY)
def test_fast_is_slow_for_any_bytes(signal: TelemetrySignal, payload: bytes) -> None:
    check_same(signal, payload)


NAMES = st.sampled_from(["exception", "exceptional", "otel_errors.event_id", "exception.type", "event", ""])


@given(st.lists(st.tuples(NAMES, NAMES, st.booleans()), max_size=6))
@settings(deadline=None, derandomize=True)
def test_the_look_at_the_bytes_finds_what_the_walk_finds(spec: list[tuple[str, str, bool]]) -> None:
    request, spans = telemetry.traces()
    for name, key, failed in spec:
        span = add_span(spans)
        put(span.events.add(name=name).attributes, {key: "x"})
        if failed:
            fail(span)
    check_same("traces", request.SerializeToString())


def carriers(opened: Opened) -> list[tuple[str, list[int]]]:
    return [(carrier.span.name, list(carrier.errors)) for part in opened.parts for carrier in part.spans]


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(number_field(3, 2), id="as every encoder writes it"),
        pytest.param(number_field(3, 2, longer_by=1), id="longer than needed"),
        pytest.param(number_field(3, 2 + (1 << 32)), id="more bits than an enum has"),
        pytest.param(number_field(3, 1) + number_field(3, 2), id="said twice"),
    ],
)
def test_a_status_of_error_is_seen_in_any_form(status: bytes) -> None:
    request, spans = telemetry.traces()
    add_span(spans, "fine")
    bare = bytes_field(2, bytes_field(5, b"failed") + bytes_field(15, status))
    payload = request.SerializeToString() + bytes_field(1, bytes_field(2, bare))
    assert carriers(Sparse("traces", payload)) == carriers(Whole("traces", "protobuf", payload)) == [("failed", [])]


def test_a_status_that_says_its_code_twice_hides_nothing() -> None:
    request, spans = telemetry.traces()
    fail(add_span(spans, "failed"))
    taken_back = bytes_field(5, b"no") + bytes_field(15, number_field(3, 2) + number_field(3, 0))
    payload = request.SerializeToString() + bytes_field(1, bytes_field(2, bytes_field(2, taken_back)))
    assert carriers(Sparse("traces", payload)) == carriers(Whole("traces", "protobuf", payload)) == [("failed", [])]


def test_only_what_was_hit_is_written_anew() -> None:
    """Fields in an order that no encoder has stay in it, but for the span that holds the error."""
    odd = bytes_field(9, bytes_field(2, bytes_field(1, b"v")) + bytes_field(1, b"k")) + bytes_field(5, b"odd")
    request, spans = telemetry.traces()
    add_exception(add_span(spans, "hit"))
    payload = request.SerializeToString()
    payload += bytes_field(1, bytes_field(2, bytes_field(2, odd)))
    opened = Sparse("traces", payload)
    opened.parts[0].spans[0].span.name = "changed"
    written = opened.encoded()
    assert odd in written
    assert b"changed" in written


@pytest.mark.parametrize("signal", ["traces", "logs"])
def test_the_inside_of_what_was_hit_must_be_readable(signal: Any) -> None:
    text = bytes_field(2, bytes_field(5 if signal == "traces" else 12, b"exception \xff"))
    if signal == "traces":
        text = bytes_field(2, bytes_field(5, b"\xff") + bytes_field(11, bytes_field(2, b"exception")))
    with pytest.raises(BadPayload, match="cannot be read"):
        Sparse(signal, bytes_field(1, bytes_field(2, text)))


def test_items_are_counted_as_the_walk_counts_them() -> None:
    log_request, records = telemetry.logs("billing")
    add_record(records, {})
    request, spans = telemetry.traces()
    add_span(spans)
    add_span(spans)
    for signal, message in (("traces", request), ("logs", log_request), ("metrics", telemetry.metrics())):
        payload = message.SerializeToString()
        expected = Whole(signal, "protobuf", payload).items()  # type: ignore[arg-type]
        assert Sparse(signal, payload).items() == expected != {}  # type: ignore[arg-type]
