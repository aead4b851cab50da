"""OTLP/JSON against ``opentelemetry-proto-json``, which writes it by the specification, and case by case."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.proto_json.collector.logs.v1.logs_service import ExportLogsServiceRequest as JsonLogs
from opentelemetry.proto_json.collector.metrics.v1.metrics_service import ExportMetricsServiceRequest as JsonMetrics
from opentelemetry.proto_json.common.v1 import common as json_common
from opentelemetry.proto_json.logs.v1 import logs as json_logs
from opentelemetry.proto_json.metrics.v1 import metrics as json_metrics
from opentelemetry.proto_json.resource.v1.resource import Resource as JsonResource

from collector_processor.otlp.codec import BadPayload, decode, encode
from collector_processor.otlp.values import to_dict, to_python
from tests.collector_processor.otlp import telemetry

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = (
    st.none()
    | TEXT
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.binary(max_size=8)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)


def as_json_value(value: Any) -> json_common.AnyValue:
    if value is None:
        return json_common.AnyValue()
    if isinstance(value, bool):
        return json_common.AnyValue(bool_value=value)
    if isinstance(value, int):
        return json_common.AnyValue(int_value=value)
    if isinstance(value, float):
        return json_common.AnyValue(double_value=value)
    if isinstance(value, str):
        return json_common.AnyValue(string_value=value)
    if isinstance(value, bytes):
        return json_common.AnyValue(bytes_value=value)
    if isinstance(value, list):
        return json_common.AnyValue(array_value=json_common.ArrayValue(values=[as_json_value(item) for item in value]))
    pairs = [json_common.KeyValue(key=key, value=as_json_value(item)) for key, item in value.items()]
    return json_common.AnyValue(kvlist_value=json_common.KeyValueList(values=pairs))


@given(VALUES, st.binary(max_size=20), st.integers(0, 2**64 - 1))
@settings(deadline=None)
def test_a_log_record_reads_the_same_in_both_encodings(value: Any, id_: bytes, time: int) -> None:
    record = json_logs.LogRecord(
        time_unix_nano=time,
        severity_number=17,
        body=as_json_value(value),
        attributes=[json_common.KeyValue(key="k", value=as_json_value(value))],
        trace_id=id_,
        span_id=id_,
    )
    scoped = json_logs.ScopeLogs(log_records=[record])
    text = JsonLogs(resource_logs=[json_logs.ResourceLogs(scope_logs=[scoped])]).to_json()

    request, records = telemetry.logs()
    request.resource_logs[0].ClearField("resource")
    records.add(time_unix_nano=time, severity_number=17, trace_id=id_, span_id=id_)
    records[0].body.SetInParent()
    telemetry.fill(records[0].body, value)
    telemetry.put(records[0].attributes, {"k": value})

    decoded = decode("logs", "json", text.encode())
    assert decoded == request
    again = decode("logs", "protobuf", encode(decoded))
    assert again == request
    assert to_python(records[0].body) == value
    assert to_dict(records[0].attributes) == {"k": value}


def test_metrics_read_the_same_in_both_encodings() -> None:
    points = [
        json_metrics.NumberDataPoint(time_unix_nano=telemetry.NOW, as_int=1),
        json_metrics.NumberDataPoint(time_unix_nano=telemetry.NOW, as_int=2),
        json_metrics.NumberDataPoint(time_unix_nano=telemetry.NOW, as_int=3),
    ]
    metric = json_metrics.Metric(name="requests", sum=json_metrics.Sum(data_points=points))
    scoped = json_metrics.ScopeMetrics(metrics=[metric])
    service = json_common.KeyValue(key="service.name", value=json_common.AnyValue(string_value="shop"))
    sent = json_metrics.ResourceMetrics(resource=JsonResource(attributes=[service]), scope_metrics=[scoped])
    assert decode("metrics", "json", JsonMetrics(resource_metrics=[sent]).to_json().encode()) == telemetry.metrics()


def read_span(**fields: Any) -> Span:
    request = decode("traces", "json", json.dumps(in_span(fields)).encode())
    assert isinstance(request, ExportTraceServiceRequest)
    return request.resource_spans[0].scope_spans[0].spans[0]


def in_span(fields: Any) -> Any:
    return {"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]}


def test_ids_are_hexadecimal_in_any_case() -> None:
    span = read_span(traceId="0102030405060708090A0b0c0d0e0f10", spanId="0102030405060708", parentSpanId="")
    assert (span.trace_id, span.span_id, span.parent_span_id) == (telemetry.TRACE_ID, telemetry.SPAN_ID, b"")


def test_what_a_newer_or_careless_client_sends_is_read() -> None:
    span = read_span(
        kind=99,
        startTimeUnixNano="1732500000000000000",
        endTimeUnixNano=1732500000000000000,
        flags=257.0,
        name="half \ud83d emoji",
        start_time_unix_nano=5,
        unknownField={"a": [1]},
        traceState=None,
        droppedEventsCount="3",
    )
    assert (span.kind, span.flags, span.dropped_events_count) == (99, 257, 3)
    assert span.start_time_unix_nano == span.end_time_unix_nano == telemetry.NOW
    assert span.name == "half \ufffd emoji"


@pytest.mark.parametrize("text", ["+/8=", "-_8=", "-_8", "+/8"])
def test_bytes_are_base64_of_either_alphabet(text: str) -> None:
    span = read_span(attributes=[{"key": "a", "value": {"bytesValue": text}}])
    assert span.attributes[0].value.bytes_value == b"\xfb\xff"


def test_numbers_that_are_not_finite() -> None:
    values = [{"key": "a", "value": {"doubleValue": text}} for text in ("NaN", "Infinity", "-Infinity", "2.5", 3)]
    nan, *rest = [attribute.value.double_value for attribute in read_span(attributes=values).attributes]
    assert math.isnan(nan)
    assert rest == [math.inf, -math.inf, 2.5, 3.0]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"traceId": "zz"}, "traceId: hexadecimal"),
        ({"traceId": "abc"}, "traceId: hexadecimal"),
        ({"traceId": 5}, "traceId: hexadecimal"),
        ({"kind": "SPAN_KIND_SERVER"}, "kind: the number"),
        ({"kind": True}, "kind: the number"),
        ({"kind": 2**40}, "kind: out of range"),
        ({"startTimeUnixNano": -1}, "startTimeUnixNano: out of range"),
        ({"startTimeUnixNano": "9" * 20}, "startTimeUnixNano: out of range"),
        ({"startTimeUnixNano": "9" * 5000}, "startTimeUnixNano: an integer"),
        ({"startTimeUnixNano": 1.5}, "startTimeUnixNano: an integer"),
        ({"startTimeUnixNano": True}, "startTimeUnixNano: an integer"),
        ({"startTimeUnixNano": "1_0"}, "startTimeUnixNano: an integer"),
        ({"name": 5}, "name: a text is needed, got a number"),
        ({"events": {}}, "events: a list"),
        ({"events": [5]}, r"events\[0\]: an object"),
        ({"status": []}, "status: an object is needed, got a list"),
        ({"attributes": [{"key": "a", "value": {"boolValue": 1}}]}, r"attributes\[0\].value.boolValue: true or false"),
        ({"attributes": [{"key": "a", "value": {"intValue": 2**63}}]}, "intValue: out of range"),
        ({"attributes": [{"key": "a", "value": {"doubleValue": "x"}}]}, "doubleValue: a number"),
        ({"attributes": [{"key": "a", "value": {"doubleValue": 10**400}}]}, "doubleValue: out of range"),
        ({"attributes": [{"key": "a", "value": {"bytesValue": "a"}}]}, "bytesValue: base64"),
        ({"attributes": [{"key": "a", "value": {"bytesValue": "é"}}]}, "bytesValue: base64"),
    ],
)
def test_bad_values_are_told_by_place_and_need(fields: Any, place: str) -> None:
    with pytest.raises(BadPayload, match=r"not OTLP: resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]\.(.*\.)?" + place):
        decode("traces", "json", json.dumps(in_span(fields)).encode())


def test_an_error_never_quotes_the_payload() -> None:
    for fields in ({"traceId": "ann@example.com"}, {"startTimeUnixNano": "ann@example.com"}, {"kind": "ann@example"}):
        with pytest.raises(BadPayload) as caught:
            decode("traces", "json", json.dumps(in_span(fields)).encode())
        assert "ann" not in str(caught.value)


NEST = b'{"arrayValue":{"values":['
UNNEST = b"]}}"


def nested(depth: int) -> bytes:
    head = b'{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":'
    return head + NEST * depth + b'{"stringValue":"x"}' + UNNEST * depth + b"}]}}]}"


@pytest.mark.parametrize(
    "payload", [nested(10_000), nested(1_000), nested(60), b"[" * 100_000, b'{"a":' * 100_000], ids=len
)
def test_deep_nesting_is_bad_data_and_never_a_crash(payload: bytes) -> None:
    with pytest.raises(BadPayload):
        decode("traces", "json", payload)


def test_what_is_read_can_be_written_and_read_again() -> None:
    """The deepest value that JSON may have is not too deep for protobuf."""
    deepest = 0
    for depth in range(60):
        try:
            message = decode("traces", "json", nested(depth))
        except BadPayload:
            break
        assert decode("traces", "protobuf", encode(message)) == message
        deepest = depth
    assert deepest >= 40


@pytest.mark.parametrize("payload", [b"", b"nonsense", b'{"resourceSpans":', b"\xff\xfe", b"[]", b"null", b"3", b'"a"'])
def test_what_is_not_an_object_of_json_is_bad_data(payload: bytes) -> None:
    with pytest.raises(BadPayload, match=r"^not (JSON|OTLP): "):
        decode("traces", "json", payload)


@pytest.mark.parametrize("payload", [b"{}", b"\xef\xbb\xbf{}", b' {"resourceSpans":[]} ', b'{"resourceSpans":null}'])
def test_an_empty_request_is_one(payload: bytes) -> None:
    assert decode("traces", "json", payload) == ExportTraceServiceRequest()


@given(st.binary(max_size=60))
def test_any_bytes_are_a_request_or_bad_data(payload: bytes) -> None:
    for encoding in ("protobuf", "json"):
        try:
            decode("logs", encoding, payload)  # type: ignore[arg-type]
        except BadPayload:
            pass
