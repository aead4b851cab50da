"""An instrumented FastAPI application that answers requests in its own process: what ``capture_request`` measures.

``python -m benchmarks.request_application REQUESTS with|without``: the library's instrumentor is on or not.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult


class Nowhere(SpanExporter):
    """Everything of the SDK but the sending."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def application() -> FastAPI:
    """Its one endpoint makes a span of its own, as code with a call to a database does."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Nowhere()))
    trace.set_tracer_provider(provider)
    tracer = trace.get_tracer("shop")
    app = FastAPI()

    @app.get("/orders/{number}")
    async def order(number: int) -> dict[str, Any]:
        with tracer.start_as_current_span("select order"):
            return {"number": number, "lines": [{"article": "A-1", "amount": 2}]}

    FastAPIInstrumentor.instrument_app(app)
    return app


async def serve(app: FastAPI, requests: int) -> None:
    """One request after the other, in the form that an ASGI server hands them over."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/orders/4711",
        "raw_path": b"/orders/4711",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"shop"), (b"user-agent", b"benchmark")],
        "client": ("127.0.0.1", 4711),
        "server": ("127.0.0.1", 80),
    }
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    for _ in range(requests):
        await app({**scope}, receive, send)
    assert statuses == [200] * requests, statuses


def main(arguments: list[str]) -> int:
    requests, instrumentor = int(arguments[0]), arguments[1]
    app = application()
    if instrumentor == "with":
        from otel_errors.instrumentor import ErrorsInstrumentor

        ErrorsInstrumentor().instrument()
    gc.disable()  # when it runs depends on what was allocated before, not on the request
    asyncio.run(serve(app, requests))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
