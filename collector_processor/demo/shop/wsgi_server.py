"""A plain WSGI server: the standard library's, a thread a request, on a socket that is listening already."""

from __future__ import annotations

import io
import json
import re
import socket
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Answer = tuple[int, Any]
View = Callable[..., Answer]

_REASONS = {200: "OK", 202: "Accepted", 404: "Not Found"}


class JsonApplication:
    """A WSGI application of a few routes: method and path pattern each, JSON in and out. What a view raises goes up."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], View]] = []

    def route(self, method: str, pattern: str, view: View) -> None:
        """``view`` gets the pattern's groups, and for POST the decoded body as ``body=``."""
        self._routes.append((method, re.compile(pattern), view))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, answer = self._dispatch(environ)
        text = json.dumps(answer).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(text)))]
        start_response(f"{status} {_REASONS[status]}", headers)
        return [text]

    def _dispatch(self, environ: WSGIEnvironment) -> Answer:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        for wanted, pattern, view in self._routes:
            match = pattern.fullmatch(path)
            if match and method == wanted:
                if method == "POST":
                    body = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
                    return view(*match.groups(), body=body)
                return view(*match.groups())
        return 404, {"detail": "not found"}


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - wsgiref's name
        """No access log: the spans say the same."""

    def get_stderr(self) -> Any:
        # wsgiref prints a failed request's traceback here, customers' data and all; the telemetry has it already.
        return io.StringIO()


class ThreadingWSGIServer(ThreadingMixIn, WSGIServer):
    """Serves ``application`` on ``listening`` until SystemExit; answers that are under way are finished."""

    daemon_threads = False

    def __init__(self, listening: socket.socket, application: WSGIApplication) -> None:
        super().__init__(listening.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_name, self.server_port = listening.getsockname()[:2]
        self.setup_environ()
        self.set_app(OpenTelemetryMiddleware(application))

    def run(self) -> None:
        try:
            self.serve_forever(poll_interval=0.1)
        finally:
            self.server_close()
