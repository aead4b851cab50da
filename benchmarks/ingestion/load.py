"""Send requests over gRPC as fast as they are answered, so many at a time, and remember how long each took."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import lru_cache

import grpc
import grpc.aio

from benchmarks.ingestion.requests import FreshRequest

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
TEMPLATES = 8
_OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]


@dataclass
class Sent:
    """What was acknowledged. A request is sent again until it is."""

    spans: int = 0
    errors: int = 0
    retries: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    """Seconds of each acknowledged request."""

    def quantile(self, share: float) -> float:
        """Of the latencies."""
        ordered = sorted(self.latencies)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


@lru_cache(maxsize=1)
def _templates(errors: int) -> list[FreshRequest]:
    return [FreshRequest(errors, seed) for seed in range(TEMPLATES)]


async def send(target: str, errors: int, *, channels: int, at_once: int, spans: int = 0, seconds: float = 0.0) -> Sent:
    """Requests with ``errors`` failed spans each, ``at_once`` in flight over ``channels``, until so many spans
    or, where none are asked for, so many seconds."""
    templates = _templates(errors)
    opened = [grpc.aio.insecure_channel(target, options=_OPTIONS) for _ in range(channels)]
    calls = [channel.unary_unary(METHOD) for channel in opened]
    sent = Sent()

    async def client(number: int) -> None:
        call = calls[number % channels]
        turn = number
        while sent.spans < spans if spans else time.perf_counter() - began < seconds:
            template = templates[turn % TEMPLATES]
            turn += 1
            await deliver(call, template.next())
            sent.spans += template.spans
            sent.errors += template.errors

    async def deliver(call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes], payload: bytes) -> None:
        while True:
            began = time.perf_counter()
            try:
                await call(payload, timeout=60)
            except grpc.aio.AioRpcError as error:
                if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED):
                    raise
                sent.retries += 1
                await asyncio.sleep(0.05)
                continue
            sent.latencies.append(time.perf_counter() - began)
            return

    began = time.perf_counter()
    try:
        await asyncio.gather(*(client(number) for number in range(at_once)))
    finally:
        sent.seconds = time.perf_counter() - began
        for channel in opened:
            await channel.close()
    return sent
