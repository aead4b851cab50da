"""The shop as it runs: three services, a process each under ``opentelemetry-instrument``, sending OTLP/gRPC."""

from __future__ import annotations

import shutil
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.metadata import entry_points
from pathlib import Path
from types import TracebackType

from collector_processor.demo.children import Child, instrumented
from collector_processor.demo.customers import STOCK_DSN
from collector_processor.demo.ending import undisturbed

SERVICES = ("catalogue", "worker", "checkout")
RESOURCE = "service.namespace=shop,service.version=3.8.1,deployment.environment.name=demo"
START_SECONDS = 60.0
_USED_INSTRUMENTATIONS = frozenset({"fastapi", "logging", "otel_errors", "threading", "urllib"})


class Shop:
    """Started on entry; ended on exit with SIGTERM, upon which each service finishes its work and sends what it has.

    ``otlp_grpc``: where telemetry goes, ``http://127.0.0.1:4317``. ``extra`` is added to each service's environment.
    After entry, ``urls`` has the URL of each service; ``home`` is where the copy of its code is.
    """

    def __init__(self, otlp_grpc: str, logs: Path, *, extra: Mapping[str, str] | None = None) -> None:
        self._otlp_grpc = otlp_grpc
        self._logs = logs
        self._extra = dict(extra or {})
        self.children: list[Child] = []
        self.home = Path()
        self._cleanup = ExitStack()
        self.urls: dict[str, str] = {}

    def __enter__(self) -> Shop:
        with self._cleanup as cleanup:
            folder = tempfile.TemporaryDirectory(prefix="shop-", ignore_cleanup_errors=True)
            self.home = Path(cleanup.enter_context(folder))
            # Run from a folder of its own, as an application is: within site-packages its frames would be a library's.
            ours = Path(__file__).with_name("shop")
            shutil.copytree(ours, self.home / "shop", ignore=shutil.ignore_patterns("__pycache__"))
            # Sockets that listen before the services start: every URL is known and nobody can take a port in between.
            sockets = {name: cleanup.enter_context(socket.create_server(("127.0.0.1", 0))) for name in SERVICES}
            self.urls = {name: f"http://127.0.0.1:{opened.getsockname()[1]}" for name, opened in sockets.items()}
            for name in SERVICES:
                with undisturbed():
                    self.children.append(cleanup.enter_context(self._start(name, sockets[name])))
            for opened in sockets.values():
                opened.close()  # from here on a service that ends refuses connections instead of keeping them waiting
            for child in self.children:
                self._wait_until_up(child, self.urls[child.name.removeprefix("shop-")])
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(at_once=kind is not None and issubclass(kind, Exception))

    def stop(self, *, at_once: bool = False) -> None:
        """End all services and wait until they are gone. ``at_once``: without letting them finish anything."""
        for child in self.children:
            if at_once:
                child.kill()
            else:
                child.terminate()
        self._cleanup.close()

    def check(self) -> None:
        """Raise ChildFailed if a service has ended."""
        for child in self.children:
            child.check()

    def _start(self, name: str, listening: socket.socket) -> Child:
        descriptor = listening.fileno()
        env = {
            **_telemetry(name, self._otlp_grpc),
            "SHOP_LISTEN_FD": str(descriptor),
            "SHOP_CATALOGUE_URL": self.urls["catalogue"],
            "SHOP_WORKER_URL": self.urls["worker"],
            **self._extra,
        }
        if name == "catalogue":
            env["SHOP_STOCK_DSN"] = STOCK_DSN
        command = instrumented([sys.executable, "-m", "shop", name])
        return Child(f"shop-{name}", command, logs=self._logs, env=env, cwd=self.home, pass_fds=[descriptor])

    def _wait_until_up(self, child: Child, url: str) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url + "/healthz", timeout=START_SECONDS) as response:
                response.read()
        except TimeoutError:
            raise child.failed(f"did not answer within {START_SECONDS:g} s") from None
        except OSError as error:
            raise child.failed(f"did not come up: {error}") from None


def _telemetry(name: str, otlp_grpc: str) -> dict[str, str]:
    """The OpenTelemetry SDK's settings for a service."""
    installed = {entry.name for entry in entry_points(group="opentelemetry_instrumentor")}
    return {
        "OTEL_SERVICE_NAME": name,
        "OTEL_RESOURCE_ATTRIBUTES": RESOURCE,
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_grpc,
        "OTEL_EXPORTER_OTLP_INSECURE": "true",
        # How long a batch is tried again: longer than a processor takes to come back.
        "OTEL_EXPORTER_OTLP_TIMEOUT": "60",
        "OTEL_TRACES_SAMPLER": "parentbased_always_on",
        "OTEL_ERRORS_SEND_USER": "true",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BLRP_SCHEDULE_DELAY": "200",
        "OTEL_BSP_MAX_QUEUE_SIZE": "16384",
        "OTEL_BLRP_MAX_QUEUE_SIZE": "16384",
        # Only what the shop uses: whatever else is installed here would make each machine's demo another one.
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": ",".join(sorted(installed - _USED_INSTRUMENTATIONS)),
    }
