from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_errors.external_reporting import BadDsn, apply_dsn, exporter_variables
from tests.otel_errors.conftest import INSTRUMENT
from tests.receivers import otlp_receiver

KEY = "k-1+/="
QUOTED = "k-1%2B%2F%3D"


@pytest.mark.parametrize(
    ("dsn", "endpoint", "protocol", "key"),
    [
        ("http://k@localhost", "http://localhost:4317", "grpc", "k"),
        ("https://k@errors.example", "https://errors.example:443", "grpc", "k"),
        (" https://k@errors.example:4317/ ", "https://errors.example:4317", "grpc", "k"),
        ("http://k@errors.example:4318", "http://errors.example:4318", "http/protobuf", "k"),
        ("https://k@errors.example/otlp/", "https://errors.example/otlp", "http/protobuf", "k"),
        ("http://[::1]:4317", "http://[::1]:4317", "grpc", None),
        (f"HTTP://{QUOTED}@ERRORS.example:9", "http://errors.example:9", "grpc", QUOTED),
    ],
)
def test_what_a_dsn_says(dsn: str, endpoint: str, protocol: str, key: str | None) -> None:
    assert exporter_variables(dsn) == {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        **({} if key is None else {"OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{key}"}),
    }


@pytest.mark.parametrize(
    "dsn",
    [
        "sesame",
        "errors.example:4317",
        "ftp://sesame@errors.example",
        "https://sesame@",
        "https://sesame@errors.example:0",
        "https://sesame@errors.example:99999",
        "https://sesame@[::1",
        "https://sesame:word@errors.example",
        "https://sesame%0d%0aX-Other:1@errors.example",
        "https://sesame%20open@errors.example",
        "https://sesame@errors.example/?x=1",
        "https://sesame@errors.example/#1",
        "https://sesame\x00@errors.example",
    ],
)
def test_a_bad_one_is_named_without_its_key_and_changes_nothing(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"EXTERNAL_REPORTING_DSN": dsn}
    assert apply_dsn(environment) == "bad"
    assert environment == {"EXTERNAL_REPORTING_DSN": dsn}
    said = capsys.readouterr().err
    assert "EXTERNAL_REPORTING_DSN: " in said
    assert "sesame" not in said


@settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.text() | st.from_regex(r"https?://[^/]*@?[^/]*(:[0-9]*)?/?.*", fullmatch=True))
def test_whatever_is_in_it_the_header_is_one_header(dsn: str) -> None:
    try:
        variables = exporter_variables(dsn)
    except BadDsn:
        return
    header = variables.get("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20")
    assert header.isascii()
    assert header.isprintable()
    assert "," not in header
    assert header.count("=") == 1


@pytest.mark.parametrize(
    ("more", "arguments", "outcome"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317"}, [], "configured"),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://collector:4317"}, [], "configured"),
        ({}, ["--exporter_otlp_endpoint", "http://collector:4317", "python"], "configured"),
        ({}, ["--exporter_otlp_traces_endpoint=http://collector:4317", "python"], "configured"),
        ({"ENABLE_EXTERNAL_REPORTING": "False"}, [], "off"),
        ({"EXTERNAL_REPORTING_DSN": " "}, [], "unset"),
    ],
)
def test_what_is_configured_stays_and_never_gets_the_key(
    more: dict[str, str], arguments: list[str], outcome: str
) -> None:
    environment = {"EXTERNAL_REPORTING_DSN": "https://sesame@errors.example", **more}
    before = dict(environment)
    assert apply_dsn(environment, arguments) == outcome
    assert environment == before


def test_headers_and_protocol_that_are_set_stay() -> None:
    environment = {
        "EXTERNAL_REPORTING_DSN": "https://sesame@errors.example",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=shop,",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    }
    assert apply_dsn(environment) == "applied"
    assert environment["OTEL_EXPORTER_OTLP_HEADERS"] == "x-tenant=shop,authorization=Bearer%20sesame"
    assert environment["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/protobuf"
    environment = {
        "EXTERNAL_REPORTING_DSN": "https://sesame@errors.example",
        "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Basic%20abc",
    }
    assert apply_dsn(environment) == "applied"
    assert environment["OTEL_EXPORTER_OTLP_HEADERS"] == "Authorization=Basic%20abc"


# --- applications, as children ---

FAILING = """
    from otel_errors.app_errors import InternalServerError
    from otel_errors.handler import ErrorHandler
    from otel_errors.logger import setup_logger

    handler = ErrorHandler(setup_logger("shop"))
    with handler.catch():
        raise InternalServerError("ledger is off")
"""
BY_HAND = """
    import logging
    from otel_errors.logger import setup_logger

    setup_logger("shop")

    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from otel_errors.instrumentor import ErrorsInstrumentor
    import otel_errors

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    ErrorsInstrumentor().instrument()
    setup_logger("shop")
    with trace.get_tracer("shop").start_as_current_span("order"):
        otel_errors.capture_exception(KeyError("sku"))
    provider.shutdown()
"""


class Seen:
    def __init__(self) -> None:
        self.payloads: list[tuple[str, bytes]] = []
        self.metadata: list[dict[str, str]] = []


@pytest.fixture
def seen() -> Iterator[tuple[Seen, str]]:
    seen = Seen()
    with otlp_receiver(lambda signal, payload: seen.payloads.append((signal, payload)), seen.metadata.append) as place:
        yield seen, place


def run(folder: Path, code: str, *launcher: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "app.py").write_text(dedent(code), encoding="utf-8")
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("OTEL_", "LOG_", "APP_", "EXTERNAL_", "ENABLE_"))
    }
    return subprocess.run(
        [*launcher, sys.executable, "app.py"],
        cwd=folder,
        env={**kept, "OTEL_METRICS_EXPORTER": "none", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "urllib", **variables},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_an_application_that_was_given_only_a_dsn_reports_there_with_its_key(
    tmp_path: Path, seen: tuple[Seen, str]
) -> None:
    got, place = seen
    done = run(tmp_path, FAILING, INSTRUMENT, EXTERNAL_REPORTING_DSN=f"http://{QUOTED}@{place}")
    assert done.returncode == 0, done.stderr
    assert "ledger is off" in done.stderr
    assert "EXTERNAL_REPORTING_DSN" not in done.stderr
    assert any(signal == "logs" and b"ledger is off" in payload for signal, payload in got.payloads)
    assert {metadata.get("authorization") for metadata in got.metadata} == {f"Bearer {KEY}"}


def test_an_sdk_that_is_set_up_by_hand_after_the_logger(tmp_path: Path, seen: tuple[Seen, str]) -> None:
    got, place = seen
    done = run(tmp_path, BY_HAND, EXTERNAL_REPORTING_DSN=f"http://k@{place}")
    assert done.returncode == 0, done.stderr
    assert "EXTERNAL_REPORTING_DSN" not in done.stderr
    assert any(signal == "traces" and b"KeyError" in payload for signal, payload in got.payloads)
    assert {metadata.get("authorization") for metadata in got.metadata} == {"Bearer k"}


def test_a_bad_dsn_stops_nothing(tmp_path: Path) -> None:
    exporters = {"OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
    done = run(tmp_path, FAILING, INSTRUMENT, EXTERNAL_REPORTING_DSN="https://sesame:x@errors.example", **exporters)
    assert done.returncode == 0, done.stderr
    assert "ledger is off" in done.stderr
    assert "EXTERNAL_REPORTING_DSN: a key alone" in done.stderr
    assert "sesame" not in done.stderr


def test_an_sdk_that_was_set_up_before_is_told_of(tmp_path: Path) -> None:
    code = """
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        trace.set_tracer_provider(TracerProvider())
        from otel_errors.logger import setup_logger
        setup_logger("shop").info("goes on")
        import os
        assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in os.environ
    """
    done = run(tmp_path, code, EXTERNAL_REPORTING_DSN="http://sesame@127.0.0.1:9")
    assert done.returncode == 0, done.stderr
    assert "goes on" in done.stderr
    assert "EXTERNAL_REPORTING_DSN: the OpenTelemetry SDK is set up already" in done.stderr
    assert "sesame" not in done.stderr
