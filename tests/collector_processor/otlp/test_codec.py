from __future__ import annotations

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from collector_processor.otlp.codec import BadPayload, decode, encode
from collector_processor.otlp.messages import SERVICES
from tests.collector_processor.otlp import telemetry
from tests.collector_processor.otlp.telemetry import add_exception, add_span, put


def field(number: int, body: bytes) -> bytes:
    """A length-delimited protobuf field."""
    length = bytearray()
    size = len(body)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2]) + bytes(length) + bytes([size]) + body


def nested(depth: int) -> bytes:
    """A log request whose body is an array in an array in an array …"""
    value = AnyValue(string_value="x").SerializeToString()
    for _ in range(depth):
        value = field(5, field(1, value))
    return field(1, field(2, field(2, field(5, value))))


def test_values_nested_too_deep_on_the_wire_are_bad_data() -> None:
    assert encode(decode("logs", "protobuf", nested(40))) == nested(40)
    for depth in (100, 10_000):
        with pytest.raises(BadPayload, match="nested too deep"):
            decode("logs", "protobuf", nested(depth))


def test_every_cut_of_a_request_is_a_request_or_bad_data() -> None:
    request, spans = telemetry.traces()
    put(add_exception(add_span(spans)).attributes, {"map": {"list": [1, b"x", None]}})
    payload = request.SerializeToString()
    read = 0
    for end in range(len(payload)):
        try:
            decode("traces", "protobuf", payload[:end])
            read += 1
        except BadPayload:
            pass
    assert read < 5, "the outer framing tells nearly every cut"


def test_a_text_that_is_not_utf_8_is_bad_data_and_not_quoted() -> None:
    payload = telemetry.traces_with_error("ann@example.com").replace(b"ann@", b"an\xff@")
    with pytest.raises(BadPayload) as caught:
        decode("traces", "protobuf", payload)
    assert "example" not in str(caught.value)


def test_fields_of_a_newer_version_survive() -> None:
    payload = telemetry.traces_with_error() + field(15, b"new")
    assert encode(decode("traces", "protobuf", payload)) == payload


@pytest.mark.parametrize("signal", list(SERVICES))
def test_an_empty_payload_is_an_empty_request(signal: str) -> None:
    assert encode(decode(signal, "protobuf", b"")) == b""  # type: ignore[arg-type]
