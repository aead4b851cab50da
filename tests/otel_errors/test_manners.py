"""Whole applications that have no SDK, or other tools beside ours."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wrapt
from opentelemetry import trace
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk import trace as sdk_trace

from tests.otel_errors.conftest import Run
from tests.otel_errors.in_memory import Start
from tests.otel_errors.receiver import Receiver
from tests.otel_errors.without_sdk import python_without_an_sdk

FATAL, ERROR = 21, 17

API_ONLY = """
    import logging, sys, threading
    try:
        import opentelemetry.sdk
    except ImportError:
        print("no SDK")
    from opentelemetry import trace
    import otel_errors
    from otel_errors.instrumentor import ErrorsInstrumentor
    from otel_errors import configuration_file, instrumentor

    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    ErrorsInstrumentor().instrument(locals=True, last_log_records=5, user_key="0123456789abcdef")
    tracer = trace.get_tracer("t")
    otel_errors.set_user("u")
    otel_errors.set_feature_flag("a", True)
    with otel_errors.scope(), tracer.start_as_current_span("s"):
        otel_errors.set_tag("a", "b")
        print(otel_errors.capture_message("x"), otel_errors.capture_exception(ValueError("y")), otel_errors.flush(1))
    try:
        with tracer.start_as_current_span("s") as span:
            span.record_exception(KeyError("k"))
            raise LookupError("passes")
    except LookupError as error:
        logging.getLogger("shop").error("logged %s", error, exc_info=True)
    thread = threading.Thread(target=lambda: 1 / 0, name="worker")
    thread.start()
    thread.join()
    ErrorsInstrumentor().uninstrument()
    print(before == (sys.excepthook, threading.excepthook, sys.unraisablehook))
    ErrorsInstrumentor().instrument()
    raise ValueError("end")
"""


def test_with_the_api_alone(tmp_path: Path) -> None:
    command, environment = python_without_an_sdk(tmp_path)
    script = tmp_path / "app.py"
    script.write_text(textwrap.dedent(API_ONLY), encoding="utf-8")
    done = subprocess.run(
        [*command, str(script)], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "no SDK\nNone None False\nTrue\n", done.stderr
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert "logged passes" in lines
    assert lines[-1] == "ValueError: end"
    assert "otel_errors" not in done.stderr, "no complaint, no frame"


BESIDE_CONTRIB = """
    import asyncio, gc, sys, threading
    from opentelemetry import trace
    tracer = trace.get_tracer("t")
    def work():
        raise LookupError("thread")
    def work_in_a_span():
        with tracer.start_as_current_span("s"):
            raise LookupError("thread and span")
    async def task():
        raise LookupError("task")
    async def main():
        asyncio.create_task(task(), name="mail")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gc.collect()
    for target in (work, work_in_a_span):
        thread = threading.Thread(target=target, name="worker")
        thread.start()
        thread.join()
    asyncio.run(main())
    raise ValueError("end")
"""
IN_CODE = """
    from opentelemetry.instrumentation.exceptions import UnhandledExceptionInstrumentor
    from otel_errors.instrumentor import ErrorsInstrumentor
    for instrumentor in (UnhandledExceptionInstrumentor, ErrorsInstrumentor):
        if instrumentor().is_instrumented_by_opentelemetry:
            raise SystemExit("instrumented already")
    for instrumentor in ORDER:
        instrumentor().instrument()
"""
OTHERS = "urllib,wsgi,fastapi,flask,django,starlette,celery,grpc_server,grpc_client,grpc_aio_server,grpc_aio_client"
THEIR_SCOPE = "opentelemetry.instrumentation.exceptions"


@pytest.mark.parametrize(
    "order",
    [
        "",
        "UnhandledExceptionInstrumentor, ErrorsInstrumentor",
        "ErrorsInstrumentor, UnhandledExceptionInstrumentor",
    ],
    ids=["as it comes", "theirs first", "ours first"],
)
def test_beside_contribs_exceptions_one_record_an_error(run: Run, receiver: Receiver, order: str) -> None:
    code = BESIDE_CONTRIB if not order else IN_CODE.replace("ORDER", f"({order})") + BESIDE_CONTRIB
    off = OTHERS if not order else f"{OTHERS},otel_errors,exceptions"
    without = run(code if not order else BESIDE_CONTRIB, plain=True)
    receiver.clear()
    # Each error of a loop is logged by it, too, which is the logging instrumentation's record.
    done = run(code, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=f"{off},logging")
    assert (done.code, done.out) == (without.code, without.out)
    assert done.err.splitlines()[-1] == "ValueError: end"
    by_message: dict[str, list[tuple[str, str, int]]] = {}
    for record in receiver.errors:
        assert record.event_id, record
        assert record.attributes["otel_errors.handled"] is False
        message = record.attributes["exception.message"]
        by_message.setdefault(message, []).append((record.signal, record.scope, record.severity))
    assert by_message == {
        "thread": [("log", THEIR_SCOPE, ERROR)],
        # Already on the span, as it is without theirs.
        "thread and span": [("span_event", "t", 0)],
        "task": [("log", THEIR_SCOPE, ERROR)],
        "end": [("log", THEIR_SCOPE, FATAL)],
    }
    found = {record.attributes["exception.message"]: record for record in receiver.errors}
    assert [found[name].attributes["otel_errors.mechanism"] for name in ("thread", "task", "end")] == [
        "threading",
        "asyncio",
        "excepthook",
    ]
    assert found["thread"].attributes["thread.name"] == "worker"
    assert found["task"].attributes["otel_errors.task.name"] == "mail"
    assert (found["end"].name, found["end"].body) == ("ValueError", "end"), "their name and body"
    assert "exceptions/__init__" not in found["end"].attributes["exception.stacktrace"]


def test_an_error_on_a_span_that_ends_the_process_has_one_id_with_contribs(run: Run, receiver: Receiver) -> None:
    run(
        """
        import otel_errors
        from opentelemetry import trace
        with trace.get_tracer("t").start_as_current_span("main"):
            1 / 0
        """,
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=OTHERS,
    )
    event, log = receiver.errors
    assert (event.signal, log.signal, log.scope, log.severity) == ("span_event", "log", THEIR_SCOPE, FATAL)
    assert event.event_id == log.event_id != ""
    assert (log.trace_id, log.span_id) == (event.trace_id, event.span_id)


def test_contribs_records_pass_the_same_gate(run: Run, receiver: Receiver) -> None:
    """What is no error, and what ``before_send`` takes out, is in none of its records either."""
    run(
        """
        import threading
        import otel_errors
        from otel_errors.instrumentor import ErrorsInstrumentor
        class OutOfStock(Exception):
            pass
        def before_send(attributes, error):
            return {**attributes, "exception.message": "taken out", "exception.stacktrace": ""}
        ErrorsInstrumentor().uninstrument()
        ErrorsInstrumentor().instrument(not_errors=["__main__.OutOfStock"], before_send=before_send)
        def work(error):
            raise error
        for error in (OutOfStock("bread"), LookupError("for ann@example.com")):
            thread = threading.Thread(target=work, args=(error,))
            thread.start()
            thread.join()
        """,
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=OTHERS,
    )
    record = receiver.one()
    assert record.scope == THEIR_SCOPE
    assert record.body == record.attributes["exception.message"] == "taken out"
    assert "ann@example.com" not in str(record)


BESIDE_SENTRY = """
    import logging, sys, threading
    import sentry_sdk
    from sentry_sdk.transport import Transport
    from opentelemetry import trace
    import otel_errors
    from otel_errors.instrumentor import ErrorsInstrumentor

    class Collecting(Transport):
        events = []
        def capture_envelope(self, envelope):
            event = envelope.get_event()
            if event is not None:
                exception = event["exception"]["values"][-1]
                print("sentry", exception["type"], exception["value"], exception["mechanism"]["type"])
                functions = [frame["function"] for frame in exception["stacktrace"]["frames"]]
                modules = {frame["module"] or "" for frame in exception["stacktrace"]["frames"]}
                if any(module.startswith(("otel_errors", "wrapt")) for module in modules):
                    print("our frames", functions)

    def places():
        return [sys.excepthook, threading.excepthook, sys.unraisablehook, logging.Logger.callHandlers,
                threading.Thread.start, threading.Thread.run, trace.use_span]

    def sentry():
        sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", transport=Collecting, auto_enabling_integrations=False)

    def ours():
        ErrorsInstrumentor().instrument(last_log_records=3)

    def check(when):
        thread = threading.Thread(target=lambda: int(when), name="worker")
        thread.start()
        thread.join()
        try:
            int(f"logged {when}")
        except ValueError:
            logging.getLogger("shop").exception("cannot")
        try:
            with trace.get_tracer("t").start_as_current_span("s"):
                int(f"captured {when}")
        except ValueError as error:
            sentry_sdk.capture_exception(error)

    first, second = (sentry, ours) if sys.argv[1] == "sentry" else (ours, sentry)
    if first is sentry:
        sentry()
        before = places()
        ours()
        check("both")
        ErrorsInstrumentor().uninstrument()
        print("restored", places() == before)
    else:
        ours()
        sentry()
        check("both")
        before = sys.excepthook
        ErrorsInstrumentor().uninstrument()
        print("restored", sys.excepthook is before)
    otel_errors.flush(5)
    check("sentry alone")
    ErrorsInstrumentor().instrument()
    raise ValueError("end")
"""


@pytest.mark.parametrize("first", ["sentry", "ours"])
def test_beside_sentry_both_get_each_error_once(run: Run, receiver: Receiver, first: str) -> None:
    code = "import sys\nsys.argv.append(" + repr(first) + ")\n" + textwrap.dedent(BESIDE_SENTRY)
    done = run(code, seconds=150, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=f"{OTHERS},exceptions,otel_errors")
    assert done.err.splitlines()[-1] == "ValueError: end", done.err
    assert "otel_errors:" not in done.err
    expected = [
        line
        for when in ("both", "sentry alone")
        for line in (
            f"sentry ValueError invalid literal for int() with base 10: '{when}' threading",
            f"sentry ValueError invalid literal for int() with base 10: 'logged {when}' logging",
            f"sentry ValueError invalid literal for int() with base 10: 'captured {when}' generic",
            *(["restored True"] if when == "both" else []),
        )
    ]
    assert done.out.splitlines() == [*expected, "sentry ValueError end excepthook"]
    ours = [record for record in receiver.errors if record.event_id]
    messages = sorted(record.attributes["exception.message"].rpartition(": ")[2] for record in ours)
    assert messages == ["'both'", "'captured both'", "'logged both'", "end"]
    assert len({record.event_id for record in ours}) == 4


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (logging.Logger, "callHandlers"),
        (asyncio.BaseEventLoop, "call_exception_handler"),
        (asyncio.BaseEventLoop, "default_exception_handler"),
        (sdk_trace.Span, "record_exception"),
        (sdk_trace.Span, "__exit__"),
        (trace.Span, "__exit__"),
        (LoggingHandler, "emit"),
        (concurrent.futures.Future, "set_exception"),
        (concurrent.futures.Future, "exception"),
    ],
    ids=lambda one: one if isinstance(one, str) else one.__name__,
)
def test_what_another_tool_made_of_a_method_is_called_as_a_method(
    start: Start, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    """wrapt's wrappers, which such tools use, tell the instance from the arguments only when they are bound."""
    called: list[Any] = []

    def theirs(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        assert instance is not None
        assert not any(one is instance for one in args)
        called.append(instance)
        return None if name == "exception" else wrapped(*args, **kwargs)

    monkeypatch.setattr(owner, name, wrapt.FunctionWrapper(vars(owner)[name], theirs))
    telemetry = start(last_log_records=3)
    span = telemetry.tracer.start_span("s")
    loop = asyncio.new_event_loop()
    try:
        loop.set_exception_handler(None)
        instances: dict[Any, tuple[Any, Callable[[], Any]]] = {
            logging.Logger: (logging.getLogger("shop"), lambda: logging.getLogger("shop").error("x")),
            asyncio.BaseEventLoop: (loop, lambda: loop.call_exception_handler({"message": "m"})),
            sdk_trace.Span: (
                span,
                lambda: span.record_exception(KeyError("k")) if name[0] != "_" else span.__exit__(None, None, None),
            ),
            LoggingHandler: (
                telemetry.handler,
                lambda: telemetry.handler.emit(logging.makeLogRecord({"msg": "x", "levelno": 20})),
            ),
        }
        unsampled = trace.NonRecordingSpan(trace.INVALID_SPAN_CONTEXT)
        instances[trace.Span] = (unsampled, lambda: unsampled.__exit__(None, None, None))
        future: concurrent.futures.Future[None] = concurrent.futures.Future()
        act = (lambda: future.set_exception(KeyError("k"))) if name == "set_exception" else future.exception
        instances[concurrent.futures.Future] = (future, act)
        instance, use = instances[owner]
        use()
        future.cancel()
    finally:
        loop.close()
    assert any(one is instance for one in called)
