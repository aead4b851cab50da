"""OTLP over gRPC: the Export methods of the three services, bytes in, bytes out.

Serializers are the identity: grpcio hands over the decompressed bytes and never builds a message. Its core refuses what
is over the limit by itself (RESOURCE_EXHAUSTED), while decompressing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import grpc
import grpc.aio

from collector_processor.otlp.access_log import AccessLog
from collector_processor.otlp.admission import Admission
from collector_processor.otlp.connections import max_connections
from collector_processor.otlp.exchange import Accepted, Handler, Outcome, Refusal, Request, Retry, TelemetrySignal
from collector_processor.otlp.ingest_keys import IngestKey
from collector_processor.otlp.listening import listen
from collector_processor.otlp.messages import SERVICES
from collector_processor.otlp.status import success_message, to_grpc
from collector_processor.otlp.tls import TlsFiles

AGE_GRACE_SECONDS = 30.0
MAX_STREAMS_PER_CONNECTION = 256
"""With the request limit this bounds what one connection can make the core hold."""

log = logging.getLogger(__name__)


class GrpcServer:
    """A started server. ``port`` is the real one when 0 was asked for."""

    def __init__(self, server: grpc.aio.Server, port: int) -> None:
        self._server = server
        self.port = port

    async def stop(self, grace_seconds: float) -> None:
        """Stop accepting at once, let running calls end within the grace, cancel the rest. May be called again."""
        await self._server.stop(max(grace_seconds, 0.0))


async def start_grpc(
    handler: Handler,
    *,
    bind: str,
    max_request_bytes: int,
    share_port: bool = False,
    admission: Admission | None = None,
    tls: TlsFiles | None = None,
    max_connection_age_seconds: float | None = None,
    access: AccessLog | None = None,
) -> GrpcServer:
    """OTLP/gRPC on ``bind`` (``host:port``), in the clear without ``tls``. Raises ``OSError`` when the port cannot be
    had. ``share_port``: several processes may listen there, each gets some of the connections. A connection of
    ``max_connection_age_seconds`` is asked to come again, which behind a balancer is another process."""
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", max_request_bytes),
            ("grpc.max_concurrent_streams", MAX_STREAMS_PER_CONNECTION),
            # grpcio shares by default, and two services on one port would each get half of the data.
            ("grpc.so_reuseport", int(share_port)),
            # Connections that never say anything take descriptors that queue and store need.
            ("grpc.max_allowed_incoming_connections", max_connections()),
            ("grpc.server_handshake_timeout_ms", 20_000),
            ("grpc.max_connection_idle_ms", 600_000),
            *_age_options(max_connection_age_seconds),
        ]
    )
    server.add_generic_rpc_handlers(
        tuple(
            grpc.method_handlers_generic_handler(
                service.grpc_name,
                {
                    "Export": grpc.unary_unary_rpc_method_handler(
                        _export(signal, handler, admission or Admission(), access)
                    )
                },
            )
            for signal, service in SERVICES.items()
        )
    )
    try:
        # gRPC tells a port that is taken on stderr, in words of its own: found out before it is asked.
        listen(bind, share_port).close()
        if tls is not None:
            port = server.add_secure_port(bind, tls.grpc_credentials())
        else:
            port = server.add_insecure_port(bind)
    except RuntimeError:
        port = 0
    except OSError:
        await server.stop(0)
        raise
    if port == 0:
        await server.stop(0)
        raise OSError(f"cannot listen on {bind}: the address is in use, not of this machine, or not ours to bind")
    await server.start()
    return GrpcServer(server, port)


def _age_options(seconds: float | None) -> list[tuple[str, int]]:
    if seconds is None:
        return []
    return [
        ("grpc.max_connection_age_ms", int(seconds * 1000)),
        ("grpc.max_connection_age_grace_ms", int(AGE_GRACE_SECONDS * 1000)),
    ]


def _export(signal: TelemetrySignal, handler: Handler, admission: Admission, access: AccessLog | None) -> Any:
    async def export(payload: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        began = time.perf_counter()
        key, outcome = await _outcome(signal, handler, admission, payload, context)
        if access is not None:
            access.write("grpc", signal, context.peer(), key, len(payload), outcome, time.perf_counter() - began)
        if isinstance(outcome, Accepted):
            return success_message(signal, outcome).SerializeToString()
        status = to_grpc(outcome)
        await context.abort(status.code, status.details, status.trailers)
        raise AssertionError("abort does not return")

    return export


async def _outcome(
    signal: TelemetrySignal,
    handler: Handler,
    admission: Admission,
    payload: bytes,
    context: grpc.aio.ServicerContext[bytes, bytes],
) -> tuple[IngestKey | None, Outcome]:
    key: IngestKey | None = None
    try:
        headers = {
            name: value if isinstance(value, str) else value.decode("latin-1")
            for name, value in context.invocation_metadata() or ()
        }
        admitted = admission.admit(signal, headers, "grpc")
        if isinstance(admitted, Refusal):
            return None, admitted
        key = admitted
        request = Request(signal=signal, payload=payload, peer=context.peer(), headers=headers)
        return key, admission.take(signal, key, len(payload)) or await handler(request)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        # grpcio would make UNKNOWN of it, and clients drop what UNKNOWN answers.
        log.error("an OTLP/gRPC request failed inside the service: %s", type(error).__name__)
        return key, Retry("the service failed on this request")
