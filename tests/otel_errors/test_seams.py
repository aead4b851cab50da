"""Spans and log records: which errors get onto them, and with what."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from typing import Any

import pytest
import wrapt
from opentelemetry import trace
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk._logs import LoggingHandler as SdkLoggingHandler
from starlette.exceptions import HTTPException

import otel_errors
from otel_errors import active
from otel_errors.instrumentor import ErrorsInstrumentor
from tests.otel_errors.in_memory import Start, raise_it


def test_explicit_recording_is_handled_and_its_attributes_win(start: Start) -> None:
    telemetry = start()
    with telemetry.tracer.start_as_current_span("s") as span:
        try:
            raise ValueError("x")
        except ValueError as error:
            span.record_exception(error, {"exception.message": "mine", "shop.id": 7}, 1234)
            span.record_exception(error)
    ((name, attributes),) = telemetry.events
    assert name == "s"
    assert attributes["otel_errors.handled"] is True
    assert attributes["otel_errors.mechanism"] == "record_exception"
    assert (attributes["exception.message"], attributes["shop.id"]) == ("mine", 7)
    assert telemetry.spans.get_finished_spans()[0].events[0].timestamp == 1234
    assert telemetry.records == []


def test_what_was_recorded_as_handled_and_raised_again_is_unhandled_and_still_one_error(start: Start) -> None:
    telemetry = start()

    def work() -> None:
        try:
            raise_it()
        except ValueError as error:
            trace.get_current_span().record_exception(error)
            raise

    with (
        pytest.raises(ValueError, match="x"),
        telemetry.tracer.start_as_current_span("outer"),
        telemetry.tracer.start_as_current_span("inner"),
    ):
        work()
    ((name, event),) = telemetry.events
    (record,) = telemetry.records
    assert name == "inner"
    assert (event["otel_errors.handled"], record.attributes["otel_errors.handled"]) == (True, False)
    assert event["otel_errors.event_id"] == record.attributes["otel_errors.event_id"]
    assert record.span_id == telemetry.spans.get_finished_spans()[0].get_span_context().span_id


def test_the_sdks_own_logging_handler(start: Start) -> None:
    telemetry = start()
    provider = active.instrumented().logger_provider  # type: ignore[union-attr]
    with pytest.warns(DeprecationWarning, match="LoggingHandler"):
        handler = SdkLoggingHandler(logger_provider=provider)
    logger = logging.getLogger("shop.sdk")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        raise_it()
    except ValueError as error:
        logger.exception("failed")
        event_id = otel_errors.capture_exception(error)
    assert [record.attributes["otel_errors.event_id"] for record in telemetry.records] == [event_id]


def test_the_names_and_types_of_the_attributes(start: Start) -> None:
    telemetry = start()
    with otel_errors.scope():
        otel_errors.set_tag("a", "b")
        with pytest.raises(ValueError, match="x"), telemetry.tracer.start_as_current_span("s"):
            raise_it()
    ((_, attributes),) = telemetry.events
    assert {key: type(value).__name__ for key, value in attributes.items()} == {
        "exception.type": "str",
        "exception.message": "str",
        "exception.stacktrace": "str",
        "exception.escaped": "str",
        "otel_errors.event_id": "str",
        "otel_errors.handled": "bool",
        "otel_errors.mechanism": "str",
        "otel_errors.support_reference": "str",
        "otel_errors.tag.a": "str",
        "thread.id": "int",
        "thread.name": "str",
        "code.function.name": "str",
        "code.file.path": "str",
        "code.line.number": "int",
    }


def test_start_span_as_context_manager(start: Start) -> None:
    telemetry = start()
    with pytest.raises(ValueError, match="x"), telemetry.tracer.start_span("s"):
        raise ValueError("x")
    with pytest.raises(KeyboardInterrupt), telemetry.tracer.start_span("leaving"):
        raise KeyboardInterrupt
    ((name, attributes),) = telemetry.events
    assert (name, attributes["exception.escaped"], attributes["otel_errors.handled"]) == ("s", "True", False)


def test_a_framework_answer_that_passes_a_span_is_not_an_error_unless_recorded_on_purpose(start: Start) -> None:
    telemetry = start()
    with pytest.raises(HTTPException), telemetry.tracer.start_as_current_span("passes"):
        raise HTTPException(404)
    assert telemetry.events == []
    with telemetry.tracer.start_as_current_span("on purpose") as span:
        span.record_exception(HTTPException(404))
    assert [name for name, _ in telemetry.events] == ["on purpose"]


def test_a_span_that_has_ended_leads_to_a_log_record(start: Start) -> None:
    telemetry = start()
    span = telemetry.tracer.start_span("early")
    with pytest.raises(ValueError, match="late"), trace.use_span(span):  # noqa: PT012 - the order is the test
        span.end()
        raise_it("late")
    (record,) = telemetry.records
    assert record.attributes["exception.message"] == "late"
    assert (record.trace_id, record.span_id) == (span.get_span_context().trace_id, span.get_span_context().span_id)
    assert record.attributes["otel_errors.handled"] is False


class NoText(Exception):
    def __str__(self) -> str:
        raise TypeError("no text")


@pytest.mark.parametrize("mode", ["", "logs"])
@pytest.mark.parametrize("how", ["start_as_current_span", "start_span"])
def test_an_exception_without_text_leaves_a_span_as_itself(mode: str, how: str, start: Start) -> None:
    """The SDK would raise what its ``str()`` raised in its place, and leave the span open."""
    telemetry = start(mode)
    error = NoText()
    with pytest.raises(NoText) as info, getattr(telemetry.tracer, how)("s"):
        raise error
    assert info.value is error
    assert error.__context__ is None
    (span,) = telemetry.spans.get_finished_spans()
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.status.description == f"{__name__}.NoText"
    assert len(telemetry.events) + len(telemetry.records) == 1
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_use_span_that_must_not_record_is_obeyed(start: Start) -> None:
    telemetry = start()
    span = telemetry.unsampled.start_span("s")
    with pytest.raises(ValueError, match="x"), trace.use_span(span, record_exception=False):
        raise ValueError("x")
    assert telemetry.records == []


def test_unsampled_recording_on_purpose(start: Start) -> None:
    telemetry = start()
    with telemetry.unsampled.start_as_current_span("s") as span:
        span.record_exception(ValueError("x"))
    (record,) = telemetry.records
    assert record.span_id == span.get_span_context().span_id
    assert record.attributes["otel_errors.handled"] is True


async def test_use_span_still_decorates(start: Start) -> None:
    telemetry = start()

    @telemetry.unsampled.start_as_current_span("sync")
    def one() -> None:
        raise ValueError("sync")

    @telemetry.unsampled.start_as_current_span("async")
    async def two() -> None:
        raise ValueError("async")

    span = trace.NonRecordingSpan(trace.INVALID_SPAN_CONTEXT)

    @trace.use_span(span)
    def three() -> str:
        return "works"

    with pytest.raises(ValueError, match="sync"):
        one()
    with pytest.raises(ValueError, match="async"):
        await two()
    assert three() == "works"
    assert [record.attributes["exception.message"] for record in telemetry.records] == ["sync", "async"]


def test_the_applications_traceback_has_no_frame_of_ours(start: Start) -> None:
    telemetry = start()
    for tracer in (telemetry.tracer, telemetry.unsampled):
        with pytest.raises(ValueError, match="x") as info, tracer.start_as_current_span("s"):
            raise ValueError("x")
        files = [entry.path for entry in info.traceback]
        assert not [file for file in files if "otel_errors/" in str(file) and "tests" not in str(file)]


def test_another_tools_wrapper_of_record_exception_is_still_called(start: Start) -> None:
    calls = []

    def other(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        calls.append(kwargs["attributes"])
        return wrapped(*args, **kwargs)

    original = sdk_trace.Span.record_exception
    wrapt.wrap_function_wrapper(sdk_trace, "Span.record_exception", other)
    try:
        telemetry = start()
        with pytest.raises(ValueError, match="x"), telemetry.tracer.start_as_current_span("s"):
            raise ValueError("x")
        ErrorsInstrumentor().uninstrument()
    finally:
        sdk_trace.Span.record_exception = original  # type: ignore[method-assign]
    ((_, attributes),) = telemetry.events
    assert len(calls) == 1
    assert calls[0]["otel_errors.event_id"] == attributes["otel_errors.event_id"]


@pytest.mark.parametrize("mode", ["", "logs"])
def test_the_limit_of_the_sdk_cuts_nothing_of_ours(start: Start, mode: str) -> None:
    telemetry = start(mode, value_limit=400)

    def down(depth: int) -> None:
        if depth == 0:
            raise ValueError("at the bottom")
        over(depth)

    def over(depth: int) -> None:
        down(depth - 1)

    with pytest.raises(ValueError, match="bottom"), telemetry.tracer.start_as_current_span("s"):
        down(20)
    attributes = telemetry.records[0].attributes if mode else telemetry.events[0][1]
    assert len(attributes["exception.stacktrace"]) <= 400
    assert attributes["exception.stacktrace"].endswith("ValueError: at the bottom\n")


def test_the_applications_own_log_lines_do_not_change(start: Start) -> None:
    telemetry = start()

    class Json(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return json.dumps(sorted(vars(record)))

    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(Json())
    logger = logging.getLogger("shop.lines")
    logger.addHandler(handler)
    try:
        raise LookupError("x", 2)
    except LookupError:
        logger.exception("failed", extra={"order": 7, "otel_errors.tag.a": "mine"})
    logger.removeHandler(handler)
    assert not [key for key in json.loads(out.getvalue()) if key.startswith(("otel_errors.event", "exception."))]
    (record,) = telemetry.records
    assert record.body == "failed"
    assert record.attributes["order"] == 7
    assert record.attributes["otel_errors.tag.a"] == "mine"
    assert record.attributes["otel_errors.mechanism"] == "logging"
    assert record.attributes["exception.message"] == "('x', 2)"
    assert "LookupError: ('x', 2)" in record.attributes["exception.stacktrace"]


def test_a_logged_exception_whose_argument_has_no_text_does_not_break_the_logger(start: Start) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    telemetry = start()
    try:
        raise ValueError(Broken())
    except ValueError:
        logging.getLogger("shop").exception("failed")
    assert [record.body for record in telemetry.records] == ["failed"]


def test_a_record_that_is_not_exported_does_not_hide_the_error(start: Start) -> None:
    telemetry = start()
    telemetry.handler.setLevel(logging.CRITICAL)

    def log_and_raise() -> None:
        try:
            raise ValueError("x")
        except ValueError:
            logging.getLogger("shop").error("below the level", exc_info=True)
            raise

    with pytest.raises(ValueError, match="x"), telemetry.tracer.start_as_current_span("s"):
        log_and_raise()
    assert telemetry.records == []
    assert telemetry.events[0][1]["otel_errors.mechanism"] == "span"


def test_records_without_an_exception_stay_as_they_are(start: Start) -> None:
    telemetry = start()
    logging.getLogger("shop").error("plain")
    logging.getLogger("shop").error("no exception is handled", exc_info=True)
    try:
        raise asyncio.CancelledError
    except asyncio.CancelledError:
        logging.getLogger("shop").error("cancelled", exc_info=True)
    assert [[key for key in record.attributes if key.startswith("otel_errors")] for record in telemetry.records] == [
        []
    ] * 3
