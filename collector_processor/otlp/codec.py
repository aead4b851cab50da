"""Payload ↔ message."""

from __future__ import annotations

from typing import cast

from google.protobuf.message import DecodeError, EncodeError

from collector_processor.otlp.exchange import Encoding, TelemetrySignal
from collector_processor.otlp.json_encoding import BadPayload, fill_from_json
from collector_processor.otlp.messages import SERVICES, ExportRequest

__all__ = ["BadPayload", "decode", "encode", "not_protobuf"]


def decode(signal: TelemetrySignal, encoding: Encoding, payload: bytes) -> ExportRequest:
    """The export request that ``payload`` holds; an empty protobuf payload is an empty request.

    Raises ``BadPayload``: its text says what is wrong and where, and quotes nothing of the payload.
    """
    message = SERVICES[signal].request()
    if encoding == "json":
        fill_from_json(message, payload)
    else:
        try:
            message.ParseFromString(payload)
        except DecodeError:
            raise not_protobuf(signal) from None
    return cast(ExportRequest, message)


def not_protobuf(signal: TelemetrySignal) -> BadPayload:
    """The error for bytes that the parser refuses; its own text is either this or less than this."""
    name = SERVICES[signal].request.DESCRIPTOR.name
    return BadPayload(f"not a protobuf {name}: cut short, nested too deep, or not UTF-8 text")


def encode(message: ExportRequest) -> bytes:
    """The protobuf form. Raises ``BadPayload`` for what cannot be put on the wire: values nested too deep."""
    try:
        return message.SerializeToString()
    except (EncodeError, ValueError):
        raise BadPayload("values are nested too deep for protobuf") from None
