from __future__ import annotations

import logging
import os
import sys

from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware

from otel_errors.middleware.wsgi import ErrorMiddleware

sys.path.insert(0, os.path.dirname(__file__))
from shop import error, stream

logging.basicConfig()
closed = []


class Body:
    def __init__(self, case):
        self.case = case
        self.parts = stream(case) if case in ("stream", "early") else iter([b"", b"whole"])

    def __iter__(self):
        return self.parts

    def close(self):
        closed.append(self.case)
        if self.case == "background":
            raise error(self.case)


def shop(environ, start_response):
    case = environ["PATH_INFO"].rpartition("/")[2]
    headers = [("Content-Type", "text/plain")]
    if case == "file":
        start_response("200 OK", headers)
        return environ["wsgi.file_wrapper"](open(__file__, "rb"))
    if case == "write":
        write = start_response("200 OK", headers)
        write(b"written\n")
        raise error(case)
    if case == "replaced":
        start_response("200 OK", headers)
        try:
            raise KeyError(case)
        except KeyError:
            start_response("409 Conflict", headers, sys.exc_info())
        return [b"replaced"]
    if case == "closed":
        start_response("200 OK", headers)
        return [" ".join(closed).encode()]
    if case in ("ready", "stream", "early", "background", "empty"):
        start_response("200 OK", headers)
        return iter(()) if case == "empty" else Body(case)
    raise error(case)


app = OpenTelemetryMiddleware(ErrorMiddleware(shop))
