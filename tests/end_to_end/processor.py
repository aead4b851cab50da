"""``otel-errors serve`` as a real child process, with ports of its own and a data folder that outlives it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from collector_processor.demo import Endpoints
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, wait_until


class Processor:
    """The service under test. Its stdout and stderr go to files in ``folder``, appended over restarts."""

    def __init__(self, folder: Path, *, workers: int = 1, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data_dir = folder / "data"
        self.output = folder / "stdout.txt"
        self.log = folder / "stderr.txt"
        self.grpc = f"127.0.0.1:{free_port()}"
        self.http = f"127.0.0.1:{free_port()}"
        self.api = f"http://127.0.0.1:{free_port()}"
        self._workers = workers
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OTEL_")},
            "OTEL_ERRORS_DATA_DIR": str(self.data_dir),
            "OTEL_ERRORS_OTLP__GRPC__BIND": self.grpc,
            "OTEL_ERRORS_OTLP__HTTP__BIND": self.http,
            "OTEL_ERRORS_API__BIND": self.api.removeprefix("http://"),
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoints(self) -> Endpoints:
        """The same as the demo's parts want them: URLs."""
        return Endpoints(f"http://{self.grpc}", f"http://{self.http}", self.api)

    def start(self) -> None:
        """Start and wait for the one line ``ready``."""
        readies = self._readies()
        with self.output.open("ab") as out, self.log.open("ab") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "collector_processor", "serve", "--workers", str(self._workers)],
                stdout=out,
                stderr=err,
                env=self.environment,
                start_new_session=True,
            )
        wait_until(lambda: self._readies() > readies or self._process.poll() is not None, what="ready")
        assert self._process.poll() is None, self.log.read_text()[-4000:]

    def stop(self, seconds: float = PATIENCE_SECONDS) -> int:
        """SIGTERM, drain, the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(seconds)
        self._process = None
        return status

    def kill(self) -> None:
        """``kill -9`` of the service and whatever it started."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE_SECONDS)
        self._process = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def issues(self) -> list[dict[str, object]]:
        """All issues over REST, every page."""
        found: list[dict[str, object]] = []
        cursor: str | None = None
        while True:
            parameters = {"limit": "100", **({"cursor": cursor} if cursor else {})}
            answer = httpx.get(f"{self.api}/api/v1/issues", params=parameters, timeout=PATIENCE_SECONDS)
            answer.raise_for_status()
            page = answer.json()
            found.extend(page["issues"])
            cursor = page.get("next_cursor")
            if not cursor:
                return found

    def total(self) -> int:
        """Events counted over all issues."""
        return sum(int(str(issue["count"])) for issue in self.issues())

    def _readies(self) -> int:
        return self.output.read_text().count("ready\n") if self.output.exists() else 0


@contextlib.contextmanager
def running(processor: Processor) -> Iterator[Processor]:
    """Started on entry; on exit killed if the test has not stopped it."""
    processor.start()
    try:
        yield processor
    finally:
        if processor.running:
            processor.kill()
