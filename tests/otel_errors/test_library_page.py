"""``docs/library.md``: every example of it is run as it stands there, its tables are complete."""

from __future__ import annotations

import dataclasses
import hmac
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_errors import config, hooks, release, semconv
from otel_errors.hooks import server_loggers
from otel_errors.instrumentor import ErrorsConfiguration
from tests.otel_errors.conftest import INSTRUMENT, environment
from tests.otel_errors.receiver import Receiver

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:^`(?P<file>[\w.]+)`:\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(found["file"], found["language"], found["text"]) for found in BLOCK.finditer(PAGE)]
FILES = {file: text for file, _, text in BLOCKS if file}

PRELUDE = """
import logging
from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider

sent = InMemoryLogRecordExporter()
logs = LoggerProvider()
logs.add_log_record_processor(SimpleLogRecordProcessor(sent))
set_logger_provider(logs)
trace.set_tracer_provider(TracerProvider())
"""
AFTERWARDS = """
ErrorsInstrumentor().instrument(before_send=before_send)
otel_errors.capture_message("Ann was here")
assert otel_errors.capture_exception(OutOfStock("not sent")) is None
ErrorsInstrumentor().uninstrument()

attributes = [dict(one.log_record.attributes) for one in sent.get_finished_logs()]
messages = [one["exception.message"] for one in attributes]
assert messages == ["'bread'", "the cart is empty", "no address for bread", "no address for milk", "… was here"]
assert attributes[0]["otel_errors.event_id"] == event_id and attributes[0]["otel_errors.handled"] is True
assert attributes[1]["otel_errors.tag.plan"] == "pro" and "user.id" not in attributes[1]
assert attributes[1]["otel_errors.context.cart"] == '{"items": 3}'
assert attributes[1]["otel_errors.feature_flag.checkout"] == "new"
assert [one["otel_errors.tag.item"] for one in attributes[2:4]] == ["bread", "milk"]
assert "otel_errors.tag.plan" not in attributes[4]
print("done")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def plain_environment(**more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTEST_", "PYTHON"))}
    return {**kept, **more}


def finished(command: list[str], folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_every_block_is_of_a_kind_that_is_run() -> None:
    kinds = [(language, bool(file)) for file, language, _ in BLOCKS]
    assert set(kinds) == {("console", False), ("python", False), ("python", True), ("yaml", True), ("json", False)}
    assert set(FILES) == {"shop.py", "otel.yaml", "conftest.py", "test_shop.py"}
    assert PAGE.count("\n```") == 2 * len(BLOCKS)


def test_the_pieces_in_their_order(folder: Path) -> None:
    pieces = [text for file, language, text in BLOCKS if language == "python" and not file]
    (folder / "guide.py").write_text(PRELUDE + "\n".join(pieces) + AFTERWARDS, encoding="utf-8")
    done = finished([sys.executable, "guide.py"], folder, plain_environment())
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr
    assert "otel_errors:" not in done.stderr


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


def exported_by_the_page() -> dict[str, str]:
    lines = [line for _, language, text in BLOCKS if language == "console" for line in text.splitlines()]
    pairs = [pair for line in lines if line.startswith("export ") for pair in line.removeprefix("export ").split()]
    return dict(pair.split("=", 1) for pair in pairs)


def test_the_start_of_the_page(folder: Path, receiver: Receiver) -> None:
    """The shop, with the variables that the page exports: by the detector the commit is on the resource, and then the
    records need not say it."""
    env = environment(receiver.port, exported_by_the_page())
    env["GITHUB_SHA"] = "0a1b2c"
    env["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{receiver.port}"
    env["OTEL_ERRORS_LOCALS"] = "true"
    done = finished([INSTRUMENT, sys.executable, "shop.py"], folder, env)
    assert done.stderr.splitlines()[-1].endswith("OutOfStock: no bread"), done.stderr
    declined, stock, end = receiver.errors
    assert declined.attributes["exception.message"] == "1250 were declined"
    assert declined.attributes["otel_errors.tag.plan"] == "pro"
    assert declined.attributes["otel_errors.tag.provider"] == "acme"
    assert "user.id" not in declined.attributes
    frame = json.loads(declined.attributes["otel_errors.frames"])[0]
    assert frame["locals"] == {"card": "declined", "amount": 1250}
    assert stock.attributes["exception.message"] == "stock is below zero"
    assert (end.attributes["otel_errors.mechanism"], end.severity) == ("excepthook", 21)
    assert (end.resource["service.version"], end.resource["vcs.ref.head.revision"]) == ("1.4.2", "0a1b2c")
    assert "vcs.ref.head.revision" not in end.attributes


def test_the_configuration_file(folder: Path, receiver: Receiver) -> None:
    file = folder / "otel.yaml"
    file.write_text(FILES["otel.yaml"].replace("localhost:4317", f"127.0.0.1:{receiver.port}"), encoding="utf-8")
    key = "0123456789abcdef"
    env = environment(receiver.port, {"OTEL_CONFIG_FILE": str(file), "USER_KEY": key, "GIT_COMMIT": "0a1b2c"})
    done = finished([INSTRUMENT, sys.executable, "shop.py"], folder, env)
    assert done.stderr.splitlines()[-1].endswith("OutOfStock: no bread"), done.stderr
    declined, stock = receiver.errors
    assert declined.attributes["user.hash"] == hmac.new(key.encode(), b"4711", "sha256").hexdigest()[:16]
    assert declined.resource["vcs.ref.head.revision"] == "0a1b2c"
    assert stock.attributes["exception.message"] == "stock is below zero"


def test_the_tests_of_the_page(folder: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    done = finished(command, folder, plain_environment())
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_json_is_json() -> None:
    frames, records = (json.loads(text) for _, language, text in BLOCKS if language == "json")
    assert list(frames[0]) == ["function", "file", "line", "locals", "source"]
    assert list(records[0]) == ["time", "level", "logger", "message"]


def test_every_setting_and_option_is_in_the_table() -> None:
    rows = re.findall(r"^\| `(OTEL_ERRORS_\w+)` \| `(\w+)` \|", PAGE, re.MULTILINE)
    assert {name for name, _ in rows} == config.NAMES
    assert {option for _, option in rows} == {field.name for field in dataclasses.fields(ErrorsConfiguration)}
    assert all(name == f"OTEL_ERRORS_{option.upper()}" for name, option in rows)


def test_every_variable_of_builds_is_there_in_its_order() -> None:
    for key, names in (
        (semconv.SERVICE_VERSION, release.VERSION_VARIABLES),
        (semconv.VCS_REF_HEAD_REVISION, release.REVISION_VARIABLES),
        (semconv.DEPLOYMENT_ENVIRONMENT_NAME, release.ENVIRONMENT_VARIABLES),
    ):
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{key}` |"))
        assert tuple(re.findall(r"`([A-Z0-9_]+)`", row.partition(";")[0])) == names


def test_every_mechanism_of_a_hook_is_in_the_table() -> None:
    named = {getattr(hook, "MECHANISM", None) for hook in vars(hooks).values()} - {None}
    named |= set(server_loggers.LOGGERS.values())
    assert len(named) >= 10
    assert [name for name in sorted(named) if f"`{name}`" not in PAGE] == []


def test_every_attribute_is_there() -> None:
    named = {value for name, value in vars(semconv).items() if name.isupper() and isinstance(value, str)}
    ours = {value for value in named if value.startswith("otel_errors.")} - semconv.COMPUTED_BY_PROCESSOR
    ours -= {semconv.FINGERPRINT_CLIENT}
    assert [value for value in sorted(ours) if f"`{value}" not in PAGE] == []
