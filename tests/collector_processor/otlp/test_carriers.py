from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector_processor.events import RawError
from collector_processor.otlp.carriers import find, items
from collector_processor.otlp.messages import ExportRequest
from otel_errors import semconv
from tests.collector_processor.otlp import telemetry
from tests.collector_processor.otlp.telemetry import NOW, add_exception, add_record, add_span, fail, put


def raw_errors(request: ExportRequest) -> list[RawError]:
    return [found.raw for part in find(request) for found in part.errors()]


@pytest.mark.parametrize("key", sorted(semconv.ERROR_KEYS))
@pytest.mark.parametrize("name", ["GET /cart.exception", "ValueError", ""])
def test_one_key_makes_an_event_an_error_whatever_its_name(key: str, name: str) -> None:
    request, spans = telemetry.traces()
    event = add_span(spans).events.add(name=name)
    put(event.attributes, {"other": "x", key: "y"})
    assert len(raw_errors(request)) == 1
    log_request, records = telemetry.logs()
    add_record(records, {"other": "x", key: "y"}, event_name=name)
    assert len(raw_errors(log_request)) == 1


def test_an_event_named_exception_is_an_error_even_without_attributes() -> None:
    request, spans = telemetry.traces()
    add_span(spans).events.add(name="exception")
    assert len(raw_errors(request)) == 1


def test_a_log_record_is_not_an_error_by_its_name_or_severity() -> None:
    request, records = telemetry.logs()
    add_record(records, {}, body="exception", event_name="exception", severity_number=17)
    add_record(records, {"exception.escaped": True, "exceptional": "x"})
    assert find(request) == []


def test_other_events_are_not_errors() -> None:
    request, spans = telemetry.traces()
    add_span(spans).events.add(name="an exception to the rule")
    put(add_span(spans).events.add(name="retry").attributes, {"exception.count": 1})
    assert find(request) == []


def test_what_a_span_event_says() -> None:
    request, spans = telemetry.traces()
    span = add_span(spans, end_time_unix_nano=NOW + 9)
    put(span.attributes, {"http.route": "/cart", "list": [1, "a", None], "map": {"a": b"b"}})
    span.events.add(name="started")
    add_exception(span, extra=True)
    (raw,) = raw_errors(request)
    assert raw == RawError(
        signal="span_event",
        resource={"service.name": "shop", "telemetry.sdk.language": "python"},
        scope_name="shop.http",
        attributes={
            "exception.type": "ValueError",
            "exception.message": "bad total",
            "exception.stacktrace": f"{telemetry.STACK}ValueError: bad total",
            "extra": True,
        },
        span_attributes={"http.route": "/cart", "list": [1, "a", None], "map": {"a": b"b"}},
        span_name="GET /cart",
        event_name="exception",
        time_unix_nano=NOW,
        observed_time_unix_nano=NOW + 9,
        trace_id="0102030405060708090a0b0c0d0e0f10",
        span_id="0102030405060708",
    )


def test_what_a_log_record_says() -> None:
    request, records = telemetry.logs()
    add_record(
        records,
        {"exception.type": "ValueError"},
        body="checkout failed",
        event_name="checkout.exception",
        severity_number=21,
        observed_time_unix_nano=NOW,
        trace_id=telemetry.TRACE_ID,
        span_id=telemetry.SPAN_ID,
    )
    (raw,) = raw_errors(request)
    assert (raw.signal, raw.body, raw.event_name, raw.severity_number) == (
        "log",
        "checkout failed",
        "checkout.exception",
        21,
    )
    assert (raw.time_unix_nano, raw.observed_time_unix_nano) == (0, NOW)
    assert (raw.trace_id, raw.span_id) == ("0102030405060708090a0b0c0d0e0f10", "0102030405060708")


@pytest.mark.parametrize("id_", [b"", bytes(16), b"short", bytes(8), b"x" * 17, b"y" * 9])
def test_invalid_ids_mean_no_trace(id_: bytes) -> None:
    request, spans = telemetry.traces()
    add_exception(add_span(spans, trace_id=id_, span_id=id_))
    log_request, records = telemetry.logs()
    add_record(records, {"exception.type": "E"}, trace_id=id_, span_id=id_)
    for raw in (*raw_errors(request), *raw_errors(log_request)):
        assert (raw.trace_id, raw.span_id) == ("", "")


def ordinals(request: ExportRequest) -> list[tuple[Any, int, int]]:
    return [(raw.attributes.get("exception.type"), raw.time_unix_nano, raw.ordinal) for raw in raw_errors(request)]


def test_ordinals_number_what_shares_a_nanosecond_inside_one_span() -> None:
    request, spans = telemetry.traces()
    first = add_span(spans)
    for type_, time in (("A", NOW), ("A", NOW), ("B", NOW), ("A", NOW + 1), ("A", NOW)):
        add_exception(first, type_, time_unix_nano=time)
    add_exception(add_span(spans), "A")  # the same span a second time: a copy of the same event
    expected = [("A", NOW, 0), ("A", NOW, 1), ("B", NOW, 0), ("A", NOW + 1, 0), ("A", NOW, 2), ("A", NOW, 0)]
    assert ordinals(request) == ordinals(request) == expected


def test_ordinals_of_logs_number_the_whole_request() -> None:
    request, records = telemetry.logs()
    second = request.resource_logs.add().scope_logs.add().log_records
    for target in (records, second, second):
        add_record(target, {"exception.type": "A"}, time_unix_nano=NOW)
    add_record(records, {"exception.type": "A"}, time_unix_nano=NOW, trace_id=telemetry.TRACE_ID)
    assert [raw.ordinal for raw in raw_errors(request)] == [0, 0, 1, 2]


def test_a_span_with_error_status_is_a_carrier_without_an_error_event() -> None:
    request, spans = telemetry.traces()
    fail(add_span(spans, "outer"), "bad total")
    add_span(spans, "fine")
    add_exception(add_span(spans, "inner"))
    (part,) = find(request)
    assert [(carrier.span.name, list(carrier.errors)) for carrier in part.spans] == [("outer", []), ("inner", [0])]


def test_the_last_of_equal_keys_counts() -> None:
    request, spans = telemetry.traces()
    event = add_exception(add_span(spans), message="first")
    put(event.attributes, {"exception.message": "second"})
    assert raw_errors(request)[0].attributes["exception.message"] == "second"


def test_items_are_counted_by_service() -> None:
    request, spans = telemetry.traces("shop")
    add_span(spans)
    add_span(spans)
    other = request.resource_spans.add()
    put(other.resource.attributes, {"service.name": 5})
    other.scope_spans.add().spans.add()
    request.resource_spans.add().scope_spans.add().spans.add()
    again = request.resource_spans.add()
    put(again.resource.attributes, {"service.name": "shop"})
    again.scope_spans.add().spans.add()
    assert items(request) == {"shop": 3, "unknown_service": 2}
    assert items(telemetry.metrics("billing")) == {"billing": 3}
    log_request, records = telemetry.logs()
    add_record(records, {})
    assert items(log_request) == {"shop": 1}
    assert items(ExportTraceServiceRequest()) == {}
