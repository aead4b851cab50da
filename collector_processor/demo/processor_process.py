"""The processor as it runs: ``otel-errors serve`` as a child process, or one that runs already."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from collector_processor.demo.children import Child, ChildFailed, free_address
from collector_processor.demo.ending import undisturbed

READY_SECONDS = 60.0
CONTRACT_PORTS = (4317, 4318, 8080)
ANY_PORTS = (0, 0, 0)


class Endpoints(NamedTuple):
    """URLs of a running processor."""

    otlp_grpc: str
    otlp_http: str
    api: str


def start_processor(
    cleanup: ExitStack, data_dir: Path, logs: Path, *, ports: tuple[int, int, int] = CONTRACT_PORTS
) -> tuple[Child, Endpoints]:
    """Start ``serve`` on loopback, on ``ports`` as far as they are free (0: any), and wait until it is ready.

    ``cleanup`` ends it. Raises ChildFailed.
    """
    grpc, http, api = (free_address(port) for port in ports)
    env = {
        "OTEL_ERRORS_DATA_DIR": str(data_dir),
        "OTEL_ERRORS_OTLP__GRPC__BIND": grpc,
        "OTEL_ERRORS_OTLP__HTTP__BIND": http,
        "OTEL_ERRORS_API__BIND": api,
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "collector_processor", "serve"]
    with undisturbed():
        child = cleanup.enter_context(Child("processor", command, logs=logs, env=env))
    try:
        child.wait_for_line("ready", READY_SECONDS)
    except ChildFailed as error:
        child.stop()
        if ports != ANY_PORTS and "in use" in str(error):
            return start_processor(cleanup, data_dir, logs, ports=ANY_PORTS)  # somebody was quicker than we
        raise
    return child, Endpoints(f"http://{grpc}", f"http://{http}", f"http://{api}")
