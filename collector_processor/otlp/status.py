"""Outcome → what the wire says. One table, both protocols.

| outcome         | gRPC                                      | HTTP                           | the client  |
|-----------------|-------------------------------------------|--------------------------------|-------------|
| Accepted        | OK, ``partial_success`` when there is one | 200, the same message          | is done     |
| Retry           | UNAVAILABLE and RetryInfo                 | 503 (429) and ``Retry-After``  | sends again |
| BadData         | INVALID_ARGUMENT                          | 400                            | drops       |
| TooLarge        | RESOURCE_EXHAUSTED, no RetryInfo          | 413                            | drops       |
| Unauthenticated | UNAUTHENTICATED                           | 401                            | drops       |
| Forbidden       | PERMISSION_DENIED                         | 403                            | drops       |

UNKNOWN, INTERNAL and 500 are not in it: clients drop data on those, and nothing that goes wrong in here is a reason
to drop data. RetryInfo travels twice over gRPC, in ``grpc-status-details-bin`` (the specification) and as the trailer
``google.rpc.retryinfo-bin`` (the one the Python exporter reads). Source: OTLP specification 1.11, "Failures" and
"OTLP/HTTP Response"; HTTP error bodies are ``google.rpc.Status`` in the encoding of the request.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import grpc
from google.protobuf import any_pb2, duration_pb2, json_format
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from collector_processor.otlp.exchange import (
    Accepted,
    BadData,
    Encoding,
    Forbidden,
    Outcome,
    Refusal,
    Retry,
    TelemetrySignal,
    TooLarge,
    Unauthenticated,
)
from collector_processor.otlp.messages import SERVICES

CONTENT_TYPES: dict[Encoding, str] = {"protobuf": "application/x-protobuf", "json": "application/json"}

MAX_REASON_BYTES = 1000
"""Trailers hold the reason twice, percent-encoded and in base64, and clients refuse more than 8 KiB of them."""
MAX_PARTIAL_MESSAGE_BYTES = 64 * 1024
"""Far below the 4 MiB that a response may have."""
MAX_RETRY_SECONDS = 300.0


class GrpcStatus(NamedTuple):
    """How a gRPC call ends without a response."""

    code: grpc.StatusCode
    details: str
    trailers: tuple[tuple[str, bytes], ...]


class HttpAnswer(NamedTuple):
    """Status, headers (names in lower case) and body of an HTTP response."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


def success_message(signal: TelemetrySignal, outcome: Accepted) -> Message:
    """The export response; ``partial_success`` stays unset on a full success, as the specification asks."""
    service = SERVICES[signal]
    response: Any = service.response()
    if outcome.rejected or outcome.message:
        setattr(response.partial_success, service.rejected_field, min(max(outcome.rejected, 0), 2**63 - 1))
        response.partial_success.error_message = bounded(outcome.message, MAX_PARTIAL_MESSAGE_BYTES)
    return response  # type: ignore[no-any-return]


def to_grpc(outcome: Refusal) -> GrpcStatus:
    """Code, details and trailers of a call that failed."""
    status = _rpc_status(outcome)
    trailers = [("grpc-status-details-bin", status.SerializeToString())]
    if isinstance(outcome, Retry):
        trailers.append(("google.rpc.retryinfo-bin", _retry_info(outcome).SerializeToString()))
    return GrpcStatus(_GRPC_CODES[type(outcome)][0], status.message, tuple(trailers))


def to_http(signal: TelemetrySignal, outcome: Outcome, encoding: Encoding) -> HttpAnswer:
    """The whole HTTP response in the encoding of the request."""
    message = success_message(signal, outcome) if isinstance(outcome, Accepted) else _rpc_status(outcome)
    body = message.SerializeToString() if encoding == "protobuf" else _json(message)
    headers = [(b"content-type", CONTENT_TYPES[encoding].encode())]
    if isinstance(outcome, Retry):
        # Whole seconds are what every client understands; zero would ask for a storm.
        headers.append((b"retry-after", str(max(1, math.ceil(retry_seconds(outcome)))).encode()))
    if isinstance(outcome, Unauthenticated):
        headers.append((b"www-authenticate", b"Bearer"))
    status = 429 if isinstance(outcome, Retry) and outcome.too_many else _HTTP_STATUS[type(outcome)]
    return HttpAnswer(status, tuple(headers), body)


def retry_seconds(outcome: Retry) -> float:
    """The delay as sent: finite, not negative, at most five minutes."""
    delay = outcome.delay_seconds
    return min(max(delay, 0.0), MAX_RETRY_SECONDS) if math.isfinite(delay) else MAX_RETRY_SECONDS


def bounded(text: str, max_bytes: int) -> str:
    """``text`` as valid Unicode without control characters, cut to ``max_bytes`` of UTF-8."""
    clean = "".join(character if character.isprintable() else " " for character in text[:max_bytes])
    return clean.encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")


_GRPC_CODES: dict[type, tuple[grpc.StatusCode, int]] = {
    Retry: (grpc.StatusCode.UNAVAILABLE, code_pb2.UNAVAILABLE),
    BadData: (grpc.StatusCode.INVALID_ARGUMENT, code_pb2.INVALID_ARGUMENT),
    TooLarge: (grpc.StatusCode.RESOURCE_EXHAUSTED, code_pb2.RESOURCE_EXHAUSTED),
    Unauthenticated: (grpc.StatusCode.UNAUTHENTICATED, code_pb2.UNAUTHENTICATED),
    Forbidden: (grpc.StatusCode.PERMISSION_DENIED, code_pb2.PERMISSION_DENIED),
}
_HTTP_STATUS: dict[type, int] = {
    Accepted: 200,
    Retry: 503,
    BadData: 400,
    TooLarge: 413,
    Unauthenticated: 401,
    Forbidden: 403,
}


def _rpc_status(outcome: Refusal) -> status_pb2.Status:
    status = status_pb2.Status(
        code=_GRPC_CODES[type(outcome)][1], message=bounded(outcome.reason, MAX_REASON_BYTES) or "no reason given"
    )
    if isinstance(outcome, Retry):
        detail = any_pb2.Any()
        detail.Pack(_retry_info(outcome))
        status.details.append(detail)
    return status


def _retry_info(outcome: Retry) -> error_details_pb2.RetryInfo:
    nanos = round(retry_seconds(outcome) * 1e9)
    delay = duration_pb2.Duration(seconds=nanos // 10**9, nanos=nanos % 10**9)
    return error_details_pb2.RetryInfo(retry_delay=delay)


def _json(message: Message) -> bytes:
    # Neither of these messages holds an id, the one thing that this printer gets wrong for OTLP.
    return json_format.MessageToJson(message, indent=None).encode()
