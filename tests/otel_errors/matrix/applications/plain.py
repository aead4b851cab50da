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


def futures_read():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        swallowed(pool.submit(fail, "future whose result is read").result)
        pool.submit(fail, "future whose exception is read").exception()


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
        task = loop.create_task(cancelled())
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        gc.collect()

    run(main())


def task_group():
    if sys.version_info < (3, 11):
        return

    async def member():
        fail("task group")

    async def main():
        with tracer.start_as_current_span("group"):
            async with asyncio.TaskGroup() as group:
                group.create_task(member())

    swallowed(asyncio.run, main())


def task_group_in_spans():
    if sys.version_info < (3, 11):
        return

    async def member():
        with tracer.start_as_current_span("member"):
            fail("task group, seen in the member's span")

    async def main():
        with tracer.start_as_current_span("group of a member"):
            async with asyncio.TaskGroup() as group:
                group.create_task(member())

    swallowed(asyncio.run, main())


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
    with tracer.start_span("started"):
        fail("with start_span(), BaseException", base=True)


def start_span_leaving(kind):
    with tracer.start_span("left"):
        raise kind("leaving")


def generator():
    with tracer.start_span("generator"):
        yield 1


def closed_generator():
    one = generator()
    next(one)
    one.close()


def unsampled_current():
    with unsampled.start_as_current_span("outer"), unsampled.start_as_current_span("inner"):
        fail("unsampled, start_as_current_span")


def unsampled_start_span():
    with unsampled.start_span("started"):
        fail("unsampled, with start_span()")


def main():
    # Python's own handler of last resort is gone where OpenTelemetry's is on the root logger.
    logging.getLogger().addHandler(logging.StreamHandler())
    thread()
    thread_of_a_span()
    future()
    futures_read()
    event_loop(asyncio.run, "asyncio")
    import uvloop

    event_loop(uvloop.run, "uvloop")
    task_group()
    task_group_in_spans()
    one = Finalized()
    del one
    logged()
    recorded()
    for call in (nested, use_span, start_span, start_span_base, unsampled_current, unsampled_start_span):
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
