"""An application of this folder under a real server and ``opentelemetry-instrument``: asked, stopped, what it sent."""

from __future__ import annotations

import importlib.metadata
import os
import signal
import socket
import subprocess
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.otel_errors.conftest import INSTRUMENT, environment
from tests.otel_errors.receiver import Receiver, Record
from tests.waiting import PATIENCE_SECONDS, wait_until

APPLICATIONS = Path(__file__).parent / "applications"
UVICORN = ("uvicorn", "--fd", "{fd}", "--log-level", "warning", "{module}:app")
GUNICORN = ("gunicorn", "--bind", "fd://{fd}", "--log-level", "warning", "--graceful-timeout", "5", "{module}:app")
PROBLEM = "application/problem+json"


class KeepingReceiver(Receiver):
    """Also keeps the requests as they came, to hand them on."""

    def __init__(self) -> None:
        self.payloads: list[tuple[str, bytes]] = []
        super().__init__()

    def _take(self, signal: str, payload: bytes) -> None:
        self.payloads.append((signal, payload))
        super()._take(signal, payload)


@dataclass(frozen=True)
class Request:
    path: str
    accept: str = PROBLEM
    language: str = ""
    method: str = "GET"


@dataclass
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes
    cut: bool = False
    """The connection was closed before the body was whole."""

    @property
    def kind(self) -> str:
        return str(self.headers.get("content-type", "")).partition(";")[0]

    @property
    def reference(self) -> str:
        return str(self.headers.get("support-reference", ""))

    @property
    def problem(self) -> dict[str, Any]:
        document = httpx.Response(200, content=self.body).json()
        assert isinstance(document, dict)
        return document


@dataclass
class Served:
    """What a server answered and sent until it was stopped."""

    answers: dict[Request, Answer] = field(default_factory=dict)
    errors: list[Record] = field(default_factory=list)
    payloads: list[tuple[str, bytes]] = field(default_factory=list)
    err: str = ""

    def of(self, case: str) -> list[Record]:
        """The records of the errors whose text begins with the case, one an event id."""
        ids: dict[str, Record] = defaultdict()
        for record in self.errors:
            if str(record.attributes.get("exception.message", "")).startswith(f"{case}:"):
                ids.setdefault(record.event_id, record)
        return list(ids.values())


def instrumented(port: int, instrumentations: tuple[str, ...], **extra: str) -> dict[str, str]:
    """The environment of an application of this folder. ``port``: of the receiver; ``instrumentations``: contrib's,
    beside ours and logging."""
    names = {one.name for one in importlib.metadata.entry_points(group="opentelemetry_instrumentor")}
    off = names - {"otel_errors", "logging", *instrumentations}
    found = environment(port, {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": ",".join(sorted(off)), **extra})
    programs = f"{Path(INSTRUMENT).parent}{os.pathsep}{found.get('PATH', '')}"
    return {
        **found,
        "PATH": programs,
        "PYTHONPATH": str(APPLICATIONS),
        "DJANGO_SETTINGS_MODULE": "django_settings",
        "GRPC_VERBOSITY": "NONE",
    }


@contextmanager
def serving(
    module: str,
    command: Sequence[str],
    port: int,
    home: Path,
    *,
    instrumentations: tuple[str, ...] = (),
    extra: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, Served]]:
    """``port``: of the receiver. Gives the address, and what has ``err`` when the block is left."""
    served = Served()
    with socket.socket() as listening, (home / "err").open("w+b") as err:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        values = {"fd": str(listening.fileno()), "module": module}
        parts = [part.format(**values) for part in command]
        child = subprocess.Popen(
            [INSTRUMENT, *parts],
            env=instrumented(port, instrumentations, **(extra or {})),
            cwd=home,
            stdout=err,
            stderr=err,
            pass_fds=[listening.fileno()],
        )
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.close()  # the child's from here on: who asks a dead one is refused
        try:
            wait_until(lambda: child.poll() is not None or _answers(address), what=f"{module} to answer")
            yield address, served
            child.send_signal(signal.SIGTERM)
            child.wait(PATIENCE_SECONDS)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
            err.seek(0)
            served.err = err.read().decode(errors="replace")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/ready", timeout=PATIENCE_SECONDS) as response:
            return bool(response.status == 200)
    except OSError:  # refused, closed, or an error of the application
        return False


def ask(address: str, requests: Sequence[Request]) -> dict[Request, Answer]:
    # A connection each: servers close it after an error that was raised on to them.
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=address, timeout=PATIENCE_SECONDS, limits=limits) as client:
        return {request: _ask(client, request) for request in requests}


def _ask(client: httpx.Client, request: Request) -> Answer:
    headers = {"Accept": request.accept, **({"Accept-Language": request.language} if request.language else {})}
    with client.stream(request.method, request.path, headers=headers) as response:
        body = b""
        try:
            for part in response.iter_raw():
                body += part
        except httpx.RemoteProtocolError:
            return Answer(response.status_code, response.headers, body, cut=True)
        return Answer(response.status_code, response.headers, body)
