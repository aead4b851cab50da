"""Ends of the process, of threads, of tasks, and finalizers."""

from __future__ import annotations

import pytest

from tests.otel_errors.conftest import Run
from tests.otel_errors.receiver import Receiver

FATAL, ERROR = 21, 17


def test_an_uncaught_exception_is_one_fatal_log_record(run: Run, receiver: Receiver) -> None:
    code = """
        def charge(card):
            raise ValueError(f"cannot charge {card}")
        print("before")
        charge("card-1")
    """
    done = run(code)
    record = receiver.one()
    assert (record.signal, record.name, record.severity) == ("log", "exception", FATAL)
    assert record.time > 0
    assert record.trace_id == ""
    assert record.attributes["exception.type"] == "ValueError"
    assert record.attributes["exception.message"] == "cannot charge card-1"
    assert record.attributes["exception.stacktrace"].endswith("ValueError: cannot charge card-1\n")
    assert record.attributes["otel_errors.handled"] is False
    assert record.attributes["otel_errors.mechanism"] == "excepthook"
    assert record.attributes["code.function.name"] == "__main__.charge"
    assert record.attributes["code.file.path"].endswith("app.py")
    assert record.attributes["code.line.number"] == 3
    assert record.attributes["thread.name"] == "MainThread"
    assert len(record.event_id) == 32
    assert record.scope == "otel_errors"

    without = run(code, plain=True)
    assert (done.code, done.out, done.err) == (without.code, without.out, without.err)
    assert done.code == 1


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "raise KeyboardInterrupt"])
def test_leaving_is_not_an_error(run: Run, receiver: Receiver, code: str) -> None:
    done = run(code)
    assert receiver.errors == []
    assert done.code == run(code, plain=True).code


def test_an_exception_of_a_thread(run: Run, receiver: Receiver) -> None:
    code = """
        import threading
        def work():
            raise LookupError("no stock")
        thread = threading.Thread(target=work, name="stock-keeper")
        thread.start()
        thread.join()
        print("goes on")
    """
    done = run(code)
    record = receiver.one()
    assert (record.signal, record.severity) == ("log", ERROR)
    assert record.attributes["otel_errors.mechanism"] == "threading"
    assert record.attributes["otel_errors.handled"] is False
    assert record.attributes["thread.name"] == "stock-keeper"
    assert (done.code, done.out) == (0, "goes on\n")
    assert "Exception in thread stock-keeper" in done.err


LOOPS = pytest.mark.parametrize("runner", ["asyncio.run(main())", "__import__('uvloop').run(main())"])


@LOOPS
def test_a_task_whose_exception_nobody_retrieved_is_one_error(run: Run, receiver: Receiver, runner: str) -> None:
    done = run(f"""
        import asyncio, gc
        async def fail():
            raise RuntimeError("nobody looks")
        async def main():
            asyncio.get_running_loop().create_task(fail())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            gc.collect()
        {runner}
    """)
    assert done.code == 0
    assert {record.event_id for record in receiver.errors} == {receiver.errors[0].event_id} != {""}
    # Ours, and the loop's own log line through the logging handler.
    ours, logged = sorted(receiver.errors, key=lambda record: record.scope != "otel_errors")
    assert ours.attributes["otel_errors.mechanism"] == "asyncio"
    assert ours.attributes["otel_errors.handled"] is False
    assert logged.scope == "asyncio"
    assert logged.attributes["otel_errors.mechanism"] == "asyncio"


@LOOPS
def test_a_callback_of_the_loop(run: Run, receiver: Receiver, runner: str) -> None:
    run(f"""
        import asyncio
        def tick():
            raise RuntimeError("tick")
        async def main():
            asyncio.get_running_loop().call_soon(tick)
            await asyncio.sleep(0.01)
        {runner}
    """)
    assert len({record.event_id for record in receiver.errors}) == 1
    assert "" not in {record.event_id for record in receiver.errors}


def test_cancelled_tasks_are_not_errors(run: Run, receiver: Receiver) -> None:
    done = run("""
        import asyncio
        from opentelemetry import trace
        async def wait():
            with trace.get_tracer("t").start_as_current_span("waiting"):
                await asyncio.sleep(60)
        async def main():
            task = asyncio.create_task(wait())
            await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                print("cancelled")
        asyncio.run(main())
    """)
    assert done.out == "cancelled\n", done.err
    assert receiver.errors == []
    assert receiver.span("waiting").events == []


def test_an_exception_of_a_finalizer_and_no_resurrection(run: Run, receiver: Receiver) -> None:
    done = run("""
        import weakref
        class Connection:
            def __del__(self):
                raise OSError("close failed")
        connection = Connection()
        alive = weakref.ref(connection)
        del connection
        print("gone" if alive() is None else "alive")
        import gc
        print([one for one in gc.get_objects() if type(one) is Connection])
    """)
    record = receiver.one()
    assert record.attributes["otel_errors.mechanism"] == "unraisablehook"
    assert record.severity == ERROR
    assert done.out == "gone\n[]\n"
    assert "Exception ignored in" in done.err


def test_an_uncaught_exception_that_passed_a_span_is_one_error_and_fatal(run: Run, receiver: Receiver) -> None:
    run("""
        from opentelemetry import trace
        with trace.get_tracer("t").start_as_current_span("main"):
            1 / 0
    """)
    event, log = receiver.errors
    assert event.signal == "span_event"
    assert (log.signal, log.severity) == ("log", FATAL)
    assert event.event_id == log.event_id != ""
    assert (log.trace_id, log.span_id) == (event.trace_id, event.span_id)


def test_the_hook_of_the_application_is_called(run: Run, receiver: Receiver) -> None:
    done = run("""
        import sys
        ours = sys.excepthook
        def mine(kind, error, traceback):
            print("mine", kind.__name__)
            ours(kind, error, traceback)
        sys.excepthook = mine
        raise ValueError("x")
    """)
    assert done.out == "mine ValueError\n"
    assert receiver.one().attributes["exception.type"] == "ValueError"


def test_a_receiver_that_is_not_there_does_not_hold_the_process(run: Run, receiver: Receiver) -> None:
    done = run(
        """
        import time, sys
        from otel_errors.hooks import excepthook
        begin = time.monotonic()
        try:
            raise ValueError("x")
        except ValueError as error:
            sys.excepthook(type(error), error, error.__traceback__)
        print(time.monotonic() - begin, flush=True)
        import os
        os._exit(0)
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
    )
    assert 0 < float(done.out) < 9.0, "the exporter alone would go on trying for ten seconds"
