"""OpenTelemetry's configuration file (``OTEL_CONFIG_FILE``), read by the real package under the real
``opentelemetry-instrument``."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from otel_errors import configuration_file
from otel_errors.instrumentor import ErrorsConfiguration
from tests.otel_errors.conftest import Run
from tests.otel_errors.receiver import Receiver

SDK = """
file_format: "1.0"
resource:
  attributes:
    - {name: service.name, value: shop}
  detection/development:
    detectors:
      - otel_errors:
tracer_provider:
  processors:
    - batch: {exporter: {otlp_grpc: {endpoint: "http://127.0.0.1:PORT", tls: {insecure: true}}}}
logger_provider:
  processors:
    - batch: {exporter: {otlp_grpc: {endpoint: "http://127.0.0.1:PORT", tls: {insecure: true}}}}
"""

CODE = """
    import otel_errors
    class OutOfStock(Exception):
        pass
    def charge(amount):
        with otel_errors.scope():
            otel_errors.set_user("u-17")
            otel_errors.capture_exception(ValueError("declined"))
            raise ValueError("end")
    from opentelemetry import trace
    try:
        with trace.get_tracer("t").start_as_current_span("s"):
            raise OutOfStock("bread")
    except OutOfStock:
        pass
    charge(3)
"""


def configuration(folder: Path, port: int, section: str) -> str:
    text = SDK.replace("PORT", str(port))
    if section:
        python = textwrap.indent(textwrap.dedent(section).strip(), "    ")
        text += f"instrumentation/development:\n  python:\n{python}\n"
    path = folder / "otel.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_settings_of_its_section(run: Run, receiver: Receiver, tmp_path: Path) -> None:
    section = """
        otel_errors:
          send_user: true
          locals: true
          source_lines: 1
          not_errors: [__main__.OutOfStock]
    """
    file = configuration(tmp_path, receiver.port, section)
    # The file wins over the variable, as it does for the SDK.
    done = run(CODE, OTEL_CONFIG_FILE=file, OTEL_ERRORS_SEND_USER="false", GITHUB_SHA="0a1b")
    assert done.err.splitlines()[-1] == "ValueError: end"
    assert "otel_errors:" not in done.err
    assert {record.attributes["exception.message"] for record in receiver.errors} == {"declined", "end"}
    end = next(record for record in receiver.errors if record.attributes["exception.message"] == "end")
    assert end.attributes["user.id"] == "u-17"
    assert json.loads(end.attributes["otel_errors.frames"])[0]["locals"] == {"amount": 3}
    assert end.resource["vcs.ref.head.revision"] == "0a1b"
    assert "vcs.ref.head.revision" not in end.attributes


def test_off_by_the_file(run: Run, receiver: Receiver, tmp_path: Path) -> None:
    """The package leaves us alone, and ``opentelemetry-instrument`` instruments everything after it."""
    done = run(CODE, OTEL_CONFIG_FILE=configuration(tmp_path, receiver.port, "otel_errors: {enabled: false}"))
    assert done.err.splitlines()[-1] == "ValueError: end"
    assert [record.event_id for record in receiver.errors] == [""], "the SDK's own span event"


@pytest.mark.parametrize(
    ("section", "options", "problem"),
    [
        ("", {}, ""),
        ("other: {a: 1}", {}, ""),
        ("otel_errors: {}", {}, ""),
        ("otel_errors: {max_per_second: 7}", {"max_per_second": 7}, ""),
        ('otel_errors: {send_user: "${WISH}"}', {"send_user": "pseudonym"}, ""),
        ("otel_errors: {}\nfile_format: [", {}, "OTEL_CONFIG_FILE: "),
        (
            "otel_errors: {sample_rat: 0.5, source_lines: many}",
            {"source_lines": "many"},
            "OTEL_CONFIG_FILE: instrumentation/development.python.otel_errors: 'sample_rat': no such setting; ",
        ),
    ],
)
def test_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: str, options: dict[str, object], problem: str
) -> None:
    monkeypatch.setenv("WISH", "pseudonym")
    monkeypatch.setenv("OTEL_CONFIG_FILE", configuration(tmp_path, 4317, section))
    found, problems = configuration_file.options(ErrorsConfiguration)
    assert found == options
    assert [one.startswith(problem) for one in problems] == ([True] if problem else [])


def test_without_a_file_nothing_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_CONFIG_FILE", raising=False)
    assert configuration_file.options(ErrorsConfiguration) == ({}, [])
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(tmp_path / "gone.yaml"))
    found, problems = configuration_file.options(ErrorsConfiguration)
    assert found == {}
    assert len(problems) == 1
