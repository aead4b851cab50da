"""A next hop that takes whatever comes: it counts spans in the bytes and answers. Its time is nobody's."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from ctypes import c_int64
from multiprocessing.connection import Connection
from typing import Any

import grpc
import grpc.aio

from benchmarks.ingestion.requests import MARK

_MESSAGE_BYTES = 64 * 1024 * 1024


class NextHop:
    """The process; ``spans`` is what arrived. ``endpoint``: ``http://host:port``."""

    def __init__(self, core: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._spans: Any = context.Value(c_int64, 0)
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(core, self._spans, theirs), daemon=True)
        self._process.start()
        theirs.close()  # else its end would not be seen from here
        self.endpoint = f"http://127.0.0.1:{ours.recv()}"

    @property
    def spans(self) -> int:
        """That have arrived since the start."""
        return int(self._spans.value)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.join()


def _serve(core: int, spans: Any, port_to: Connection) -> None:
    os.sched_setaffinity(0, {core})
    asyncio.run(_run(spans, port_to))


async def _run(spans: Any, port_to: Connection) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def export(payload: bytes, _: Any) -> bytes:
        spans.value += payload.count(MARK)  # one thread writes
        return b""

    server = grpc.aio.server(options=[("grpc.max_receive_message_length", _MESSAGE_BYTES)])
    name = "opentelemetry.proto.collector.trace.v1.TraceService"
    method = grpc.unary_unary_rpc_method_handler(export)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": method}),))
    port_to.send(server.add_insecure_port("127.0.0.1:0"))
    await server.start()
    await stop.wait()
    await server.stop(0)
