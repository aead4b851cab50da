"""``otel-errors send-test``: one error through the library, as an application would send it, and its page."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector_processor.commands.configuration import load_or_exit

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVICE = "otel-errors-send-test"
SEND_SECONDS = 10
COUNTED_WITHIN_SECONDS = 15.0


class OtelErrorsTestError(Exception):
    """What ``send-test`` raises. Its issue may be resolved or ignored."""


def send_test(
    endpoint: Annotated[
        str | None,
        typer.Option(
            "--endpoint",
            metavar="URL",
            help="OTLP/gRPC to send to, such as http://127.0.0.1:4317; by default OTEL_EXPORTER_OTLP_ENDPOINT, "
            "else the address that the settings bind.",
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="YAML file of settings.")] = None,
) -> None:
    """Send one error through the library to the configured endpoint and print its page."""
    settings = load_or_exit(config)
    target = endpoint or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or f"http://{settings.otlp.grpc.bind}"
    if not target.startswith(("http://", "https://")):
        raise typer.BadParameter(f"{target!r} is not a URL: http://host:4317 or https://host:4317 is needed")
    event_id, problem = _send(target)
    if problem:
        typer.echo(f"otel-errors send-test: {problem}", err=True)
        raise typer.Exit(1)
    typer.echo(f"sent to {target}: event {event_id}")
    page = _page(f"http://{settings.api.bind}", event_id)
    if page is None:
        typer.echo(
            f"otel-errors send-test: it was taken, but http://{settings.api.bind} does not show it: does the endpoint "
            "lead to the processor whose api.bind this is?",
            err=True,
        )
        raise typer.Exit(1)
    typer.echo(page)


def _send(target: str) -> tuple[str, str]:
    """The event id and, when it was not taken, why."""
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    import otel_errors
    from otel_errors.instrumentor import ErrorsInstrumentor
    from otel_errors.version import __version__

    resource = Resource.create({"service.name": SERVICE, "service.version": __version__})
    insecure = target.startswith("http://")
    spans: Any = _Told(OTLPSpanExporter(endpoint=target, insecure=insecure, timeout=SEND_SECONDS))
    records: Any = _Told(OTLPLogExporter(endpoint=target, insecure=insecure, timeout=SEND_SECONDS))
    tracers, loggers = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    loggers.add_log_record_processor(SimpleLogRecordProcessor(records))
    instrumentor = ErrorsInstrumentor()
    instrumentor.instrument(tracer_provider=tracers, logger_provider=loggers)
    event_id = None
    sdk, last_word = logging.getLogger("opentelemetry"), _LastWord()
    sdk.addHandler(last_word)
    sdk.propagate = False
    try:
        with tracers.get_tracer(SERVICE).start_as_current_span("send-test"):
            try:
                raise OtelErrorsTestError("a test: somebody ran otel-errors send-test")
            except OtelErrorsTestError as error:
                event_id = otel_errors.capture_exception(error, severity="low")
    finally:
        instrumentor.uninstrument()
        tracers.shutdown()
        loggers.shutdown()
        sdk.removeHandler(last_word)
        sdk.propagate = True
    if event_id is None:
        return "", "the library recorded nothing: is OTEL_ERRORS_ENABLED=false or OTEL_SDK_DISABLED=true set?"
    if not (spans.taken or records.taken):
        return event_id, f"{target} did not take it; is a processor or Collector listening there? {last_word.text}"
    return event_id, ""


class _Told:
    """An exporter that remembers whether anything was taken: the SDK only logs what was not."""

    def __init__(self, exporter: Any) -> None:
        self._exporter = exporter
        self.taken = False

    def export(self, batch: Sequence[Any]) -> Any:
        result = self._exporter.export(batch)
        self.taken = self.taken or result.name == "SUCCESS"
        return result

    def shutdown(self, *arguments: Any, **options: Any) -> None:
        self._exporter.shutdown(*arguments, **options)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return bool(self._exporter.force_flush(timeout_millis))


class _LastWord(logging.Handler):
    """Keeps the SDK's last complaint: it says why nothing was taken, on its way to a log that nobody reads here."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


def _page(api: str, event_id: str) -> str | None:
    """The address of the issue's page once the event is counted; None when it does not come to be."""
    import httpx

    deadline = time.monotonic() + COUNTED_WITHIN_SECONDS
    with httpx.Client(base_url=api, timeout=5) as client:
        while time.monotonic() < deadline:
            try:
                found = client.get(f"/api/v1/events/{event_id}")
                if found.status_code == 200:
                    return str(client.get(f"/api/v1/issues/{found.json()['issue_id']}").json()["url"])
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
    return None
