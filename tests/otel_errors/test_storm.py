"""Thousands of errors at once, from threads and tasks of forked processes: all arrive, each with its own context."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.otel_errors.conftest import Run
from tests.otel_errors.receiver import Receiver

FORKS, THREADS, ROUNDS = 2, 50, 5

# Each error's text, tag, user and span have the same name. Every second one is of a builtin class, which the library
# must hold for a while, and every second one is outside of any span. The frame of each holds 400 kB: were the errors
# kept alive, hundreds of them could not be overlooked.
STORM = """
    import asyncio, contextlib, gc, json, multiprocessing, os, threading, time
    import otel_errors
    from opentelemetry import trace

    FORKS, THREADS, ROUNDS, OF_A_THREAD, TASKS = {sizes}
    tracer = trace.get_tracer("storm")

    class Failed(Exception):
        pass

    def fail(name, number):
        held = b"x" * 400_000
        raise (Failed if number % 4 < 2 else LookupError)(name)

    def begin(name):
        otel_errors.set_user(name)
        otel_errors.set_tag("work", name)

    def in_thread(name, number):
        if number % 2:
            with contextlib.suppress(Exception), tracer.start_as_current_span(name):
                begin(name)
                time.sleep(0)
                fail(name, number)
        else:
            with otel_errors.scope():
                begin(name)
                try:
                    time.sleep(0)
                    fail(name, number)
                except Exception as error:
                    assert otel_errors.capture_exception(error)

    async def in_task(name, number):
        if number % 2:
            with contextlib.suppress(Exception), tracer.start_as_current_span(name):
                begin(name)
                await asyncio.sleep(0)
                fail(name, number)
        else:
            with otel_errors.scope():
                begin(name)
                try:
                    await asyncio.sleep(0)
                    fail(name, number)
                except Exception as error:
                    assert otel_errors.capture_exception(error)

    def one_round(prefix):
        start = threading.Barrier(THREADS + 1)

        def thread(number):
            start.wait()
            for turn in range(OF_A_THREAD):
                in_thread(f"{{prefix}} thread {{number}} {{turn}}", number + turn)

        async def tasks():
            start.wait()
            await asyncio.gather(*(in_task(f"{{prefix}} task {{number}}", number) for number in range(TASKS)))

        threads = [threading.Thread(target=thread, args=(number,)) for number in range(THREADS)]
        for each in threads:
            each.start()
        asyncio.run(tasks())
        for each in threads:
            each.join()
        assert otel_errors.flush(60)

    def megabytes():
        gc.collect()
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6

    def child(fork, results):
        sizes = []
        for number in range(ROUNDS):
            one_round(f"fork {{fork}} round {{number}}")
            sizes.append(megabytes())
        results.put(sizes)

    if __name__ == "__main__":
        forking = multiprocessing.get_context("fork")
        results = forking.SimpleQueue()
        children = [forking.Process(target=child, args=(fork, results)) for fork in range(FORKS)]
        for each in children:
            each.start()
        sizes = [results.get() for each in children]
        for each in children:
            each.join()
        print(json.dumps({{"codes": [each.exitcode for each in children], "sizes": sizes}}))
"""


@pytest.mark.parametrize(
    ("of_a_thread", "tasks"),
    [
        pytest.param(1, 50, id="1000"),
        pytest.param(10, 500, id="10000", marks=[pytest.mark.long, pytest.mark.timeout(600)]),
    ],
)
def test_every_error_of_a_storm_arrives_with_its_own_context(
    run: Run, receiver: Receiver, of_a_thread: int, tasks: int
) -> None:
    total = FORKS * ROUNDS * (THREADS * of_a_thread + tasks)
    done = run(
        STORM.format(sizes=(FORKS, THREADS, ROUNDS, of_a_thread, tasks)),
        seconds=500,
        OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN="logs/dup",
        OTEL_ERRORS_MAX_PER_SECOND="0",
        OTEL_ERRORS_SEND_USER="true",
        # What the SDK's own queues cannot hold is lost with and without the library.
        OTEL_BSP_MAX_QUEUE_SIZE="20000",
        OTEL_BLRP_MAX_QUEUE_SIZE="20000",
        OTEL_TRACES_EXPORTER="otlp",
        OTEL_LOGS_EXPORTER="otlp",
    )
    assert (done.code, done.err) == (0, "")
    told = json.loads(done.out)
    assert told["codes"] == [0] * FORKS

    # Every one once, as a log record; those in spans also as a span event, under the same id.
    records = [record for record in receiver.errors if record.signal == "log"]
    events = {record.event_id: record for record in receiver.errors if record.signal == "span_event"}
    names = Counter(record.attributes["exception.message"] for record in records)
    assert (len(names), set(names.values())) == (total, {1})
    assert len({record.event_id for record in records}) == total
    spans = {span.span_id: span for span in receiver.spans}
    assert len(events) == len(spans) == sum(1 for record in records if record.span_id.strip("0"))
    assert 0 < len(events) < total

    for record in records:
        name = record.attributes["exception.message"]
        assert record.attributes["otel_errors.tag.work"] == name
        assert record.attributes["user.id"] == name
        if record.event_id in events:
            span, event = spans[record.span_id], events[record.event_id]
            assert (span.name, span.trace_id) == (name, record.trace_id)
            assert (event.span_id, event.attributes["exception.message"]) == (record.span_id, name)
            assert event.attributes["otel_errors.tag.work"] == event.attributes["user.id"] == name
        else:
            assert not record.trace_id.strip("0")

    print(f"{total} errors, MB after each round: {told['sizes']}")
    for sizes in told["sizes"]:
        # After the first rounds, in which buffers and caches grow. The errors of three rounds have 120 MB and more.
        assert sizes[-1] - sizes[1] < 40, told["sizes"]
