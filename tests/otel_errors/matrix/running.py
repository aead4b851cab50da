"""An application of the matrix as a child process: started, triggered, stopped."""

from __future__ import annotations

import contextlib
import http.client
import importlib.metadata
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.otel_errors.matrix.table import Application

HERE = Path(__file__).parent / "applications"
BIN = Path(sys.executable).parent
KEPT = frozenset({"otel_errors", "logging"})
PATIENCE = 120.0
"""Seconds for each step, on a machine with much else to do."""


@dataclass
class Ran:
    code: int
    out: str
    err: str
    statuses: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By path: the status and the body; the status is 0 when there was no answer."""


def environment(application: Application, port: int, extra: Mapping[str, str], home: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    names = {one.name for one in importlib.metadata.entry_points(group="opentelemetry_instrumentor")}
    off = names - KEPT - set(application.instrumentations)
    return {
        **kept,
        "PATH": f"{BIN}{os.pathsep}{kept.get('PATH', '')}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_METRICS_EXPORTER": "none",
        "GRPC_VERBOSITY": "NONE",  # its exporter writes a line of its own now and then, such as at a fork
        "OTEL_SERVICE_NAME": "matrix",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BLRP_SCHEDULE_DELAY": "200",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": ",".join(sorted(off)),
        "CELERY_HOME": str(home),
        **({"DJANGO_SETTINGS_MODULE": "django_settings"} if application.file == "django_app.py" else {}),
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
        **extra,
    }


def run(
    application: Application,
    port: int,
    home: Path,
    *,
    instrumented: bool = True,
    ours: bool = True,
    extra: Mapping[str, str] | None = None,
) -> Ran:
    """``port``: of the receiver; ``ours=False``: under OpenTelemetry, without this library. Returns when the
    application and all its children are gone."""
    env = environment(application, port, extra or {}, home)
    if not ours:
        env["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] += ",otel_errors"
    with socket.socket() as listening, (home / "out").open("w+b") as out, (home / "err").open("w+b") as err:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        values = {
            "python": sys.executable,
            "file": str(HERE / application.file),
            "module": Path(application.file).stem,
            "fd": str(listening.fileno()),
        }
        command = [part.format(**values) for part in application.command]
        if instrumented:
            command = ["opentelemetry-instrument", *command]
        child = subprocess.Popen(
            [str(BIN / command[0]) if "/" not in command[0] else command[0], *command[1:]],
            env=env,
            cwd=home,
            stdout=out,
            stderr=err,
            pass_fds=[listening.fileno()],
            start_new_session=True,
        )
        statuses: dict[str, tuple[int, str]] = {}
        try:
            if application.file == "celery_app.py":
                send = subprocess.run(
                    [sys.executable, str(HERE / application.file)],
                    env=env,
                    cwd=home,
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE,
                    check=False,
                )
                statuses["tasks"] = (send.returncode, send.stdout)
                _wait_for_no_messages(home)
                child.send_signal(signal.SIGTERM)
            elif any("{fd}" in part for part in application.command):
                address = f"http://127.0.0.1:{listening.getsockname()[1]}"
                _wait_until_ready(child, f"{address}/ready")
                for source in (*application.sources, *application.expected):
                    statuses[source.path] = _answer(address + source.path)
                child.send_signal(signal.SIGTERM)
            code = child.wait(PATIENCE)
        finally:
            stop(child)
        out.seek(0)
        err.seek(0)
        return Ran(code, out.read().decode(errors="replace"), err.read().decode(errors="replace"), statuses)


def stop(child: subprocess.Popen[bytes]) -> None:
    """With its workers, which live on when their supervisor is killed. ``child`` leads a session of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _wait_until_ready(child: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE):
                return
        except OSError:
            if time.monotonic() > deadline or child.poll() is not None:
                raise
            time.sleep(0.05)


def _answer(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:
            status = int(response.status)
            try:
                return status, response.read().decode(errors="replace")
            except http.client.IncompleteRead as cut:
                return status, f"{cut.partial.decode(errors='replace')}, and no end"
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")
    except OSError as none:
        return 0, type(none).__name__


def _wait_for_no_messages(home: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while any((home / "messages").glob("*.celery.msg")) and time.monotonic() < deadline:
        time.sleep(0.05)
