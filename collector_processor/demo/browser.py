"""The shop's web page as the processor hears it: errors of ``shop-web`` as OTLP/HTTP JSON, as a browser's SDK sends."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from random import Random
from typing import Any

ORIGIN = "https://shop.example"
RETRYABLE = frozenset({429, 502, 503, 504})
RETRY_FOR_SECONDS = 60.0


class SendError(Exception):
    """The processor did not take a browser's telemetry."""


def web_total(random: Random) -> tuple[str, dict[str, Any]]:
    """A span of a click with an exception event: path and OTLP/JSON body."""
    stack = (
        "TypeError: Cannot read properties of undefined (reading 'price')\n"
        f"    at lineTotal ({ORIGIN}/assets/basket.js:88:31)\n"
        "    at Array.map (<anonymous>)\n"
        f"    at basketTotal ({ORIGIN}/assets/basket.js:97:22)\n"
        f"    at HTMLButtonElement.onCheckoutClick ({ORIGIN}/assets/checkout.js:41:17)"
    )
    now = time.time_ns()
    span = {
        "traceId": f"{random.getrandbits(128) | 1:032x}",
        "spanId": f"{random.getrandbits(64) | 1:016x}",
        "name": "click",
        "kind": 1,
        "startTimeUnixNano": str(now - 40_000_000),
        "endTimeUnixNano": str(now),
        "attributes": _attributes(
            {"event_type": "click", "target_xpath": "//button[@id='checkout']", "url.path": "/basket"}
        ),
        "events": [
            {
                "timeUnixNano": str(now - 1_000_000),
                "name": "exception",
                "attributes": _attributes(
                    {
                        "exception.type": "TypeError",
                        "exception.message": "Cannot read properties of undefined (reading 'price')",
                        "exception.stacktrace": stack,
                    }
                ),
            }
        ],
        "status": {"code": 2, "message": "TypeError: Cannot read properties of undefined (reading 'price')"},
    }
    scope = {"name": "@opentelemetry/instrumentation-user-interaction", "version": "0.46.0"}
    return "/v1/traces", {
        "resourceSpans": [{"resource": _resource(), "scopeSpans": [{"scope": scope, "spans": [span]}]}]
    }


def web_chunk(random: Random) -> tuple[str, dict[str, Any]]:
    """A log record of a rejected promise, outside any trace: path and OTLP/JSON body."""
    chunk = random.randrange(100, 999)
    message = f"Loading chunk {chunk} failed. (error: {ORIGIN}/assets/{chunk}.js)"
    stack = (
        f"ChunkLoadError: {message}\n"
        f"    at loadChunk ({ORIGIN}/assets/runtime.js:142:19)\n"
        f"    at async openReviews ({ORIGIN}/assets/product.js:203:5)"
    )
    now = time.time_ns()
    record = {
        "timeUnixNano": str(now),
        "observedTimeUnixNano": str(now),
        "severityNumber": 17,
        "severityText": "ERROR",
        "eventName": "exception",
        "attributes": [
            *_attributes(
                {"exception.type": "ChunkLoadError", "exception.message": message, "exception.stacktrace": stack}
            ),
            {"key": "otel_errors.handled", "value": {"boolValue": False}},
        ],
    }
    scope = {"name": "shop-web/unhandledrejection", "version": "3.8.1"}
    return "/v1/logs", {
        "resourceLogs": [{"resource": _resource(), "scopeLogs": [{"scope": scope, "logRecords": [record]}]}]
    }


PAGES: dict[str, Callable[[Random], tuple[str, dict[str, Any]]]] = {"web-total": web_total, "web-chunk": web_chunk}


def send(otlp_http: str, path: str, body: dict[str, Any]) -> None:
    """POST to the processor. What OTLP calls retryable, and a processor that is away, is retried for a minute."""
    request = urllib.request.Request(otlp_http + path, data=json.dumps(body).encode(), method="POST")  # noqa: S310 - loopback
    request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + RETRY_FOR_SECONDS
    while True:
        try:
            with opener.open(request, timeout=10) as response:
                response.read()
            return
        except urllib.error.HTTPError as error:
            reason = f"{error.code}: {error.read(500).decode(errors='replace')}"
            if error.code not in RETRYABLE or time.monotonic() > deadline:
                raise SendError(f"{otlp_http}{path} answered {reason}") from None
        except OSError as error:
            if time.monotonic() > deadline:
                raise SendError(f"{otlp_http}{path} cannot be reached: {error}") from None
        time.sleep(0.2)


def _resource() -> dict[str, Any]:
    return {
        "attributes": _attributes(
            {
                "service.name": "shop-web",
                "service.namespace": "shop",
                "service.version": "3.8.1",
                "deployment.environment.name": "demo",
                "telemetry.sdk.language": "webjs",
            }
        )
    }


def _attributes(values: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]
