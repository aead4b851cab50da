"""A receiving role: the OTLP ports, the pipeline behind them, and the queue file that only this process writes.

With one worker it shares the process of the service; with more, each worker runs one in a process of its own and the
workers share the ports.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from collector_processor.otlp.exchange import Outcome, Request
from collector_processor.otlp.forward import Forwarder
from collector_processor.otlp.grpc_server import GrpcServer, start_grpc
from collector_processor.otlp.http_server import HttpServer, start_http
from collector_processor.pipeline import Pipeline
from collector_processor.queue import SqliteQueue
from collector_processor.settings import Settings
from collector_processor.sinks.metrics import ServiceMetrics
from collector_processor.stages.pseudonym import load_key
from collector_processor.stages.redact import Redactor


@dataclass
class Receiver:
    """Open ports and what is behind them. ``stop`` drains: what was accepted is answered and durable."""

    grpc: GrpcServer
    http: HttpServer
    queue: SqliteQueue
    forwarder: Forwarder | None

    @classmethod
    async def start(cls, settings: Settings, *, worker: int, metrics: ServiceMetrics, share_ports: bool) -> Receiver:
        """Open the queue file of this worker and the ports. Raises ``OSError`` when a port or file cannot be had."""
        queue = SqliteQueue.open(queue_file(settings, worker), max_bytes=settings.queue.max_bytes)
        metrics.watch_queue(queue.depth)
        forwarder = None
        forward: Callable[[Request], Awaitable[Outcome]] | None = None
        if settings.forward.endpoint is not None:
            forwarder = Forwarder(settings.forward.endpoint, timeout_seconds=settings.forward.timeout_seconds)
            forward = forwarder.forward
        pipeline = Pipeline(
            redactor=Redactor(),
            pseudonym_key=load_key(settings.data_dir / "pseudonym.key"),
            public_url=settings.public_url,
            append=queue.append,
            on_full=settings.queue.on_full,
            forward=forward,
            max_in_flight_bytes=settings.otlp.max_in_flight_bytes,
            meter=metrics,
        )
        grpc = await start_grpc(
            pipeline.handle,
            bind=settings.otlp.grpc.bind,
            max_request_bytes=settings.otlp.max_request_bytes,
            share_port=share_ports,
        )
        try:
            http = await start_http(
                pipeline.handle,
                bind=settings.otlp.http.bind,
                max_request_bytes=settings.otlp.max_request_bytes,
                cors_origins=settings.otlp.http.cors_origins,
                share_port=share_ports,
            )
        except BaseException:
            await grpc.stop(0)
            queue.close()
            raise
        return cls(grpc, http, queue, forwarder)

    async def stop(self, grace_seconds: float) -> None:
        """Stop accepting, answer what is in flight within the grace, close the queue file."""
        await self.grpc.stop(grace_seconds)
        await self.http.stop(grace_seconds)
        if self.forwarder is not None:
            await self.forwarder.aclose()
        self.queue.close()


def queue_file(settings: Settings, worker: int) -> Path:
    """The queue file of a worker: one writer each, for SQLite with several writers stalls for a second at the tail."""
    return settings.queue_dir / f"worker-{worker}.sqlite3"
