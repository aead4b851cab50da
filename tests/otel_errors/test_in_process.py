"""The instrumentor with a real SDK and exporters in memory: seams, attributes, restoring."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop
import wrapt
from opentelemetry import trace
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk._logs import LoggerProvider, LogRecordLimits
from opentelemetry.sdk._logs import LoggingHandler as SdkLoggingHandler
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from starlette.exceptions import HTTPException

import otel_errors
from otel_errors import active, seen
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
        monkeypatch.setenv("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", mode)
        spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        provider = TracerProvider(span_limits=SpanLimits(max_attribute_length=value_limit))
        provider.add_span_processor(SimpleSpanProcessor(spans))
        logger_provider = LoggerProvider(log_record_limits=LogRecordLimits(max_attribute_length=value_limit))
        logger_provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
        instrumentor.instrument(tracer_provider=provider, logger_provider=logger_provider, **options)
        handler = LoggingHandler(logger_provider=logger_provider)
        logging.getLogger().addHandler(handler)
        handlers.append(handler)
        unsampled = TracerProvider(sampler=ALWAYS_OFF).get_tracer("unsampled")
        return Telemetry(provider.get_tracer("t"), unsampled, spans, logs, handler)

    yield go
    for handler in handlers:
        logging.getLogger().removeHandler(handler)
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()


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


def test_what_an_exporter_logs_during_a_flush_is_not_queued_for_it(start: Start) -> None:
    telemetry = start()

    class Complaining(SimpleLogRecordProcessor):
        def force_flush(self, timeout_millis: int = 30000) -> bool:
            logging.getLogger("exporter").error("retrying")
            return True

    provider = active.instrumented().logger_provider  # type: ignore[union-attr]
    provider.add_log_record_processor(Complaining(InMemoryLogRecordExporter()))  # type: ignore[union-attr]
    assert otel_errors.flush(5)
    assert telemetry.records == []
    logging.getLogger("exporter").error("later")
    assert [record.body for record in telemetry.records] == ["later"]


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
    assert (record.trace_id, record.span_id) == (span.get_span_context().trace_id, span.get_span_context().span_id)
    assert record.attributes["otel_errors.handled"] is False


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


def test_suppressed_instrumentation_is_respected(start: Start) -> None:
    telemetry = start()
    with suppress_instrumentation(), telemetry.tracer.start_as_current_span("s") as span:
        span.record_exception(ValueError("x"))
        assert otel_errors.capture_exception(ValueError("y")) is None
    assert telemetry.events[0][1].keys() >= {"exception.type"}
    assert "otel_errors.event_id" not in telemetry.events[0][1]


def test_capture_goes_onto_the_current_span_and_the_user_stays_here(start: Start) -> None:
    telemetry = start()
    with otel_errors.scope(), telemetry.tracer.start_as_current_span("s"):
        otel_errors.set_user("u-1")
        event_id = otel_errors.capture_exception(ValueError("x"), handled=False)
        message_id = otel_errors.capture_message("low stock")
    (_, first), (_, second) = telemetry.events
    assert (first["otel_errors.event_id"], second["otel_errors.event_id"]) == (event_id, message_id)
    assert first["otel_errors.handled"] is False
    assert "user.id" not in first
    assert telemetry.records == []


@pytest.mark.parametrize(
    "call",
    [
        lambda: otel_errors.capture_exception("not an exception"),  # type: ignore[arg-type]
        lambda: otel_errors.capture_exception(),
        lambda: otel_errors.capture_message(""),
    ],
)
def test_nothing_to_record(start: Start, call: Callable[[], str | None]) -> None:
    telemetry = start()
    assert call() is None
    assert telemetry.records == []


def test_a_wrong_severity_or_tags_do_not_raise(start: Start) -> None:
    telemetry = start()
    assert otel_errors.capture_exception(ValueError("x"), severity="urgent")  # type: ignore[arg-type]
    assert otel_errors.capture_exception(ValueError("x"), tags=17)  # type: ignore[arg-type]
    assert [("otel_errors.severity" in record.attributes) for record in telemetry.records] == [False, False]


def test_a_failure_of_the_exporting_side_does_not_reach_the_application(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry = start()

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("exporter")

    monkeypatch.setattr("opentelemetry.sdk._logs._internal.Logger.emit", broken)
    error = ValueError("x")
    assert otel_errors.capture_exception(error) is None
    monkeypatch.undo()
    # It was not recorded, so it is not counted as seen.
    assert otel_errors.capture_exception(error) is not None
    assert len(telemetry.records) == 1


PLACES: list[tuple[Any, str]] = [
    (sys, "excepthook"),
    (sys, "unraisablehook"),
    (threading, "excepthook"),
    (trace, "use_span"),
    (trace.NonRecordingSpan, "record_exception"),
    (sdk_trace.Span, "record_exception"),
    (asyncio.BaseEventLoop, "call_exception_handler"),
    (uvloop.Loop, "call_exception_handler"),
    (LoggingHandler, "emit"),
]


def _state() -> list[tuple[str, object]]:
    return [(name, vars(owner).get(name, "inherited")) for owner, name in PLACES]


def test_uninstrument_restores_everything_and_again(start: Start) -> None:
    before = _state()
    for _ in range(2):
        start()
        assert [one for one, other in zip(_state(), before, strict=True) if one[1] is other[1]] == []
        ErrorsInstrumentor().uninstrument()
        assert [one for one, other in zip(_state(), before, strict=True) if one[1] is not other[1]] == []
    assert active.instrumented() is None
    assert seen.seen.held == 0


def test_a_hook_that_is_buried_passes_through_and_is_not_installed_twice(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    monkeypatch.setattr(threading, "excepthook", lambda args: calls.append("old"))
    start()
    ours = threading.excepthook

    def theirs(args: threading.ExceptHookArgs) -> None:
        calls.append("theirs")
        ours(args)

    threading.excepthook = theirs
    ErrorsInstrumentor().uninstrument()
    telemetry = start()
    threading.excepthook(threading.ExceptHookArgs((ValueError, ValueError("x"), None, None)))
    assert calls == ["theirs", "old"]
    assert len(telemetry.records) == 1
    threading.excepthook = ours
    ErrorsInstrumentor().uninstrument()


def test_off_by_variable_installs_nothing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_ERRORS_ENABLED", "false")
    before = _state()
    start()
    assert _state() == before


def test_a_second_construction_changes_nothing(start: Start) -> None:
    telemetry = start()
    ErrorsInstrumentor()
    assert ErrorsInstrumentor().is_instrumented_by_opentelemetry
    assert otel_errors.capture_exception(ValueError("x"))
    assert len(telemetry.records) == 1


def test_instrumenting_never_raises(monkeypatch: pytest.MonkeyPatch, start: Start) -> None:
    monkeypatch.setattr("otel_errors.config.load", lambda *args: 1 / 0)
    ErrorsInstrumentor().instrument()
    assert active.instrumented() is None
    ErrorsInstrumentor().uninstrument()


def test_the_hooks_of_process_threads_and_tasks_are_contribs_where_it_is_active(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    exceptions = pytest.importorskip("opentelemetry.instrumentation.exceptions")
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    telemetry = start()
    theirs = exceptions.UnhandledExceptionInstrumentor()
    theirs.instrument(logger_provider=LoggerProvider())
    try:
        threading.excepthook(threading.ExceptHookArgs((ValueError, ValueError("x"), None, None)))
        assert telemetry.records == []
    finally:
        theirs.uninstrument()
    threading.excepthook(threading.ExceptHookArgs((ValueError, ValueError("x"), None, None)))
    assert len(telemetry.records) == 1


async def test_scope_and_trace_of_a_task_are_its_own(start: Start) -> None:
    """Where Python tells a task's context (3.12); before, no trace and no user rather than somebody else's."""
    telemetry = start(send_user=True)

    async def fail() -> None:
        otel_errors.set_user("of the task")
        raise ValueError("x")

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    with otel_errors.scope():
        otel_errors.set_user("somebody else")
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, situation: None)
        loop.call_exception_handler({"message": "x", "exception": task.exception(), "task": task})
    (record,) = telemetry.records
    expected = "of the task" if sys.version_info >= (3, 12) else None
    assert record.attributes.get("user.id") == expected
