"""Real Prometheus and Alertmanager for tests, and a receiver of what Alertmanager sends.

All on loopback, ports are chosen free. Whatever is started is stopped by its handle, also as a context manager.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import yaml

from tests.ports import free_port
from tests.programs import required_program

T = TypeVar("T")


class Handle:
    """A running program with an HTTP address."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.log = log

    def stop(self) -> None:
        """End it and wait until it has; safe to call twice."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def get(self, path: str) -> Any:
        """The JSON under ``path``."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def __enter__(self) -> Handle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_prometheus(
    tmp_path: Path,
    *,
    scrape_target: str,
    rules: Path,
    alertmanager: str = "",
    scrape_interval: str = "1s",
    more_targets: Sequence[str] = (),
) -> Handle:
    """Prometheus with one scrape job, otel-errors; targets and ``alertmanager`` are ``host:port`` or URLs."""
    targets = [_address(target) for target in (scrape_target, *more_targets)]
    config = {
        "global": {
            "scrape_interval": scrape_interval,
            "scrape_timeout": scrape_interval,
            "evaluation_interval": scrape_interval,
        },
        "rule_files": [str(rules.resolve())],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [_address(alertmanager)]}]}]}
        if alertmanager
        else {},
        "scrape_configs": [{"job_name": "otel-errors", "static_configs": [{"targets": targets}]}],
    }
    folder = tmp_path / "prometheus"
    folder.mkdir(exist_ok=True)
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    program = required_program("prometheus")
    return _start(
        folder,
        lambda port: [
            program,
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--enable-feature=exemplar-storage",
            # A post that got lost is repeated soon, not after a minute.
            "--rules.alert.resend-delay=3s",
        ],
    )


def start_alertmanager(tmp_path: Path, *, config: Path) -> Handle:
    """Alertmanager with ``config``, alone (no cluster)."""
    folder = tmp_path / "alertmanager-data"
    folder.mkdir(exist_ok=True)
    program = required_program("prometheus-alertmanager", "alertmanager")
    return _start(
        folder,
        lambda port: [
            program,
            f"--config.file={config.resolve()}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ],
    )


class WebhookReceiver:
    """Collects what Alertmanager posts. ``url`` is what to put into ``webhook_configs``."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._posts: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with receiver._arrived:
                    receiver._posts.append({"path": self.path, **body})
                    receiver._arrived.notify_all()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="webhook-receiver")
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/pager"

    @property
    def posts(self) -> list[dict[str, Any]]:
        """Alertmanager's webhook bodies in order of arrival, ``path`` of the request added."""
        with self._arrived:
            return list(self._posts)

    def notifications(self, status: str = "firing", *, alertname: str | None = None) -> list[dict[str, Any]]:
        """The posts of one status, on request those that hold an alert of that name with that status."""
        return [
            post
            for post in self.posts
            if post["status"] == status
            and (
                alertname is None
                or any(
                    alert["labels"]["alertname"] == alertname and alert["status"] == status for alert in post["alerts"]
                )
            )
        ]

    def wait_for(self, condition: Callable[[WebhookReceiver], T], *, seconds: float = 30) -> T:
        """The first true value of ``condition``, asked after each post; else ``AssertionError`` with what arrived."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while True:
                value = condition(self)
                if value:
                    return value
                rest = deadline - time.monotonic()
                if rest <= 0:
                    raise AssertionError(f"not within {seconds} s; arrived: {json.dumps(self._posts, indent=1)}")
                self._arrived.wait(rest)

    def stop(self) -> None:
        """Close the server and wait for its thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def __enter__(self) -> WebhookReceiver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def await_value(question: Callable[[], T], *, seconds: float = 30, what: str = "condition") -> T:
    """The first true answer; raises ``AssertionError`` naming ``what`` and the last answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s; last: {answer!r}")
        time.sleep(0.1)


def _start(folder: Path, command: Callable[[int], list[str]]) -> Handle:
    # A free port may be taken before it is bound, and neither program tells a port that it chose itself: try again.
    for attempt in range(3):
        port = free_port()
        log = folder / "log"
        with log.open("ab") as sink:
            process = subprocess.Popen(command(port), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd=folder)
        handle = Handle(process, f"http://127.0.0.1:{port}", log)
        if _ready(handle):
            return handle
        handle.stop()
        text = log.read_text(encoding="utf-8", errors="replace")
        if "address already in use" not in text or attempt == 2:
            raise AssertionError(f"{command(port)[0]} did not get ready; its log:\n{text[-4000:]}")
    raise AssertionError("unreachable")


def _ready(handle: Handle, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and handle.process.poll() is None:
        try:
            with urllib.request.urlopen(handle.url + "/-/ready", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return False


def _address(target: str) -> str:
    return target.removeprefix("http://").rstrip("/")
