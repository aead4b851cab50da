"""Start, drain, stop: the only module that knows all the rooms.

One process writes the store and answers for it; receivers append to queue files, in this process (one worker) or in
processes of their own. Order of a start: store, consumer (what an earlier run left in the queue files goes on being
counted), pages and API, receivers, then ``ready``. Order of a stop: ``/readyz`` turns, receivers drain, the consumer
empties the queue, API last.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

from collector_processor.consumer import Consumer
from collector_processor.issues.store import IssueStore, StoreUnavailable
from collector_processor.otlp.http_server import HttpServer, serve_app
from collector_processor.process import run_loop
from collector_processor.receiver import Receiver
from collector_processor.settings import Settings
from collector_processor.sink import Sink
from collector_processor.sinks.loki import LokiSink
from collector_processor.sinks.metrics import ServiceMetrics
from collector_processor.web.app import create_app
from collector_processor.workers import WorkerPool

LOCK_SECONDS = 5.0
"""A service that is just ending may still hold its folder."""
DRAIN_SECONDS = 10.0
COUNT_SECONDS = 20.0

log = logging.getLogger(__name__)


class StartError(Exception):
    """The service cannot start; the text says what is in the way and the mend."""


def run(settings: Settings, *, workers: int, on_ready: Callable[[], None]) -> None:
    """Run until SIGTERM or SIGINT, then drain. Raises ``StartError``."""
    run_loop(Service(settings, workers).run(on_ready))


class Service:
    """The roles of one machine, and their order."""

    def __init__(self, settings: Settings, workers: int) -> None:
        self._settings = settings
        self._worker_count = workers
        self._metrics = ServiceMetrics()
        self._stopping = asyncio.Event()
        self._ready = False
        self._store: IssueStore | None = None
        self._consumer: Consumer | None = None
        self._api: HttpServer | None = None
        self._receiver: Receiver | None = None
        self._pool: WorkerPool | None = None

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Start everything, call ``on_ready`` once, wait for a signal, drain."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        try:
            await self._start()
            if not self._stopping.is_set():
                self._ready = True
                on_ready()
            await self._stopping.wait()
            self._ready = False
            await asyncio.sleep(self._settings.stop_delay_seconds)
        finally:
            self._ready = False
            await self._stop()

    async def _start(self) -> None:
        settings = self._settings
        _make_private_folder(settings.data_dir)
        _make_private_folder(settings.queue_dir)
        try:
            self._store = await asyncio.to_thread(self._open_store)
            self._consumer = Consumer(
                settings.queue_dir,
                self._store,
                self._sinks(),
                # An output that is down may keep half of a queue file, never all of it: counting goes on.
                max_sink_lag_bytes=settings.queue.max_bytes // 2,
                on_lost=lambda sink, count: self._metrics.dropped("logs", "sink_behind", count, output=sink),
            )
            self._consumer.start()
            if not await asyncio.to_thread(self._consumer.has_lock, LOCK_SECONDS):
                raise StartError(
                    f"data_dir: {settings.data_dir}: another otel-errors serve counts what is in it; stop that one or "
                    "name another data_dir"
                )
            app = create_app(
                store=self._store, settings=settings, metrics=self._metrics, readiness=self._not_ready_because
            )
            self._api = await serve_app(app, bind=settings.api.bind)
            if self._worker_count == 1:
                self._receiver = await Receiver.start(settings, worker=0, metrics=self._metrics, share_ports=False)
            else:
                self._pool = WorkerPool(settings, self._worker_count, self._metrics)
                await self._pool.start()
        except OSError as error:
            raise StartError(error.strerror or str(error)) from error

    def _open_store(self) -> IssueStore:
        limits = self._settings.store
        try:
            return IssueStore.open(
                self._settings.store_url,
                occurrences_per_issue=limits.occurrences_per_issue,
                occurrence_days=limits.occurrence_days,
                counting_window_seconds=limits.counting_window_seconds,
            )
        except StoreUnavailable as error:
            if not isinstance(error.__cause__, ModuleNotFoundError):
                raise
            raise StartError(
                f"store.url: {error.__cause__.name} is not installed; pip install 'otel-errors[postgres]' brings "
                "psycopg, for postgresql+psycopg://…"
            ) from None

    def _sinks(self) -> list[Sink]:
        loki = self._settings.loki
        if loki.url is None:
            return []
        token = loki.bearer_token.get_secret_value() if loki.bearer_token is not None else None
        return [LokiSink(loki.url, tenant=loki.tenant, bearer_token=token, metrics=self._metrics)]

    def _not_ready_because(self) -> list[str]:
        """Reasons for ``/readyz`` to say no; empty when all is well."""
        reasons = []
        if not self._ready:
            reasons.append("stopping" if self._stopping.is_set() else "starting")
        if self._consumer is not None:
            reasons.extend(self._consumer.problems())
        if self._pool is not None:
            reasons.extend(f"worker {number} does not run" for number in self._pool.dead())
        return reasons

    async def _stop(self) -> None:
        if self._receiver is not None:
            await self._receiver.stop(DRAIN_SECONDS)
        if self._pool is not None:
            await self._pool.stop()
        if self._consumer is not None:
            await asyncio.to_thread(self._consumer.stop, drain=True, timeout=COUNT_SECONDS)
        if self._api is not None:
            await self._api.stop(1.0)
        if self._store is not None:
            self._store.close()


def _make_private_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(13, "not writable", str(path))
    except OSError as error:
        raise StartError(
            f"data_dir: {path}: {error.strerror or error}; name a folder that this user may write"
        ) from None
