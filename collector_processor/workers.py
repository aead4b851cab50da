"""Receiving processes that share the OTLP ports (``serve --workers N``): started, watched, restarted, drained.

The parent keeps the store and answers for it; a worker only receives, so a worker's end costs its unanswered requests,
which their clients send again, and nothing else: what it acknowledged stands in its queue file. A worker tells its
metrics over a pipe once a second; the pipe's end also tells it that its parent is gone.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import signal
import socket
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from collector_processor.receiver import Receiver
from collector_processor.setting_values import Address
from collector_processor.settings import Settings
from collector_processor.sinks.metrics import ServiceMetrics

REPORT_SECONDS = 1.0
RESTART_SECONDS = 1.0
START_SECONDS = 60.0
GRACE_SECONDS = 10.0

log = logging.getLogger(__name__)


class WorkerPool:
    """N worker processes. ``start`` returns when all answer; ``stop`` drains them."""

    def __init__(self, settings: Settings, count: int, metrics: ServiceMetrics) -> None:
        self._settings, self._reserved = _with_fixed_ports(settings)
        self._count = count
        self._metrics = metrics
        self._workers: dict[int, _Worker] = {}
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises ``OSError`` when a worker cannot open its ports or queue file."""
        try:
            for number in range(self._count):
                self._workers[number] = await _Worker.start(self._settings, number)
        except BaseException:
            await self.stop()
            raise
        self._watch = asyncio.create_task(self._watch_workers())

    def dead(self) -> list[int]:
        """Numbers of the workers that do not run at the moment."""
        return [number for number, worker in self._workers.items() if not worker.process.is_alive()]

    async def stop(self) -> None:
        """Drain and end all workers."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        ending = asyncio.gather(*(worker.stop() for worker in self._workers.values()))
        while not ending.done():  # a worker's last report may be larger than the pipe: somebody has to read it
            for number, worker in self._workers.items():
                self._collect(number, worker)
            await asyncio.wait({ending}, timeout=0.05)
        for number, worker in self._workers.items():
            self._collect(number, worker)
            worker.connection.close()
        for reserved in self._reserved:
            reserved.close()

    async def _watch_workers(self) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            for number, worker in list(self._workers.items()):
                self._collect(number, worker)
                if worker.process.is_alive():
                    continue
                log.error("worker %d ended with status %s; it is started again", number, worker.process.exitcode)
                self._metrics.retire(f"worker-{number}")
                worker.connection.close()
                try:
                    self._workers[number] = await _Worker.start(self._settings, number)
                except OSError as error:
                    log.error("worker %d cannot start: %s", number, error)
                    await asyncio.sleep(RESTART_SECONDS)

    def _collect(self, number: int, worker: _Worker) -> None:
        for report in worker.reports():
            self._metrics.merge(f"worker-{number}", report)


class _Worker:
    def __init__(self, process: SpawnProcess, connection: Connection) -> None:
        self.process = process
        self.connection = connection

    @classmethod
    async def start(cls, settings: Settings, number: int) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=worker_main, args=(theirs, settings, number), name=f"otel-errors-worker-{number}"
        )
        process.start()
        theirs.close()
        worker = cls(process, ours)
        try:
            answer = (
                await asyncio.to_thread(ours.recv) if await asyncio.to_thread(ours.poll, START_SECONDS) else "no answer"
            )
        except EOFError:
            answer = "it ended while starting"
        if answer != "ready":
            await worker.stop()
            ours.close()
            raise OSError(f"worker {number}: {answer}")
        return worker

    def reports(self) -> list[Any]:
        found = []
        with suppress(EOFError, OSError):
            while self.connection.poll():
                found.append(self.connection.recv())
        return found

    async def stop(self) -> None:
        if self.process.is_alive():
            self.process.terminate()
        await asyncio.to_thread(self.process.join, GRACE_SECONDS + 5)
        if self.process.is_alive():
            self.process.kill()
            await asyncio.to_thread(self.process.join)


def worker_main(connection: Connection, settings: Settings, number: int) -> None:
    """The whole life of a worker process."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole terminal group; the parent decides when workers drain
    from collector_processor.process import configure_logging, run_loop

    configure_logging(settings)
    run_loop(_work(connection, settings, number))


async def _work(connection: Connection, settings: Settings, number: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(connection.fileno(), stop.set)  # the parent never writes: readable means that it is gone
    metrics = ServiceMetrics()
    try:
        receiver = await Receiver.start(settings, worker=number, metrics=metrics, share_ports=True)
    except OSError as error:
        connection.send(error.strerror or str(error))
        return
    connection.send("ready")
    while not stop.is_set():
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), REPORT_SECONDS)
        await asyncio.to_thread(_report, connection, metrics)
    loop.remove_reader(connection.fileno())
    await receiver.stop(GRACE_SECONDS)
    await asyncio.to_thread(_report, connection, metrics)


def _report(connection: Connection, metrics: ServiceMetrics) -> None:
    with suppress(OSError):  # the parent is gone: the reader on the pipe stops this worker
        connection.send(metrics.snapshot())


def _with_fixed_ports(settings: Settings) -> tuple[Settings, list[socket.socket]]:
    """The settings with port 0 replaced: workers that share a port must all be told the same one. The sockets keep the
    ports ours."""
    reserved: list[socket.socket] = []
    otlp = settings.otlp
    for part in ("grpc", "http"):
        bind = Address(getattr(otlp, part).bind)
        if bind.port == 0:
            holder = socket.socket(socket.AF_INET6 if ":" in bind.host else socket.AF_INET)
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder.bind((bind.host, 0))
            reserved.append(holder)
            fixed = Address(f"{bind.rpartition(':')[0]}:{holder.getsockname()[1]}")
            otlp = otlp.model_copy(update={part: getattr(otlp, part).model_copy(update={"bind": fixed})})
    return settings.model_copy(update={"otlp": otlp}), reserved
