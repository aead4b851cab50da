"""Real servers that stand where the team's own stack stands: a next hop for OTLP/gRPC, and Loki's push endpoint."""

from __future__ import annotations

import gzip
import http.server
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

EXPORTS = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}


class NextHop:
    """Keeps the raw bytes of every request, by signal."""

    def __init__(self) -> None:
        self.requests: dict[str, list[bytes]] = {signal: [] for signal in EXPORTS}
        self.endpoint = ""

    def everything(self) -> bytes:
        return b"\n".join(payload for payloads in self.requests.values() for payload in payloads)


class _Exports(grpc.GenericRpcHandler):
    def __init__(self, hop: NextHop) -> None:
        self._hop = hop

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        for signal, method in EXPORTS.items():
            if handler_call_details.method == method:

                def export(payload: bytes, _: grpc.ServicerContext, signal: str = signal) -> bytes:
                    self._hop.requests[signal].append(payload)
                    return b""

                return grpc.unary_unary_rpc_method_handler(export)
        return None


@contextmanager
def next_hop() -> Iterator[NextHop]:
    """An OTLP/gRPC server that takes everything."""
    hop = NextHop()
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", 64 * 1024 * 1024)])
    server.add_generic_rpc_handlers((_Exports(hop),))
    hop.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield hop
    finally:
        server.stop(1).wait()


class Loki:
    """Keeps the decompressed body of every push."""

    def __init__(self) -> None:
        self.pushes: list[bytes] = []
        self.url = ""


@contextmanager
def loki() -> Iterator[Loki]:
    """An HTTP server that answers Loki's push endpoint with 204."""
    store = Loki()

    class Push(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            store.pushes.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Push)
    store.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
