"""A receiving role: the OTLP ports, the pipeline behind them, and the queue file that only this process writes.

With one worker it shares the process of the service; with more, each worker runs one in a process of its own and the
workers share the ports.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from collector_processor.otlp.access_log import AccessLog
from collector_processor.otlp.admission import Admission
from collector_processor.otlp.forward import Forwarder
from collector_processor.otlp.grpc_server import GrpcServer, start_grpc
from collector_processor.otlp.http_server import HttpServer, start_http
from collector_processor.otlp.ingest_keys import KeyFile, KeyRing, KeysUnusable
from collector_processor.otlp.tls import TlsFiles
from collector_processor.otlp.token_bucket import TokenBuckets
from collector_processor.pipeline import Pipeline
from collector_processor.queue import QueueUnavailable, SqliteQueue
from collector_processor.setting_values import Address, header_pairs
from collector_processor.settings import Settings
from collector_processor.sinks.metrics import ServiceMetrics
from collector_processor.stages.grouping_rules import rules_of
from collector_processor.stages.inbound_filters import FILTERS, InboundFilters
from collector_processor.stages.pseudonym import KeyUnusable, load_key
from collector_processor.stages.redact.policy import BadPolicy
from collector_processor.stages.redact.policy_file import load_policy


@dataclass
class Receiver:
    """Open ports and what is behind them."""

    grpc: GrpcServer
    http: HttpServer
    _queue: SqliteQueue
    _forwarder: Forwarder | None

    @classmethod
    async def start(cls, settings: Settings, *, worker: int, metrics: ServiceMetrics, share_ports: bool) -> Receiver:
        """Open the queue file of this worker and the ports. Raises ``OSError`` when a port or file cannot be had."""
        try:
            pseudonym_key = load_key(settings.data_dir / "pseudonym.key")
            policy = load_policy(settings.redaction.policy, pseudonym_key)
            admission = _admission(settings, metrics)
            queue = SqliteQueue.open(queue_file(settings, worker), max_bytes=settings.queue.max_bytes)
        except (KeyUnusable, BadPolicy, QueueUnavailable, KeysUnusable) as error:
            raise OSError(str(error)) from error
        async with AsyncExitStack() as opened:  # what is open already is closed again when a later part fails
            opened.callback(queue.close)
            metrics.watch_queue(queue.depth)
            forwarder = _forwarder(settings)
            pipeline = Pipeline(
                redactor=policy,
                pseudonym_key=pseudonym_key,
                public_url=settings.public_url,
                append=queue.append,
                on_full=settings.queue.on_full,
                forward=forwarder.forward if forwarder is not None else None,
                max_in_flight_bytes=settings.otlp.max_in_flight_bytes,
                meter=metrics,
                grouping=rules_of(settings.grouping),
                filters=InboundFilters(*(name for name in FILTERS if getattr(settings.filters, name))),
                max_requests=settings.otlp.limits.requests,
                stacks_per_second=settings.otlp.limits.service_stacks_per_second,
            )
            tls = _tls(settings)
            access = AccessLog() if settings.otlp.access_log else None
            grpc = await start_grpc(
                pipeline.handle,
                bind=settings.otlp.grpc.bind,
                max_request_bytes=settings.otlp.max_request_bytes,
                share_port=share_ports,
                admission=admission,
                tls=tls,
                max_connection_age_seconds=settings.otlp.grpc.max_connection_age_seconds,
                access=access,
            )
            opened.push_async_callback(grpc.stop, 0.0)
            http = await start_http(
                pipeline.handle,
                bind=settings.otlp.http.bind,
                max_request_bytes=settings.otlp.max_request_bytes,
                share_port=share_ports,
                admission=admission,
                tls=tls,
                access=access,
            )
            opened.pop_all()
        return cls(grpc, http, queue, forwarder)

    async def stop(self, grace_seconds: float) -> None:
        """Stop accepting, answer what is in flight within the grace, close the queue file: what was acknowledged is in
        it."""
        await asyncio.gather(self.grpc.stop(grace_seconds), self.http.stop(grace_seconds))
        if self._forwarder is not None:
            await self._forwarder.aclose()
        self._queue.close()


def _forwarder(settings: Settings) -> Forwarder | None:
    if settings.forward.endpoint is None:
        return None
    forward = settings.forward
    try:
        identity = None
        if forward.key is not None and forward.certificate is not None:
            identity = (forward.key.read_bytes(), forward.certificate.read_bytes())
        return Forwarder(
            settings.forward.endpoint,
            timeout_seconds=forward.timeout_seconds,
            root_certificates=forward.ca.read_bytes() if forward.ca is not None else None,
            identity=identity,
            headers=header_pairs(forward.headers.get_secret_value()),
            gzip=forward.compression == "gzip",
        )
    except OSError as error:
        raise OSError(f"forward: {error.filename}: {error.strerror or error}") from None


def _admission(settings: Settings, metrics: ServiceMetrics) -> Admission:
    otlp = settings.otlp
    keys: KeyRing | None = None
    if otlp.auth != "none":
        ring = KeyRing(KeyFile(settings.ingest_keys_file))
        # Once there are keys they are needed, also when the last one is revoked while this process runs.
        keys = ring if ring.keys else None
        for bind in (otlp.grpc.bind, otlp.http.bind):
            if keys is None and not Address(bind).is_loopback:
                raise KeysUnusable(
                    f"{bind} is not a loopback address and {settings.ingest_keys_file} holds no key; make one with "
                    "otel-errors ingest-keys create, or set otlp.auth: none"
                )
    rate = otlp.limits.key_bytes_per_second
    return Admission(
        keys=keys,
        cors_origins=otlp.http.cors_origins,
        max_memory_bytes=otlp.limits.memory_bytes,
        key_bytes=TokenBuckets(rate) if rate is not None else None,
        refused=metrics.refused,
    )


def _tls(settings: Settings) -> TlsFiles | None:
    tls = settings.otlp.tls
    if tls.certificate is None or tls.key is None:
        return None
    return TlsFiles(tls.certificate, tls.key, tls.client_ca)


def queue_file(settings: Settings, worker: int) -> Path:
    """The queue file of a worker: one writer each, for SQLite with several writers stalls for a second at the tail."""
    return settings.queue_dir / f"worker-{worker}.sqlite3"
