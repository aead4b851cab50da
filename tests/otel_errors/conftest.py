"""Applications in child processes, under the real ``opentelemetry-instrument``, sending to a real receiver."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from otel_errors.scope import EMPTY, _own
from tests.otel_errors.in_memory import start
from tests.otel_errors.receiver import Receiver

__all__ = ["start"]

INSTRUMENT = str(Path(sys.executable).parent / "opentelemetry-instrument")


@pytest.fixture(autouse=True)
def _a_scope_of_its_own() -> Iterator[None]:
    """What a test sets, or what is logged while it keeps log records, must not be in the scope of the next one."""
    token = _own.set(EMPTY)
    yield
    _own.reset(token)


@pytest.fixture(scope="module")
def _one_receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def receiver(_one_receiver: Receiver) -> Receiver:
    _one_receiver.clear()
    return _one_receiver


# contrib's logging handler starts a thread while Python 3.12 ends, which that version refuses, with us and without.
_NOT_OURS = re.compile(
    r"^Exception ignored in atexit callback: <function shutdown at .*?"
    r"^RuntimeError: can't create new thread at interpreter shutdown\n",
    re.MULTILINE | re.DOTALL,
)


@dataclass
class Finished:
    code: int
    out: str
    err: str


Run = Callable[..., Finished]


def environment(port: int, extra: dict[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    return {
        **kept,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_SERVICE_NAME": "shop",
        # Other instrumentations of the environment only cost time here.
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "urllib,wsgi,exceptions,fastapi",
        **extra,
    }


@pytest.fixture
def run(receiver: Receiver, tmp_path: Path) -> Run:
    """``run(code, OTEL_X="…")``: the code as a script under ``opentelemetry-instrument``; ``plain=True`` without it;
    at most ``seconds``."""

    def start(code: str, *, plain: bool = False, seconds: float = 60, **extra: str) -> Finished:
        script = tmp_path / "app.py"
        script.write_text(textwrap.dedent(code), encoding="utf-8")
        command = [sys.executable, str(script)]
        done = subprocess.run(
            command if plain else [INSTRUMENT, *command],
            env=environment(receiver.port, extra),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Finished(done.returncode, done.stdout, _NOT_OURS.sub("", done.stderr))

    return start
