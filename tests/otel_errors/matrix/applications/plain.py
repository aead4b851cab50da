"""Threads, executors, event loops, finalizers, child processes, spans, logging; at last the end of the process."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import logging
import multiprocessing
import os
import sys
import threading
import time

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

sys.path.insert(0, os.path.dirname(__file__))
from failing import fail

tracer = trace.get_tracer("plain")
unsampled = TracerProvider(sampler=ALWAYS_OFF).get_tracer("unsampled")


def swallowed(function, *arguments):
    try:
        function(*arguments)
    except BaseException:
        pass


def note(span):
    """For the test: the ids of a span that does not arrive."""
    context = span.get_span_context()
    with open("unsampled", "a") as notes:
        notes.write(f"{context.trace_id:032x} {context.span_id:016x}\n")


def thread():
    one = threading.Thread(target=fail, args=("thread",))
    one.start()
    one.join()


def thread_of_a_span():
    with tracer.start_as_current_span("parent of a thread"):
        one = threading.Thread(target=fail, args=("thread of a span",))
        one.start()
        one.join()


def future():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(fail, "future never read")
        pool.submit(gc.collect)


def future_of_a_span():
    with tracer.start_as_current_span("parent of a future"), concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(fail, "future of a span, never read")
        pool.submit(gc.collect)


def future_of_a_process():
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        pool.submit(fail, "process pool's future never read")


def leaving_thread():
    one = threading.Thread(target=sys.exit, args=(3,))
    one.start()
    one.join()


def futures_read():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        busy = pool.submit(time.sleep, 0.05)
        pool.submit(fail, "future that is cancelled").cancel()
        busy.result()
        swallowed(pool.submit(fail, "future whose result is read").result)
        pool.submit(fail, "future whose exception is read").exception()


async def rounds():
    """A few of the loop; not a time, which would have another thing run first now and then."""
    for _ in range(4):
        await asyncio.sleep(0)


def event_loop(run, name):
    async def never_awaited():
        fail(f"task never awaited, {name}")

    async def cancelled():
        with tracer.start_as_current_span("waiting"):
            await asyncio.sleep(60)

    async def main():
        loop = asyncio.get_running_loop()
        loop.create_task(never_awaited())  # noqa: RUF006
        loop.call_soon(fail, f"callback, {name}")
        await rounds()
        loop.set_exception_handler(lambda loop, situation: print("handled", name, flush=True))
        loop.call_soon(fail, f"callback, own exception handler, {name}")
        await rounds()
        loop.set_exception_handler(lambda loop, situation: fail(f"exception handler that raises, {name}"))
        loop.call_exception_handler({"message": "to be handled"})
        loop.set_exception_handler(None)
        task = loop.create_task(cancelled())
        await rounds()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        gc.collect()

    run(main())


def task_group(run, name, in_member):
    if sys.version_info < (3, 11):
        return

    async def member():
        if in_member:
            with tracer.start_as_current_span(f"member, {name}"):
                fail(f"member of a task group, {name}")
        fail(f"task group, {name}")

    async def main():
        with tracer.start_as_current_span("group of a member" if in_member else f"group, {name}"):
            async with asyncio.TaskGroup() as group:
                group.create_task(member())

    swallowed(run, main())


class Finalized:
    def __del__(self):
        fail("finalizer")


def child(method):
    one = multiprocessing.get_context(method).Process(target=fail, args=(f"child, {method}",))
    one.start()
    one.join()


def leaving_child():
    one = multiprocessing.get_context("fork").Process(target=sys.exit, args=(3,))
    one.start()
    one.join()


def logged():
    try:
        fail("logging")
    except Exception:
        logging.getLogger("shop").exception("cannot sell")


def logged_in_a_span():
    with tracer.start_as_current_span("logged"):
        try:
            fail("logging in a span")
        except Exception:
            logging.getLogger("shop").error("cannot sell", exc_info=True)


def recorded():
    with tracer.start_as_current_span("recorded") as span:
        try:
            fail("record_exception")
        except Exception as error:
            span.record_exception(error)


def nested():
    with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner"):
        fail("start_as_current_span")


def use_span():
    with trace.use_span(tracer.start_span("used"), end_on_exit=True):
        fail("use_span")


def start_span():
    with tracer.start_span("started"):
        fail("with start_span()")


def start_span_base():
    with tracer.start_span("started, BaseException"):
        fail("with start_span(), BaseException", base=True)


def start_span_leaving(kind):
    with tracer.start_span(f"left by {kind.__name__}"):
        raise kind(f"{kind.__name__} through a span")


def generator():
    with tracer.start_span("generator"):
        yield 1


def closed_generator():
    one = generator()
    next(one)
    one.close()


def unsampled_current():
    with unsampled.start_as_current_span("outer"), unsampled.start_as_current_span("inner") as span:
        note(span)
        fail("unsampled, start_as_current_span")


def unsampled_use_span():
    span = unsampled.start_span("used")
    note(span)
    with trace.use_span(span, end_on_exit=True):
        fail("unsampled, use_span")


def unsampled_recorded():
    with unsampled.start_as_current_span("recorded") as span:
        note(span)
        try:
            fail("unsampled, record_exception")
        except Exception as error:
            span.record_exception(error)


def unsampled_start_span():
    with unsampled.start_span("started") as span:
        note(span)
        fail("unsampled, with start_span()")


def main():
    # Python's own handler of last resort is gone where OpenTelemetry's is on the root logger.
    logging.getLogger().addHandler(logging.StreamHandler())
    thread()
    thread_of_a_span()
    leaving_thread()
    future()
    future_of_a_span()
    future_of_a_process()
    futures_read()
    import uvloop

    for run, name in ((asyncio.run, "asyncio"), (uvloop.run, "uvloop")):
        swallowed(event_loop, run, name)
        task_group(run, name, in_member=False)
        task_group(run, name, in_member=True)
    one = Finalized()
    del one
    logged()
    logged_in_a_span()
    recorded()
    unsampled_recorded()
    for call in (nested, use_span, start_span, start_span_base):
        swallowed(call)
    for call in (unsampled_current, unsampled_use_span, unsampled_start_span):
        swallowed(call)
    for kind in (KeyboardInterrupt, SystemExit, GeneratorExit):
        swallowed(start_span_leaving, kind)
    closed_generator()
    for method in os.environ.get("METHODS", "fork,spawn,forkserver").split(","):
        child(method)
    leaving_child()
    time.sleep(0)
    print("at the end", flush=True)
    fail("process end")


if __name__ == "__main__":
    main()
