"""Export requests as an SDK's batch processor sends them, encoded once and made new for each send.

A send must not be recognisable as a repetition, so every trace id, span id and number in a message is written anew into
the encoded bytes; nothing is encoded while the load runs.
"""

from __future__ import annotations

import os
import random
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

SPANS: Final = 500
"""In a request; an SDK's batch holds 512 at most, and 500 divides into percents."""
TRACE_SPANS: Final = 10
STACKS: Final = 60
FRAMES: Final = 15
MARK: Final = b"benchmark.span"
"""An attribute that every span has once and nothing else has: who counts it counts spans."""
_NUMBER: Final = 10_000_000


class FreshRequest:
    """One encoded request with ``errors`` of its spans failed; ``next()`` gives it with new ids and numbers."""

    def __init__(self, errors: int, seed: int) -> None:
        chosen = random.Random(seed)
        message, numbers = _request(errors, chosen)
        self._payload = bytearray(message.SerializeToString())
        self.spans, self.errors = SPANS, errors
        self._traces: list[list[int]] = []
        self._spans: list[list[int]] = []
        for scoped in message.resource_spans[0].scope_spans:
            for first in range(0, SPANS, TRACE_SPANS):
                spans = scoped.spans[first : first + TRACE_SPANS]
                self._traces.append(self._places(spans[0].trace_id))
                self._spans.extend(self._places(span.span_id) for span in spans)
        self._numbers = [self._places(str(number).encode()) for number in numbers]
        self._next_number = chosen.randrange(_NUMBER, 5 * _NUMBER)

    def next(self) -> bytes:
        """The request as somebody else would send it."""
        payload = self._payload
        ids = os.urandom(16 * len(self._traces) + 8 * len(self._spans))
        at = 0
        for places in self._traces:
            for place in places:
                payload[place : place + 16] = ids[at : at + 16]
            at += 16
        for places in self._spans:
            for place in places:
                payload[place : place + 8] = ids[at : at + 8]
            at += 8
        for places in self._numbers:
            number = b"%d" % self._next_number
            self._next_number += 1
            for place in places:
                payload[place : place + 8] = number
        return bytes(payload)

    def _places(self, wanted: bytes) -> list[int]:
        found, place = [], self._payload.find(wanted)
        while place >= 0:
            found.append(place)
            place = self._payload.find(wanted, place + 1)
        return found


def _request(errors: int, chosen: random.Random) -> tuple[ExportTraceServiceRequest, list[int]]:
    message = ExportTraceServiceRequest()
    sent = message.resource_spans.add()
    for key, text in (
        ("service.name", "checkout"), ("service.namespace", "shop"), ("service.version", "2.14.0"),
        ("deployment.environment.name", "production"), ("telemetry.sdk.language", "python"),
        ("telemetry.sdk.name", "opentelemetry"), ("telemetry.sdk.version", "1.45.1"), ("host.name", "node-17"),
    ):  # fmt: skip
        sent.resource.attributes.add(key=key).value.string_value = text
    scoped = sent.scope_spans.add()
    scoped.scope.name = "opentelemetry.instrumentation.fastapi"
    failing = {round(number * SPANS / errors) for number in range(errors)} if errors else set()
    numbers = [_NUMBER + number for number in range(errors)]
    left = list(numbers)
    trace_id, parent = b"", b""
    for number in range(SPANS):
        if number % TRACE_SPANS == 0:
            trace_id, parent = chosen.randbytes(16), b""
        span = scoped.spans.add(
            trace_id=trace_id,
            span_id=chosen.randbytes(8),
            parent_span_id=parent,
            name="GET /carts/{cart_id}/items",
            kind=2,
            start_time_unix_nano=1_790_000_000_000_000_000 + number,
            end_time_unix_nano=1_790_000_000_012_000_000 + number,
        )
        parent = span.span_id
        _put(span.attributes, {
            MARK.decode(): number, "http.request.method": "GET", "http.route": "/carts/{cart_id}/items",
            "url.path": f"/carts/{chosen.randrange(10**6)}/items", "url.scheme": "https", "server.port": 443,
            "server.address": "checkout.shop.internal", "http.response.status_code": 200, "user_agent.original":
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        })  # fmt: skip
        if number in failing:
            _fail(span, left.pop(0), chosen.randrange(STACKS))
    return message, numbers


def _fail(span: Any, number: int, stack: int) -> None:
    type_, text, trace = error(stack, number)
    span.status.code, span.status.message = Status.STATUS_CODE_ERROR, f"{type_}: {text}"
    event = span.events.add(name="exception", time_unix_nano=span.end_time_unix_nano - 1000)
    _put(
        event.attributes,
        {
            "exception.type": type_,
            "exception.message": text,
            "exception.stacktrace": trace,
            "exception.escaped": "False",
        },
    )


def error(stack: int, number: int) -> tuple[str, str, str]:
    """Type, message and stack text of the error ``number`` at one of ``STACKS`` places: Python, Java and JavaScript in
    turn; every second one says whom it happened to."""
    whom = f" of customer{number}@example.com" if stack % 2 else ""
    text = f"cannot settle order {number}{whom}: amount below zero"
    frames = [f"step_{stack}_{level}" for level in range(FRAMES)]
    if stack % 3 == 0:
        lines = [
            f'  File "/app/shop/orders/module_{stack % 7}.py", line {20 + 3 * level}, in {name}\n'
            f"    return self.repository.load(order, {level}, tenant)\n"
            for level, name in enumerate(frames)
        ]
        type_ = "shop.orders.SettlementError"
        return type_, text, f"Traceback (most recent call last):\n{''.join(lines)}{type_}: {text}\n"
    if stack % 3 == 1:
        type_ = "com.example.shop.orders.SettlementException"
        lines = [
            f"\tat com.example.shop.orders.OrderService{level}.{name}(OrderService{level}.java:{40 + level})\n"
            for level, name in enumerate(frames)
        ]
        return type_, text, f"{type_}: {text}\n{''.join(lines)}"
    lines = [
        f"    at Orders.{name} (/srv/shop/dist/orders/module{level % 5}.js:{100 + level}:17)\n"
        for level, name in enumerate(frames)
    ]
    return "SettlementError", text, f"SettlementError: {text}\n{''.join(lines)}"


def _put(attributes: Any, values: dict[str, str | int]) -> None:
    for key, value in values.items():
        attribute = attributes.add(key=key)
        if isinstance(value, int):
            attribute.value.int_value = value
        else:
            attribute.value.string_value = value
