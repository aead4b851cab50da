"""The library in this process, with a real SDK and exporters in memory."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider, LogRecordLimits
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from otel_errors.instrumentor import ErrorsInstrumentor


@dataclass
class Telemetry:
    tracer: trace.Tracer
    unsampled: trace.Tracer
    spans: InMemorySpanExporter
    logs: InMemoryLogRecordExporter
    handler: LoggingHandler

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        return [
            (span.name, dict(event.attributes or {}))
            for span in self.spans.get_finished_spans()
            for event in span.events
            if event.name == "exception"
        ]

    @property
    def records(self) -> list[Any]:
        return [data.log_record for data in self.logs.get_finished_logs()]


Start = Callable[..., Telemetry]


def raise_it(message: str = "x") -> None:
    raise ValueError(message)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    instrumentor = ErrorsInstrumentor()
    handlers: list[logging.Handler] = []

    def go(mode: str = "", *, value_limit: int | None = None, **options: Any) -> Telemetry:
        gc.collect()  # what earlier tests of this process left behind must not tell its errors to this one
        monkeypatch.setenv("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", mode)
        spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        provider = TracerProvider(span_limits=SpanLimits(max_attribute_length=value_limit))
        provider.add_span_processor(SimpleSpanProcessor(spans))
        logger_provider = LoggerProvider(log_record_limits=LogRecordLimits(max_attribute_length=value_limit))
        logger_provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
        instrumentor.instrument(tracer_provider=provider, logger_provider=logger_provider, **options)
        handler = LoggingHandler(logger_provider=logger_provider)
        # Nor may threads that serve the whole process: receivers, exporters.
        handler.addFilter(lambda record: not record.name.startswith(("grpc", "opentelemetry", "uvicorn")))
        logging.getLogger().addHandler(handler)
        handlers.append(handler)
        unsampled = TracerProvider(sampler=ALWAYS_OFF).get_tracer("unsampled")
        return Telemetry(provider.get_tracer("t"), unsampled, spans, logs, handler)

    yield go
    for handler in handlers:
        logging.getLogger().removeHandler(handler)
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()
