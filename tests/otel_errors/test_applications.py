"""Whole applications under ``opentelemetry-instrument``: spans, logging, modes, servers, switches."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.otel_errors.conftest import INSTRUMENT, Run, environment
from tests.otel_errors.receiver import Receiver

NESTED = """
    from opentelemetry import trace
    tracer = trace.get_tracer("t")
    def load():
        raise LookupError("no such article")
    try:
        with tracer.start_as_current_span("outer"):
            with tracer.start_as_current_span("middle"):
                with tracer.start_as_current_span("inner"):
                    load()
    except LookupError:
        print("handled")
"""


def test_nested_spans_are_one_error_on_the_innermost(run: Run, receiver: Receiver) -> None:
    assert run(NESTED).out == "handled\n"
    record = receiver.one()
    assert (record.signal, record.span_name, record.name) == ("span_event", "inner", "exception")
    assert record.attributes["otel_errors.mechanism"] == "span"
    assert record.attributes["otel_errors.handled"] is False
    assert record.attributes["exception.escaped"] == "False"
    # No frame of the SDK or contextlib in front of the application's.
    assert record.attributes["exception.stacktrace"].splitlines()[1].strip().startswith('File "')
    assert "app.py" in record.attributes["exception.stacktrace"].splitlines()[1]


def test_mode_logs_is_one_log_record_with_the_context_of_the_span(run: Run, receiver: Receiver) -> None:
    run(NESTED, OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN="logs")
    record = receiver.one()
    inner = receiver.span("inner")
    assert (record.signal, record.severity) == ("log", 17)
    assert (record.trace_id, record.span_id) == (inner.trace_id, inner.span_id)


def test_mode_logs_dup_is_both_with_one_event_id(run: Run, receiver: Receiver) -> None:
    run(NESTED, OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN="logs/dup")
    event, log = receiver.errors
    assert (event.signal, log.signal) == ("span_event", "log")
    assert event.event_id == log.event_id != ""
    assert (event.trace_id, event.span_id) == (log.trace_id, log.span_id)
    for key in ("exception.type", "exception.message", "exception.stacktrace", "otel_errors.handled"):
        assert event.attributes[key] == log.attributes[key]


def test_an_unsampled_error_is_one_log_record_with_the_ids_of_its_span(run: Run, receiver: Receiver) -> None:
    done = run(
        """
        from opentelemetry import trace
        tracer = trace.get_tracer("t")
        try:
            with tracer.start_as_current_span("outer"):
                with tracer.start_as_current_span("inner") as span:
                    context = span.get_span_context()
                    print(f"{context.trace_id:032x} {context.span_id:016x}")
                    raise LookupError("unsampled")
        except LookupError:
            pass
        """,
        OTEL_TRACES_SAMPLER="always_off",
    )
    record = receiver.one()
    assert record.signal == "log"
    assert f"{record.trace_id} {record.span_id}" == done.out.strip()


def test_raised_logged_and_raised_again_is_one_error(run: Run, receiver: Receiver) -> None:
    run("""
        import logging
        from opentelemetry import trace
        def load():
            try:
                raise LookupError("first")
            except LookupError:
                logging.getLogger("shop").exception("cannot load")
                raise
        try:
            with trace.get_tracer("t").start_as_current_span("request"):
                load()
        except LookupError:
            logging.getLogger("shop").exception("gave up")
    """)
    event, first, second = receiver.errors
    assert (event.signal, first.signal, second.signal) == ("span_event", "log", "log")
    assert event.event_id == first.event_id == second.event_id != ""
    assert [first.body, second.body] == ["cannot load", "gave up"]
    assert first.attributes["otel_errors.mechanism"] == "logging"
    assert first.attributes["otel_errors.handled"] is True
    assert first.attributes["exception.type"] == event.attributes["exception.type"] == "LookupError"
    # The span was gone by then.
    assert (second.trace_id, second.span_id) == (event.trace_id, event.span_id)


def test_handled_with_tags_and_user_and_a_message(run: Run, receiver: Receiver) -> None:
    done = run(
        """
        import otel_errors
        otel_errors.set_user("u-17")
        otel_errors.set_tag("plan", "pro")
        try:
            raise ValueError("declined")
        except ValueError as error:
            first = otel_errors.capture_exception(tags={"card": "visa"}, severity="low")
            assert otel_errors.capture_exception(error) == first
        with otel_errors.scope():
            otel_errors.set_user(None)
            otel_errors.set_tag("step", "two")
            second = otel_errors.capture_message("stock is below zero", severity="critical")
        print(first, second, otel_errors.flush(5))
        """,
        OTEL_ERRORS_SEND_USER="true",
    )
    assert done.err == ""
    first, second, flushed = done.out.split()
    assert flushed == "True"
    error, message = receiver.errors
    assert (error.event_id, message.event_id) == (first, second)
    assert error.attributes["user.id"] == "u-17"
    assert error.attributes["otel_errors.tag.plan"] == "pro"
    assert error.attributes["otel_errors.tag.card"] == "visa"
    assert error.attributes["otel_errors.handled"] is True
    assert (error.attributes["otel_errors.severity"], error.severity) == ("low", 13)
    assert message.attributes["exception.message"] == "stock is below zero"
    assert "exception.type" not in message.attributes
    assert "user.id" not in message.attributes
    assert message.attributes["otel_errors.tag.step"] == "two"
    assert (message.attributes["otel_errors.severity"], message.severity) == ("critical", 21)


UNPRINTABLE = """
    import logging, sys, threading, otel_errors
    class Broken(Exception):
        def __str__(self):
            raise RuntimeError("no text")
        __repr__ = __str__
    def work():
        raise Broken("x")
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    try:
        raise Broken(Broken())
    except Broken:
        otel_errors.capture_exception()
    raise Broken("end")
"""


def test_exceptions_whose_str_raises(run: Run, receiver: Receiver) -> None:
    done = run(UNPRINTABLE)
    assert [record.attributes["exception.type"] for record in receiver.errors] == ["__main__.Broken"] * 3
    assert {record.attributes["exception.message"] for record in receiver.errors} == {"<unprintable Broken object>"}
    without = run(UNPRINTABLE, plain=True)
    assert (done.code, done.out) == (without.code, without.out) == (1, "")
    # The class may be printed with or without module: on 3.10 a backport of groups, imported by others, takes part.
    assert done.err.splitlines()[-1].endswith("Broken: <exception str() failed>")
    assert without.err.splitlines()[-1].endswith("Broken: <exception str() failed>")


@pytest.mark.parametrize(
    "off", [{"OTEL_ERRORS_ENABLED": "false"}, {"OTEL_SDK_DISABLED": "true"}], ids=lambda off: next(iter(off))
)
def test_switched_off(run: Run, receiver: Receiver, off: dict[str, str]) -> None:
    code = """
        import otel_errors
        print(otel_errors.capture_message("x"), otel_errors.capture_exception(ValueError()))
        from opentelemetry import trace
        try:
            with trace.get_tracer("t").start_as_current_span("s"):
                raise ValueError("plain")
        except ValueError:
            pass
        raise ValueError("end")
    """
    done = run(code, **off)
    assert done.out == "None None\n"
    assert done.err.splitlines()[-1] == "ValueError: end"
    assert "otel_errors" not in done.err
    # The SDK's own event stays what it is.
    assert [record.event_id for record in receiver.errors] == ([""] if "OTEL_ERRORS_ENABLED" in off else [])


SERVER = """
    import sys
    import uvicorn
    from fastapi import FastAPI, HTTPException
    from opentelemetry import trace
    app = FastAPI()
    @app.get("/fail")
    async def fail():
        with trace.get_tracer("shop").start_as_current_span("load"):
            raise LookupError("no such article")
    @app.get("/missing")
    async def missing():
        raise HTTPException(404)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, loop=sys.argv[2])
"""


@pytest.mark.parametrize(("sampler", "loop"), [("always_on", "uvloop"), ("always_off", "asyncio")])
def test_an_unhandled_error_of_a_request(receiver: Receiver, tmp_path: Path, sampler: str, loop: str) -> None:
    """FastAPI under uvicorn, which logs the same exception once more when the span is gone."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = tmp_path / "server.py"
    script.write_text(textwrap.dedent(SERVER), encoding="utf-8")
    extra = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "exceptions"}
    server = subprocess.Popen(
        [INSTRUMENT, sys.executable, str(script), str(port), loop],
        env=environment(receiver.port, extra),
        stderr=subprocess.DEVNULL,
    )
    try:
        assert _status(f"http://127.0.0.1:{port}/missing") == 404
        assert _status(f"http://127.0.0.1:{port}/fail") == 500
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=20)
    assert {record.attributes["exception.message"] for record in receiver.errors} == {"no such article"}
    assert len({record.event_id for record in receiver.errors}) == 1
    first, logged = receiver.errors
    assert first.event_id
    assert first.signal == ("span_event" if sampler == "always_on" else "log")
    assert first.attributes["otel_errors.handled"] is False
    assert logged.scope == "uvicorn.error"
    assert (logged.trace_id, logged.span_id) == (first.trace_id, first.span_id)
    assert first.trace_id


def _status(url: str) -> int:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_logs_wanted_and_no_logger_provider_is_said_once(run: Run, receiver: Receiver) -> None:
    done = run(
        """
        import otel_errors
        from opentelemetry.sdk.trace import TracerProvider
        from otel_errors.instrumentor import ErrorsInstrumentor
        ErrorsInstrumentor().instrument()
        for number in range(3):
            try:
                with TracerProvider().get_tracer("t").start_as_current_span("s"):
                    raise ValueError(number)
            except ValueError as error:
                print(otel_errors.capture_exception(error) is not None)
        raise ValueError("end")
        """,
        plain=True,
        OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN="logs",
    )
    assert done.out == "True\n" * 3
    assert done.err.count("no logger provider is configured") == 1
    assert done.err.count("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN") == 1
    assert done.code == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_reports_for_itself(run: Run, receiver: Receiver) -> None:
    done = run("""
        import os, otel_errors
        error = ValueError("shared")
        first = otel_errors.capture_exception(error)
        child = os.fork()
        second = otel_errors.capture_exception(error)
        if child == 0:
            os._exit(0 if second not in (None, first) and otel_errors.flush(5) else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), first == second)
    """)
    assert done.out == "0 True\n", done.err
    assert len(receiver.errors) == 2
