"""What was logged before an error, by the same work, when asked for."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
import traceback
from typing import Any

import pytest

import otel_errors
from otel_errors.instrumentor import ErrorsInstrumentor
from otel_errors.last_log_records import MAX_CHARACTERS, MAX_MESSAGE_CHARACTERS, record_text, records_text
from otel_errors.scope import EMPTY, current_scope
from otel_errors.semconv import LAST_LOG_RECORDS
from tests.otel_errors.conftest import Run
from tests.otel_errors.in_memory import Start
from tests.otel_errors.receiver import Receiver

log = logging.getLogger("shop.before")


@pytest.fixture(autouse=True)
def _level() -> Any:
    log.setLevel(logging.INFO)
    yield
    log.setLevel(logging.NOTSET)


def messages(attributes: Any) -> list[str]:
    return [one["message"] for one in json.loads(attributes[LAST_LOG_RECORDS])]


def errors_of(telemetry: Any) -> list[dict[str, Any]]:
    found = [attributes for _, attributes in telemetry.events]
    return found + [dict(one.attributes) for one in telemetry.records if "otel_errors.event_id" in one.attributes]


@pytest.mark.parametrize("mode", ["", "logs"])
def test_the_last_ones_of_the_work_the_oldest_first(start: Start, mode: str) -> None:
    telemetry = start(mode, last_log_records=3)
    with otel_errors.scope():
        for number in range(5):
            log.info("step %d", number)
        log.debug("not let through")
        with pytest.raises(ValueError, match="x"), telemetry.tracer.start_as_current_span("s"):
            raise ValueError("x")
        try:
            raise KeyError("y")
        except KeyError:
            log.exception("the line of the error itself is not before it")
        otel_errors.capture_message("z")
    span, logged, message = sorted(
        errors_of(telemetry), key=lambda one: str(one["otel_errors.mechanism"]), reverse=True
    )
    assert messages(span) == messages(logged) == ["step 2", "step 3", "step 4"]
    assert messages(message) == ["step 3", "step 4", "the line of the error itself is not before it"]
    record = json.loads(span[LAST_LOG_RECORDS])[0]
    assert list(record) == ["time", "level", "logger", "message"]
    assert (record["level"], record["logger"]) == ("INFO", "shop.before")
    assert record["time"].endswith("Z")


def test_each_request_task_and_thread_sees_its_own(start: Start) -> None:
    telemetry = start("logs", last_log_records=10)

    def request(name: str) -> None:
        with telemetry.tracer.start_as_current_span(name):
            log.info("%s begins", name)
            with otel_errors.scope():
                log.info("%s inside", name)
                otel_errors.capture_exception(ValueError(name))

    async def task(name: str) -> None:
        log.info("%s begins", name)
        await asyncio.sleep(0)
        otel_errors.capture_exception(ValueError(name))

    async def tasks() -> None:
        await asyncio.gather(*(task(f"task {number}") for number in range(3)))

    request("first")
    request("second")
    asyncio.run(tasks())
    thread = threading.Thread(target=request, args=("thread",))
    thread.start()
    thread.join()
    found = {str(one["exception.message"]): messages(one) for one in errors_of(telemetry)}
    for name in ("first", "second", "thread"):
        assert found[name] == [f"{name} begins", f"{name} inside"]
    for number in range(3):
        assert found[f"task {number}"] == [f"task {number} begins"]


def test_an_error_that_leaves_a_scope_keeps_them(start: Start) -> None:
    telemetry = start(last_log_records=5)

    def work() -> None:
        log.info("before")
        with otel_errors.scope():
            log.info("inside")
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"), telemetry.tracer.start_as_current_span("s"):
        work()
    (attributes,) = errors_of(telemetry)
    assert messages(attributes) == ["before", "inside"]
    assert current_scope() == EMPTY


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("postgres://shop:hunter2@db/", (), "postgres://shop:[redacted]@db/"),
        ("a\nb\x1b[2J", (), "a b [2J"),
        ("%d and %d", (1,), "%d and %d (1,)"),
        ("%s", (Broken(),), "%s"),
        ("x" * 5000, (), "x" * MAX_MESSAGE_CHARACTERS + "…"),
        ("\ud800", (), "?"),
    ],
)
def test_a_record_as_text(text: str, arguments: tuple[object, ...], expected: str) -> None:
    record = logging.LogRecord("n", logging.WARNING, "f", 1, text, arguments, None)
    assert json.loads(record_text(record))["message"].startswith(expected)


def test_bounds() -> None:
    one = record_text(logging.LogRecord("n", logging.WARNING, "f", 1, "x" * 5000, (), None))
    for limit in (None, 5000, 700, 1):
        text = records_text((one,) * 100, limit)
        assert len(text) <= (MAX_CHARACTERS if limit is None else limit)
        assert text == "" or json.loads(text) == [json.loads(one)] * len(json.loads(text))
    assert len(json.loads(records_text((one,) * 100, None))) > 5


def test_off_nothing_is_installed_and_on_it_is_taken_out_again(start: Start) -> None:
    own = logging.Logger.callHandlers
    start()
    assert logging.Logger.callHandlers is own
    ErrorsInstrumentor().uninstrument()
    start(last_log_records=5)
    assert logging.Logger.callHandlers is not own
    ErrorsInstrumentor().uninstrument()
    assert logging.Logger.callHandlers is own


class Failing(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("disk full")


def test_a_handler_that_raises_raises_as_before(start: Start) -> None:
    logger = logging.getLogger("shop.failing")
    handler = Failing()
    logger.addHandler(handler)
    start(last_log_records=5)
    try:
        with pytest.raises(OSError, match="disk full") as caught:
            logger.error("x")
    finally:
        logger.removeHandler(handler)
    if sys.version_info >= (3, 11):
        assert "logged_before" not in "".join(traceback.format_tb(caught.value.__traceback__))


def test_an_application_with_basic_config(run: Run, receiver: Receiver) -> None:
    code = """
        import logging
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(filename)s:%(lineno)d %(message)s")
        quiet = logging.getLogger("quiet")
        quiet.propagate = False
        quiet.addHandler(logging.NullHandler())
        logging.info("charging %d", 1250)
        quiet.warning("low on paper")
        raise ValueError("declined")
    """
    done = run(code, OTEL_ERRORS_LAST_LOG_RECORDS="5")
    without = run(code, plain=True)
    assert (done.code, done.out, done.err) == (without.code, without.out, without.err)
    assert messages(receiver.one().attributes) == ["charging 1250", "low on paper"]
