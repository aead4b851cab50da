"""Plant personal data in every text that a request can hold, and look for it in what is forwarded and kept.

The planting goes by the message descriptors, so a text field that a new version of OTLP adds is planted too, and this
test asks for a decision about it.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from collector_processor.events import ErrorEvent
from collector_processor.otlp.carrier_redaction import RequestRedaction
from collector_processor.otlp.carriers import find
from collector_processor.otlp.codec import encode
from collector_processor.otlp.splice import splice
from collector_processor.otlp.values import to_dict
from collector_processor.stages.normalise import normalise
from collector_processor.stages.redact import Redactor
from collector_processor.stages.redact_event import redacted_event
from otel_errors import semconv
from tests.collector_processor.otlp import telemetry
from tests.collector_processor.otlp.telemetry import add_exception, add_record, add_span, fail, put

EMAIL = "jane.doe@example.com"
CARD = "4111111111111111"
PLANTED = f"mail {EMAIL} card {CARD}"
NEEDLES = (EMAIL.encode(), CARD.encode(), b"hunter2hunter2")

REDACTOR = Redactor()

NOT_DATA = {"entity_refs"}
"""The names of resource attributes: the SDK's, not the application's."""


def plant(message: Message) -> int:
    """Put personal data into every text below ``message``; how many there are."""
    count = 0
    for field in message.DESCRIPTOR.fields:
        name = field.name
        if name in NOT_DATA:
            continue
        if field.type == FieldDescriptor.TYPE_STRING:
            assert not field.is_repeated, f"{name}: plant it, and see that it is redacted"
            setattr(message, name, f"{getattr(message, name)} {PLANTED}".strip())
            count += 1
        elif field.type != FieldDescriptor.TYPE_MESSAGE:
            continue
        elif field.message_type.full_name.endswith(".KeyValue"):
            count += plant_attributes(getattr(message, name))
        elif field.message_type.full_name.endswith(".AnyValue"):
            telemetry.fill(getattr(message, name), {"texts": [PLANTED, {"more": PLANTED}]})
            count += 2
        elif field.is_repeated:
            if not getattr(message, name):
                getattr(message, name).add()
            count += sum(plant(child) for child in getattr(message, name))
        else:
            child = getattr(message, name)
            child.SetInParent()
            count += plant(child)
    return count


def plant_attributes(attributes: Any) -> int:
    values = {
        "text": PLANTED,
        "bytes": PLANTED.encode(),
        "binary": b"\xff\x00" + PLANTED.encode() + b"\xfe",
        "number": int(CARD),
        "double": float(CARD),
        "list": [PLANTED, [PLANTED, {"x": PLANTED.encode()}]],
        "map": {"inner": PLANTED, EMAIL: 1, "deep": {"deeper": [{"deepest": PLANTED}]}},
        EMAIL: "as a key",
        "db.password": "hunter2hunter2",
        "credentials": {"a": "hunter2hunter2", "list": ["hunter2hunter2"]},
        "http.request.header.authorization": ["Bearer hunter2hunter2"],
    }
    put(attributes, values)
    return len(values)


def event_for(fingerprint: str) -> ErrorEvent:
    return ErrorEvent(
        signal="span_event", time_unix_nano=1, service_name="shop", severity="high", fingerprint=fingerprint
    )


def spliced(request: Any) -> RequestRedaction:
    """Redact and write back in place, with an event for each error: fp1:0, fp1:1, …"""
    parts = find(request)
    errors = [found for part in parts for found in part.errors()]
    redaction = RequestRedaction(REDACTOR)
    splice(parts, [event_for(f"fp1:{number}") for number in range(len(errors))], redaction, "https://errors.example")
    return redaction


def whole_span_request(error: bool) -> ExportTraceServiceRequest:
    request, spans = telemetry.traces()
    span = add_span(spans)
    if error:
        add_exception(span)
        put(span.events.add(name="before").attributes, {"note": PLANTED})
    planted = plant(request)
    assert planted > 40
    # Planting touched the names that decide what is an error.
    if error:
        span.events[0].name = "exception"
    else:
        del span.events[:]
        span.status.code = Status.STATUS_CODE_ERROR
    assert len(find(request)) == 1
    return request


@pytest.mark.parametrize("error", [True, False], ids=["holds an error event", "has only the status"])
def test_nothing_planted_is_left_in_a_span_its_scope_and_resource(error: bool) -> None:
    request = whole_span_request(error)
    assert all(needle in request.SerializeToString() for needle in NEEDLES)
    spliced(request)
    forwarded = encode(request)
    assert not [needle for needle in NEEDLES if needle in forwarded]


def test_nothing_planted_is_left_in_a_log_record_its_scope_and_resource() -> None:
    request, records = telemetry.logs()
    add_record(records, {"exception.type": "ValueError", "exception.message": PLANTED})
    assert plant(request) > 30
    assert all(needle in request.SerializeToString() for needle in NEEDLES)
    spliced(request)
    forwarded = encode(request)
    assert not [needle for needle in NEEDLES if needle in forwarded]


@pytest.mark.parametrize("body", [PLANTED, [PLANTED], {"a": {"b": [PLANTED]}}, PLANTED.encode(), int(CARD)])
def test_a_log_body_of_any_kind(body: Any) -> None:
    request, records = telemetry.logs()
    add_record(records, {"exception.type": "ValueError"}, body=body)
    spliced(request)
    forwarded = encode(request)
    assert not [needle for needle in NEEDLES if needle in forwarded]


TEXT_ENCODINGS = [
    "utf-8",
    "utf-8-sig",
    "latin-1",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "utf-32-le",
    "utf-32-be",
]


@pytest.mark.parametrize("encoding", TEXT_ENCODINGS)
def test_bytes_that_hold_a_text_in_another_encoding(encoding: str) -> None:
    request, records = telemetry.logs()
    text = f"Größe: {PLANTED}, password='hunter2hunter2'"
    add_record(records, {"exception.type": "ValueError", "raw": text.encode(encoding)})
    spliced(request)
    (value,) = [one.value.bytes_value for one in records[0].attributes if one.key == "raw"]
    assert value.decode(encoding) == "Größe: mail [email] card [card], password='[password]'"


@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(("before", "after"), [(b"\xff\x00\x9d", b"\xfe\x00"), (b"\x00\x01\xd8\x00\xd8", b"\xd8")])
def test_bytes_that_hold_a_text_among_others(encoding: str, before: bytes, after: bytes) -> None:
    request, records = telemetry.logs()
    add_record(records, {"exception.type": "ValueError", "raw": before + PLANTED.encode(encoding) + after})
    spliced(request)
    (value,) = [one.value.bytes_value for one in records[0].attributes if one.key == "raw"]
    assert "[email]".encode(encoding) in value
    assert EMAIL.encode(encoding) not in value
    assert CARD.encode(encoding) not in value
    assert value.startswith(before)


@given(st.binary(max_size=64))
@settings(deadline=None, derandomize=True)
def test_bytes_without_a_finding_stay_as_they_are(data: bytes) -> None:
    request, records = telemetry.logs()
    add_record(records, {"exception.type": "ValueError", "raw": data})
    if spliced(request).counts:
        return
    (value,) = [one.value.bytes_value for one in records[0].attributes if one.key == "raw"]
    assert value == data


def test_ids_times_and_everything_that_is_no_text_stay() -> None:
    request = whole_span_request(error=True)
    before = Span.FromString(request.resource_spans[0].scope_spans[0].spans[0].SerializeToString())
    spliced(request)
    after = request.resource_spans[0].scope_spans[0].spans[0]
    for field in ("trace_id", "span_id", "parent_span_id", "kind", "start_time_unix_nano", "end_time_unix_nano"):
        assert getattr(after, field) == getattr(before, field)
    assert len(after.events) == len(before.events)
    assert [attribute.key for attribute in after.events[0].attributes][:3] == [
        "exception.type",
        "exception.message",
        "exception.stacktrace",
    ]


def test_a_span_that_has_no_error_is_not_touched_when_its_neighbour_has_one() -> None:
    request, spans = telemetry.traces()
    clean = add_span(spans, f"for {EMAIL}")
    plant_attributes(clean.attributes)
    put(clean.events.add(name="seen").attributes, {"by": EMAIL})
    before = clean.SerializeToString(deterministic=True)
    add_exception(add_span(spans), message=PLANTED)
    spliced(request)
    assert spans[0].SerializeToString(deterministic=True) == before
    assert EMAIL.encode() not in spans[1].SerializeToString()


def test_a_log_record_that_is_no_error_is_not_touched_when_its_neighbour_is_one() -> None:
    request, records = telemetry.logs()
    add_record(records, {"note": PLANTED}, body=PLANTED)
    before = records[0].SerializeToString()
    add_record(records, {"exception.type": "E"}, body=PLANTED)
    spliced(request)
    assert records[0].SerializeToString() == before
    assert EMAIL.encode() not in records[1].SerializeToString()


def test_what_is_written_on_an_error_replaces_what_came_and_stands_once() -> None:
    request, spans = telemetry.traces()
    span = add_span(spans)
    forged = {
        "otel_errors.fingerprint": "forged",
        "otel_errors.issue.url": "javascript:alert(1)",
        "otel_errors.redacted": "many",
        "otel_errors.severity": "none",
        "otel_errors.event_id": "stays",
    }
    event = add_exception(span, message=f"{PLANTED} {PLANTED}", **forged)
    put(event.attributes, forged)
    add_exception(span, "KeyError", "x")
    other = span.events.add(name="other")
    spliced(request)
    keys = [attribute.key for attribute in event.attributes]
    assert to_dict(event.attributes) | {"exception.stacktrace": ""} == {
        "exception.type": "ValueError",
        "exception.message": "mail [email] card [card] mail [email] card [card]",
        "exception.stacktrace": "",
        "otel_errors.event_id": "stays",
        "otel_errors.fingerprint": "fp1:0",
        "otel_errors.issue.url": "https://errors.example/f/fp1:0",
        "otel_errors.severity": "high",
        "otel_errors.redacted": 8,
    }
    for key in semconv.COMPUTED_BY_PROCESSOR | {semconv.SEVERITY}:
        assert keys.count(key) == 1
    second = to_dict(span.events[1].attributes)
    assert (second["otel_errors.fingerprint"], second["otel_errors.redacted"]) == ("fp1:1", 0)
    assert len(other.attributes) == 0


def test_what_the_processor_writes_can_be_processed_again() -> None:
    """A second processor behind the first: same answer."""
    request = whole_span_request(error=True)
    spliced(request)
    once = ExportTraceServiceRequest.FromString(encode(request))
    spliced(once)
    again = to_dict(once.resource_spans[0].scope_spans[0].spans[0].events[0].attributes)
    first = to_dict(request.resource_spans[0].scope_spans[0].spans[0].events[0].attributes)
    assert again | {"otel_errors.redacted": 0} == first | {"otel_errors.redacted": 0}
    assert again["otel_errors.redacted"] == 0


def test_findings_are_counted_once_a_text_by_service_and_rule() -> None:
    request, spans = telemetry.traces("billing")
    for name in ("inner", "middle", "outer"):
        fail(add_span(spans, name), f"no {EMAIL}")
    counts = spliced(request).counts
    assert dict(counts) == {("email", "billing"): 1}


def test_an_empty_value_stays_an_empty_value() -> None:
    request, records = telemetry.logs()
    record = add_record(records, {"exception.type": "E", "nothing": None, "text": "", "list": [], "map": {}})
    record.attributes.add(key="no value at all")
    spliced(request)
    values = {attribute.key: attribute.value for attribute in record.attributes}
    assert values["nothing"] == AnyValue()
    assert values["text"].WhichOneof("value") == "string_value"
    assert values["list"].WhichOneof("value") == "array_value"
    assert values["map"].WhichOneof("value") == "kvlist_value"


JUNK = st.recursive(
    st.none() | st.text(max_size=30) | st.binary(max_size=30) | st.integers(-(2**63), 2**63 - 1) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(JUNK)
@settings(deadline=None)
def test_any_value_at_all_is_walked_without_an_error(value: Any) -> None:
    try:
        request, spans = telemetry.traces()
        put(add_exception(add_span(spans)).attributes, {"junk": value})
    except UnicodeEncodeError:
        return  # a lone surrogate: protobuf does not hold it
    spliced(request)
    ExportTraceServiceRequest.FromString(encode(request))


def test_an_event_that_is_kept_holds_nothing_planted_either() -> None:
    request = whole_span_request(error=True)
    (part,) = find(request)
    (found,) = part.errors()
    found.raw.attributes = {
        **found.raw.attributes,
        "otel_errors.event_id": EMAIL,
        "otel_errors.tag.owner": EMAIL,
        f"otel_errors.tag.{EMAIL}": "x",
        "otel_errors.mechanism": EMAIL,
        "otel_errors.error_code": EMAIL,
        "otel_errors.support_reference": EMAIL,
        "long": "x" * 1012 + " " + EMAIL,
    }
    found.raw.resource = {
        **found.raw.resource,
        "service.version": EMAIL,
        "service.namespace": EMAIL,
        "deployment.environment.name": EMAIL,
        "service.name": EMAIL,
        "telemetry.sdk.language": EMAIL,
    }
    event = normalise(found.raw)
    event.culprit = event.raise_site = f"{EMAIL} in total"
    kept = redacted_event(event, RequestRedaction(REDACTOR).text, b"k" * 32)
    text = msgspec.json.encode(kept)
    assert not [needle for needle in (*NEEDLES, b"jane.doe") if needle in text]
    assert kept.redacted > 10
    assert len(kept.event_id) == 16, "still an identity of its own"
    assert event.event_id == EMAIL, "a copy was changed"
