"""The programs under load: ours with everything on, rotel from PyPI, the OpenTelemetry Collector from its modules.

Each is told one next hop and runs on one core; the two peers neither count nor keep anything. The Collector does with
its transform and redaction processors what they can do of our work: a digest of type and place, three patterns.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import PeerUnavailable, python_of

START_SECONDS = 60.0
COLLECTOR_MODULE = Path(__file__).parent.parent / "collector"
COLLECTOR_CONFIGURATION = """
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%(port)d", max_recv_msg_size_mib: 64}}}
processors:
  transform:
    error_mode: ignore
    trace_statements:
      - context: spanevent
        conditions: ['name == "exception"']
        statements:
          - >-
            set(attributes["fingerprint"], SHA256(Concat([attributes["exception.type"],
            attributes["exception.stacktrace"]], "")))
          - replace_pattern(attributes["exception.message"], "[0-9]{6,}", "<int>")
  redaction:
    allow_all_keys: true
    blocked_values:
      - '[a-zA-Z0-9._%%+-]+@[a-zA-Z0-9.-]+\\.[a-zA-Z]{2,}'
      - '\\b4[0-9]{12}(?:[0-9]{3})?\\b'
      - '\\beyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\b'
exporters:
  otlp: {endpoint: "%(hop)s", compression: none, tls: {insecure: true}, sending_queue: {enabled: false}}
service:
  telemetry: {metrics: {level: none}, logs: {level: error}}
  pipelines:
    traces: {receivers: [otlp], processors: [transform, redaction], exporters: [otlp]}
"""


@dataclass
class Running:
    """A started subject. ``counted`` and ``waiting``: errors in its store and in its queue, where it has any."""

    pid: int
    target: str
    api: str = ""

    def counted(self) -> tuple[int, int]:
        """Errors counted, and errors that wait to be."""
        with urllib.request.urlopen(f"{self.api}/api/v1/stats", timeout=30) as answer:
            stats = json.load(answer)
        return int(stats["events"]), int(stats["queue"]["events"])


Subject = Callable[[str, Path], Running]


@contextmanager
def ours(hop: str, folder: Path, core: str, workers: int = 1) -> Iterator[Running]:
    """``otel-errors serve`` with its defaults: redaction, grouping, a synced queue, the store, forwarding."""
    grpc, http, api = free_ports(3)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OTEL_")},
        "OTEL_ERRORS_DATA_DIR": str(folder / "data"),
        "OTEL_ERRORS_OTLP__GRPC__BIND": f"127.0.0.1:{grpc}",
        "OTEL_ERRORS_OTLP__HTTP__BIND": f"127.0.0.1:{http}",
        "OTEL_ERRORS_API__BIND": f"127.0.0.1:{api}",
        "OTEL_ERRORS_FORWARD__ENDPOINT": hop,
    }
    command = [sys.executable, "-m", "collector_processor", "serve", "--workers", str(workers)]
    with _started(command, core, folder, environment) as process:
        _wait(process, grpc)
        _wait_ready(process, f"http://127.0.0.1:{api}/readyz")
        yield Running(process.pid, f"127.0.0.1:{grpc}", f"http://127.0.0.1:{api}")


@contextmanager
def rotel(hop: str, folder: Path, core: str) -> Iterator[Running]:
    """OTLP in, OTLP out, unbatched (which costs it less than batching)."""
    package = next(python_of("ingest-rotel").parent.parent.glob("lib/python*/site-packages/rotel"))
    grpc, http = free_ports(2)
    command = [
        str(package / "rotel-agent"), "start", "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}", "--otlp-http-endpoint",
        f"127.0.0.1:{http}", "--otlp-grpc-max-recv-msg-size-mib", "64", "--disable-batching", "--exporter", "otlp",
        "--otlp-exporter-endpoint", hop, "--otlp-exporter-protocol", "grpc", "--otlp-exporter-compression", "none",
    ]  # fmt: skip
    with _started(command, core, folder, dict(os.environ)) as process:
        _wait(process, grpc)
        yield Running(process.pid, f"127.0.0.1:{grpc}")


@contextmanager
def collector(hop: str, folder: Path, core: str) -> Iterator[Running]:
    """The Collector with its transform and redaction processors, unbatched and without a sending queue."""
    binary = collector_binary()
    (grpc,) = free_ports(1)
    configuration = folder / "collector.yaml"
    configuration.write_text(COLLECTOR_CONFIGURATION % {"port": grpc, "hop": hop.removeprefix("http://")})
    with _started([str(binary), "--config", str(configuration)], core, folder, dict(os.environ)) as process:
        _wait(process, grpc)
        yield Running(process.pid, f"127.0.0.1:{grpc}")


def collector_binary() -> Path:
    """Built from ``benchmarks/collector`` on the first call. Raises ``PeerUnavailable``."""
    go = shutil.which("go")
    if go is None:
        raise PeerUnavailable("Go is not installed: the Collector is built from its modules")
    done = subprocess.run([go, "list", "-f", "{{.Target}}", "."], cwd=COLLECTOR_MODULE, capture_output=True, text=True)
    if done.returncode == 0:
        # Go's own cache of builds says whether anything changed.
        done = subprocess.run([go, "install", "-trimpath", "."], cwd=COLLECTOR_MODULE, capture_output=True, text=True)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise PeerUnavailable(f"the Collector cannot be built: {lines[-1] if lines else 'no reason given'}")
    target = subprocess.run(
        [go, "list", "-f", "{{.Target}}", "."], cwd=COLLECTOR_MODULE, capture_output=True, text=True, check=True
    )
    return Path(target.stdout.strip())


def free_ports(number: int) -> list[int]:
    """Ports of loopback that are free now, each another."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def _started(
    command: list[str], core: str, folder: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "output.txt").open("ab") as output:
        process = subprocess.Popen(["taskset", "-c", core, *command], stdout=output, stderr=output, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None or time.monotonic() > end:
            raise PeerUnavailable(f"it does not listen on port {port}")
        time.sleep(0.05)


def _wait_ready(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.05)
    raise PeerUnavailable(f"{url} does not answer")
