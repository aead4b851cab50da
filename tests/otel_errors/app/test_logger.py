from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import otel_errors
from otel_errors.app_errors import ServiceUnavailableError
from otel_errors.handler import ErrorHandler
from otel_errors.log_lines import FIELDS, JsonLines, PlainLines
from otel_errors.logger import setup_logger
from otel_errors.seen import seen
from tests.otel_errors.in_memory import Start

NAME = "tests.set_up"


@pytest.fixture(autouse=True)
def _logger(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (
        "LOG_LEVEL",
        "LOG_FILE_PATH",
        "LOG_MAX_BYTES",
        "LOG_BACKUP_COUNT",
        "ENABLE_EXTERNAL_REPORTING",
        "EXTERNAL_REPORTING_DSN",
        "APP_ENV",
    ):
        monkeypatch.delenv(name, raising=False)
    yield
    logger = logging.getLogger(NAME)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True
    seen.clear()


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]


def test_a_json_line_has_every_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=pod-7,host.name=node%2D1")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("APP_ENV", "test")
    # Another test may have left a provider with a resource of its own.
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", None)
    telemetry = start(send_user=True)
    file = tmp_path / "logs" / "shop.jsonl"
    logger = setup_logger(NAME, console=None, file=file)
    handler = ErrorHandler(logger)
    with otel_errors.scope(), telemetry.tracer.start_as_current_span("pay") as span:
        otel_errors.set_user("u-1")
        otel_errors.set_tag("request_id", "r-1")
        otel_errors.set_tag("session_id", "s-1")
        try:
            raise ServiceUnavailableError("no route to amqp://shop:hunter2@mq/", service_name="bank")
        except ServiceUnavailableError as error:
            handled = handler.handle(error, {"order": 7, "password": "hunter2", "deep": {"token": "hunter2"}})
    [line] = lines(file)
    assert tuple(line) == FIELDS
    assert datetime.fromisoformat(line["timestamp"].replace("Z", "+00:00")).tzinfo == timezone.utc
    stack = line.pop("stack_trace")
    assert stack.startswith("Traceback")
    assert "hunter2" not in json.dumps([line, stack])
    context = span.get_span_context()
    assert {key: value for key, value in line.items() if key not in ("timestamp", "message")} == {
        "level": "CRITICAL",
        "logger": NAME,
        "service_name": "shop",
        "environment": "test",
        "host": "node-1",
        "instance_id": "pod-7",
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "request_id": "r-1",
        "user_id": "u-1",
        "session_id": "s-1",
        "error_code": "SERVICE-UNAVAILABLE",
        "event_id": handled.event_id,
        "support_reference": handled.reference,
        "exception_type": "otel_errors.app_errors.ServiceUnavailableError",
        "context": {
            "service_name": "bank",
            "order": 7,
            "password": "[redacted]",
            "deep": '{"token": "[redacted]"}',
        },
    }


def test_the_user_stays_in_the_process_unless_it_may_leave(tmp_path: Path, start: Start) -> None:
    start()
    logger = setup_logger(NAME, console=None, file=tmp_path / "a")
    with otel_errors.scope():
        otel_errors.set_user("u-1")
        logger.info("plain")
        logger.info("said here", extra={"user_id": "u-2", "color": "red"})
    assert [(line["user_id"], line["context"]) for line in lines(tmp_path / "a")] == [
        (None, {}),
        ("u-2", {"color": "red"}),
    ]


def test_the_file_is_rotated_and_old_ones_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "shop.log"
    monkeypatch.setenv("LOG_FILE_PATH", str(file))
    monkeypatch.setenv("LOG_MAX_BYTES", "2000")
    monkeypatch.setenv("LOG_BACKUP_COUNT", "2")
    logger = setup_logger(NAME, console=None)
    for number in range(60):
        logger.info("line %d", number)
    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == ["shop.log", "shop.log.1", "shop.log.2"]
    assert all(each.stat().st_size <= 2000 for each in files)
    kept = [line["message"] for each in reversed(files) for line in lines(each)]
    assert kept == [f"line {number}" for number in range(60 - len(kept), 60)]


def test_the_environment_decides_and_bad_values_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "warning")
    assert setup_logger(NAME).level == logging.WARNING
    (tmp_path / "a file").touch()
    for name, value in (
        ("LOG_LEVEL", "loud"),
        ("LOG_MAX_BYTES", "12MB"),
        ("LOG_BACKUP_COUNT", "0"),
        ("ENABLE_EXTERNAL_REPORTING", "perhaps"),
        ("LOG_FILE_PATH", str(tmp_path / "a file" / "x.log")),
    ):
        monkeypatch.setenv(name, value)
    logger = setup_logger(NAME)
    said = capsys.readouterr().err
    for name in (
        "LOG_LEVEL: 'loud'",
        "LOG_MAX_BYTES: '12MB'",
        "LOG_BACKUP_COUNT: 0",
        "ENABLE_EXTERNAL_REPORTING: 'perhaps'",
        "LOG_FILE_PATH: ",
    ):
        assert name in said
    logger.info("still said")
    assert f" INFO {NAME}: still said\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "options", "key"),
    [
        ("", {}, "name"),
        ("root", {}, "name"),
        (NAME, {"level": "loud"}, "level"),
        (NAME, {"max_bytes": 0}, "max_bytes"),
        (NAME, {"backup_count": 0}, "backup_count"),
        (NAME, {"console": "xml"}, "console"),
        (NAME, {"file_lines": None}, "file_lines"),
    ],
)
def test_bad_arguments_are_named(name: str, options: dict[str, Any], key: str) -> None:
    with pytest.raises(ValueError, match=f"^{key}: "):
        setup_logger(name, **options)


def test_setting_up_again_replaces_what_was_set_up_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root_before = list(logging.getLogger().handlers)
    other = logging.NullHandler()
    logging.getLogger(NAME).addHandler(other)
    for _ in range(3):
        logger = setup_logger(NAME, file=tmp_path / "a")
    logging.getLogger(f"{NAME}.below").warning("once")
    assert capsys.readouterr().err.count("once") == 1
    assert len(lines(tmp_path / "a")) == 1
    assert other in logger.handlers
    assert logging.getLogger().handlers == root_before
    setup_logger(NAME, console=None, file=tmp_path / "b")
    logger.warning("elsewhere")
    assert (len(lines(tmp_path / "a")), len(lines(tmp_path / "b"))) == (1, 1)


def test_opentelemetry_gets_each_record_once_unless_it_is_switched_off(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    logger = setup_logger(NAME, console=None, file=tmp_path / "a")
    telemetry = start()  # after the logger
    logger.info("said")
    try:
        raise KeyError("x")
    except KeyError:
        logger.exception("failed")
    said, failed = telemetry.records
    assert (said.body, failed.body) == ("said", "failed")
    assert lines(tmp_path / "a")[1]["event_id"] == failed.attributes["otel_errors.event_id"]
    assert lines(tmp_path / "a")[1]["support_reference"] == failed.attributes["otel_errors.support_reference"]
    monkeypatch.setenv("ENABLE_EXTERNAL_REPORTING", "false")
    setup_logger(NAME, console=None).warning("not sent")
    assert len(telemetry.records) == 2


@settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.text(), st.dictionaries(st.text(), st.text(), max_size=4))
def test_a_record_is_one_line_whatever_is_in_it(text: str, extra: dict[str, str]) -> None:
    record = logging.makeLogRecord({"msg": text, "name": text, "levelname": "INFO", "created": 0.0})
    record.__dict__.update({f"context.{key}": value for key, value in extra.items()})
    for formatter in (JsonLines(), PlainLines()):
        line = formatter.format(record)
        assert line.isprintable()
    assert json.loads(JsonLines().format(record))["logger"] == text.encode("utf-8", "replace").decode()


def test_a_stack_cannot_pass_for_another_line(tmp_path: Path) -> None:
    logger = setup_logger(NAME, console=None, file=tmp_path / "a", file_lines="plain")
    try:
        raise ValueError("x\n2026-01-01T00:00:00.000Z CRITICAL root: forged\x1b[2J")
    except ValueError:
        logger.exception("failed")
    arguments = ("one",)
    logger.info("two arguments %s %s", *arguments)
    first, *rest = (tmp_path / "a").read_text(encoding="utf-8").splitlines()
    assert first.startswith("20")
    assert all(line.startswith("  ") for line in rest[:-1])
    assert "\x1b" not in "".join(rest)
    assert rest[-1].endswith("two arguments %s %s ('one',)")


def test_what_resists_is_written_all_the_same(tmp_path: Path) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    logger = setup_logger(NAME, console=None, file=tmp_path / "a")
    logger.error(Mute(), exc_info=Mute(), extra={"odd": Mute(), "request_id": Mute()})
    logger.info("\ud800 %s", "\x00" * 5)
    logger.info("x" * 100_000)
    first, _, long = lines(tmp_path / "a")
    assert first["exception_type"].endswith("Mute")
    assert len(long["message"]) < 20_000


def test_threads_write_whole_lines_while_it_is_set_up_again(tmp_path: Path) -> None:
    logger = setup_logger(NAME, console=None, file=tmp_path / "a")

    def write() -> None:
        for number in range(50):
            logger.info("line %d", number)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        setup_logger(NAME, console=None, file=tmp_path / "a")
    for thread in threads:
        thread.join(60)
    assert len(lines(tmp_path / "a")) == 200
