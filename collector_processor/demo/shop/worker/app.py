"""Worker's HTTP interface: jobs in, 202 out."""

from __future__ import annotations

import socket

from ..wsgi_server import JsonApplication, ThreadingWSGIServer  # noqa: TID252
from .jobs import Jobs


def create_app(jobs: Jobs) -> JsonApplication:
    """The application: a route a kind of job."""
    app = JsonApplication()
    app.route("GET", "/healthz", lambda: (200, {"status": "ok"}))
    for kind in (jobs.receipt, jobs.invoice, jobs.webhook, jobs.payout, jobs.reconcile):
        app.route("POST", f"/jobs/{kind.__name__}", kind)
    return app


def serve(listening: socket.socket) -> None:
    """Serve on ``listening`` until SIGTERM, then finish the jobs."""
    jobs = Jobs()
    try:
        ThreadingWSGIServer(listening, create_app(jobs)).run()
    finally:
        jobs.close()
