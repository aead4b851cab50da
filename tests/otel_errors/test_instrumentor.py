"""Turning the library on and off, its calls, and whose hooks are whose."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from opentelemetry import trace
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

import otel_errors
from otel_errors import active, seen
from otel_errors.instrumentor import ErrorsInstrumentor
from tests.otel_errors.in_memory import Start


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
