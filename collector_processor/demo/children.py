"""Child processes of the demo: their environment, their output in files, their end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

TAIL_LINES = 25
GRACE_SECONDS = 75.0
"""More than a service of the shop takes to hand its last telemetry to a processor that is just being started again."""

# What would make a child behave otherwise than the demo means it to: the user's own telemetry settings, and proxies.
_NOT_INHERITED = ("OTEL_", "SHOP_", "LOG_", "EXTERNAL_REPORTING_")
_NOT_INHERITED_NAMES = frozenset({"APP_ENV", "ENABLE_EXTERNAL_REPORTING", "CRITICAL_ERROR_RECIPIENTS", "PYTHONSTARTUP"})


class ChildFailed(Exception):
    """A child ended, or did not come up in time. The text ends with the tail of its output."""


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without telemetry settings and proxies, and with ``extra``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_NOT_INHERITED)
        and name not in _NOT_INHERITED_NAMES
        and not name.lower().endswith("_proxy")
    }
    return {**kept, **extra}


class Child:
    """A running process. Standard output goes to ``NAME.out``, standard error to ``NAME.log`` in ``logs``.

    It is in a session of its own, so that Ctrl-C reaches the demo alone, which then ends its children in order; its
    standard input is a pipe that ends with the demo.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        logs: Path,
        env: Mapping[str, str],
        cwd: Path | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.name = name
        self._asked_to_end = False
        self.out = logs / f"{name}.out"
        self.log = logs / f"{name}.log"
        with self.out.open("wb") as out, self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=log,
                cwd=cwd,
                env=environment(env),
                pass_fds=pass_fds,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """Raise ChildFailed if it has ended."""
        status = self._process.poll()
        if status is not None:
            raise self.failed(f"ended with status {status}")

    def failed(self, what: str) -> ChildFailed:
        """The error for ``what``, with the tail of the child's output."""
        lines = _lines(self.out) + _lines(self.log)
        tail = "\n".join(f"    {line}" for line in lines[-TAIL_LINES:])
        return ChildFailed(f"{self.name} {what}; its output, {self.log}:\n{tail}")

    def wait_for_line(self, line: str, timeout_seconds: float) -> None:
        """Wait until it has printed ``line``; ChildFailed when it ends before, or does not."""
        deadline = time.monotonic() + timeout_seconds
        while line not in _lines(self.out):
            self.check()
            if time.monotonic() > deadline:
                raise self.failed(f"did not print {line!r} within {timeout_seconds:g} s")
            time.sleep(0.05)

    def terminate(self) -> None:
        """Ask it to end, without waiting; once, however often it is called."""
        if not self._asked_to_end and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self._asked_to_end = True

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def stop(self, grace_seconds: float = GRACE_SECONDS) -> int:
        """Ask it to end; after the grace, SIGKILL. The exit status."""
        self.terminate()
        try:
            return self._process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            if self._process.stdin is not None:
                self._process.stdin.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8", errors="replace").splitlines()


def free_address(preferred_port: int) -> str:
    """``127.0.0.1:port``: the preferred port when it is free (0: never), else one that the system chooses."""
    if preferred_port and _is_free(preferred_port):
        return f"127.0.0.1:{preferred_port}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def instrumented(command: Sequence[str]) -> list[str]:
    """The command under ``opentelemetry-instrument``: the script beside this interpreter, else what that would call."""
    script = Path(sys.executable).with_name("opentelemetry-instrument")
    if script.exists():
        return [str(script), *command]
    return [sys.executable, "-c", "from opentelemetry.instrumentation.auto_instrumentation import run; run()", *command]
