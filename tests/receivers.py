"""An OTLP/gRPC server that takes everything: what applications, the shop and the processor send is seen as bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

from collector_processor.otlp.exchange import TelemetrySignal
from collector_processor.otlp.messages import SERVICES

Take = Callable[[TelemetrySignal, bytes], None]
SeeMetadata = Callable[[dict[str, str]], None]


@contextmanager
def otlp_receiver(take: Take, see_metadata: SeeMetadata = lambda metadata: None) -> Iterator[str]:
    """Calls ``take`` with signal and raw message of each request, before it ``see_metadata`` with its headers, in one
    of several threads; gives ``host:port``."""
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers(
        tuple(
            grpc.method_handlers_generic_handler(
                service.grpc_name, {"Export": grpc.unary_unary_rpc_method_handler(_export(signal, take, see_metadata))}
            )
            for signal, service in SERVICES.items()
        )
    )
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield address
    finally:
        server.stop(1).wait()


def _export(
    signal: TelemetrySignal, take: Take, see_metadata: SeeMetadata
) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    def export(payload: bytes, context: grpc.ServicerContext) -> bytes:
        see_metadata({key: value for key, value in context.invocation_metadata() if isinstance(value, str)})
        take(signal, payload)
        return b""  # an empty message of any of the three responses

    return export
