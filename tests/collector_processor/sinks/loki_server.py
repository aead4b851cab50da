"""A server that takes pushes as Loki does: answers by a script or by a rule on the lines, and remembers what was
sent."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Push = dict[str, Any]
Answer = tuple[int, dict[str, str]]


class LokiServer:
    def __init__(self) -> None:
        self.pushes: list[Push] = []
        self.bodies: list[bytes] = []
        """The same, unpacked but not decoded."""
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.raw_sizes: list[int] = []
        self.script: list[Answer] = []
        """Answers for the next pushes; when it is empty, ``rule`` decides."""
        self.rule: Callable[[Push], int] = lambda push: 204
        self.stored: set[tuple[str, str, str]] = set()
        """(stream, time, line) of what was taken: the good lines of a 400 too, as the distributor does; repeats are
        one."""
        self.hang = threading.Event()
        self.hanging = False
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
                if server.hanging:
                    server.hang.wait(10)
                push = json.loads(raw)
                server.bodies.append(raw)
                server.pushes.append(push)
                server.raw_sizes.append(len(raw))
                server.headers.append(dict(self.headers.items()))
                server.paths.append(self.path)
                status, headers = server.script.pop(0) if server.script else (server.rule(push), {})
                if 200 <= status < 300 and status != 260:
                    server.store(push)
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    if status != 204:
                        self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass

            def log_message(self, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def store(self, push: Push) -> None:
        for labels, time, line in lines_of(push):
            self.stored.add((labels, time, line))

    def stop(self) -> None:
        self.hang.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def lines_of(push: Push) -> list[tuple[str, str, str]]:
    """(stream labels as JSON, time, line) of every entry."""
    return [
        (json.dumps(stream["stream"], sort_keys=True), value[0], value[1])
        for stream in push["streams"]
        for value in stream["values"]
    ]
