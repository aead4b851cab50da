"""``kill -9`` while errors come in: what was acknowledged is counted, once, after the next start."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from collector_processor.demo import Api, Driver, Ledger, Shop, bounded, wait_until_counted
from collector_processor.otlp.exchange import TelemetrySignal
from collector_processor.otlp.messages import SERVICES
from tests.end_to_end.processor import Processor, running
from tests.waiting import PATIENCE_SECONDS, wait_until

# What OTLP lets a client try again, and nothing else: another status would lose the errors of the request.
RETRYABLE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
KILLS = 3
BUGS = ("ValueError", "KeyError", "LookupError", "ZeroDivisionError", "TimeoutError")


def _text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def _exception(bug: str, number: int) -> list[KeyValue]:
    stack = (
        "Traceback (most recent call last):\n"
        f'  File "/srv/app/{bug.lower()}.py", line 7, in run\n    work()\n'
        f"{bug}: order {number} failed\n"
    )
    return [
        _text("exception.type", bug),
        _text("exception.message", f"order {number} failed"),
        _text("exception.stacktrace", stack),
    ]


class Client:
    """Sends one request after another, each again and again until it is acknowledged, as an exporter does."""

    def __init__(self, address: str, seed: int) -> None:
        self.acknowledged: Counter[str] = Counter()
        self._channel = grpc.insecure_channel(
            address, options=[("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 200)]
        )
        self._random = random.Random(seed)
        self._number = seed * 1_000_000

    def send_until(self, stop: threading.Event) -> None:
        """Until ``stop``; a request that is under way is seen through."""
        while not stop.is_set():
            signal, payload, bugs = self._request()
            export = self._channel.unary_unary(SERVICES[signal].method)
            while True:
                try:
                    export(payload, timeout=5)
                    break
                except grpc.RpcError as error:
                    if error.code() not in RETRYABLE:
                        raise
                    time.sleep(0.05)
            self.acknowledged.update(bugs)
        self._channel.close()

    def _request(self) -> tuple[TelemetrySignal, bytes, list[str]]:
        bugs = [self._random.choice(BUGS) for _ in range(self._random.randint(1, 20))]
        resource = Resource(attributes=[_text("service.name", "numbered"), _text("service.instance.id", "one")])
        if self._random.random() < 0.5:
            spans = [
                Span(
                    trace_id=self._random.randbytes(16),
                    span_id=self._random.randbytes(8),
                    name="work",
                    start_time_unix_nano=time.time_ns(),
                    end_time_unix_nano=time.time_ns(),
                    events=[
                        Span.Event(
                            name="exception",
                            time_unix_nano=time.time_ns(),
                            attributes=_exception(bug, self._next()),
                        )
                    ],
                )
                for bug in bugs
            ]
            request = ExportTraceServiceRequest(
                resource_spans=[ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=spans)])]
            )
            return "traces", request.SerializeToString(), bugs
        records = [
            LogRecord(
                time_unix_nano=time.time_ns(),
                severity_number=17,
                attributes=[*_exception(bug, self._next()), _text("otel_errors.event_id", f"{self._next():032x}")],
            )
            for bug in bugs
        ]
        logs = ExportLogsServiceRequest(
            resource_logs=[ResourceLogs(resource=resource, scope_logs=[ScopeLogs(log_records=records)])]
        )
        return "logs", logs.SerializeToString(), bugs

    def _next(self) -> int:
        self._number += 1
        return self._number


def counts_by_type(processor: Processor) -> Counter[str]:
    counted: Counter[str] = Counter()
    for issue in processor.issues():
        counted[str(issue["title"]).partition(":")[0]] += int(str(issue["count"]))
    return counted


@pytest.mark.timeout(600)
@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_acknowledged_is_counted_once_after_kills(tmp_path: Path, workers: int) -> None:
    processor = Processor(tmp_path, workers=workers)
    stop = threading.Event()
    pauses = random.Random(7)
    with running(processor):
        clients = [Client(processor.grpc, seed) for seed in range(1, 5)]
        threads = [threading.Thread(target=client.send_until, args=(stop,)) for client in clients]
        for thread in threads:
            thread.start()
        for _ in range(4):
            time.sleep(pauses.uniform(0.3, 1.2))
            processor.kill()
            processor.start()
        time.sleep(0.5)
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()
        expected = sum((client.acknowledged for client in clients), Counter())
        assert sum(expected.values()) > 100, "too little was sent to show anything"
        wait_until(lambda: processor.total() >= sum(expected.values()), what="all to be counted")
        assert processor.stop() == 0
        processor.start()
        assert counts_by_type(processor) == expected
        assert len(processor.issues()) == len(BUGS)


@pytest.mark.timeout(900)
def test_the_demo_is_counted_exactly_though_the_processor_is_killed_under_it(tmp_path: Path) -> None:
    """The shop's exporters send again what was not acknowledged; nothing is lost and nothing is counted twice.

    An exporter gives up a batch after a minute. So each kill waits until the one before is overcome: otherwise a slow
    machine, on which a start takes seconds, would lose what was never acknowledged.
    """
    processor = Processor(tmp_path / "processor")
    ledger = Ledger()
    steps = bounded(5)
    with running(processor), Shop(processor.endpoints.otlp_grpc, tmp_path) as shop:
        driver = Driver(shop.urls, processor.endpoints.otlp_http, ledger)
        for start in range(0, len(steps), len(steps) // KILLS + 1):
            part = steps[start : start + len(steps) // KILLS + 1]
            before = provoked(ledger)
            middle = before + sum(sum(step.raises.values()) for step in part) // 2
            with ThreadPoolExecutor(1) as driving:
                done = driving.submit(driver.play, part, pause_seconds=0.05)
                wait_until(lambda middle=middle, done=done: provoked(ledger) >= middle or done.done(), what="errors")
                processor.kill()
                processor.start()
                done.result()
            _, differences = wait_until_counted(Api(processor.api), ledger, within_seconds=PATIENCE_SECONDS)
            assert differences == []


def provoked(ledger: Ledger) -> int:
    return sum(ledger.expected().values())
