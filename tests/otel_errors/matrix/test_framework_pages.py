"""The pages in docs/frameworks, run as they stand there: the code, the command, the requests."""

from __future__ import annotations

import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.otel_errors.matrix.running import BIN, PATIENCE, environment, stop
from tests.otel_errors.matrix.table import APPLICATIONS
from tests.otel_errors.receiver import Receiver

pytestmark = pytest.mark.timeout(600)

PAGES = Path(__file__).parents[3] / "docs" / "frameworks"
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED = {
    "fastapi": {"no such article", "provider does not answer"},
    "flask": {"no such article"},
    "django": {"no such article", "an error in a middleware"},
    "aiohttp": {"no such article"},
    "grpc": {"no such article"},
    "celery": {"no such article", "nobody is at home"},
    "servers": {"no such article"},
    "scripts": {
        "a thread",
        "a result that nobody reads",
        "a callback of the event loop",
        "the end of the process",
    },
}
INSTRUMENTATION = re.compile(r"opentelemetry-instrumentation-([a-z-]+)")
BROKER = """
import os
app.conf.update(broker_url="filesystem://", broker_transport_options={
    "data_folder_in": "messages", "data_folder_out": "messages", "control_folder": "control", "polling_interval": 0.05})
for folder in ("messages", "control"):
    os.makedirs(folder, exist_ok=True)
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


def test_each_page_is_run() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == {*EXPECTED, "README"}
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    assert all(f"({name}.md)" in index for name in EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_page_does_what_it_says(name: str, receiver: Receiver, tmp_path: Path) -> None:
    port = _free_port()
    text = (
        (PAGES / f"{name}.md")
        .read_text(encoding="utf-8")
        .replace("8000", str(port))
        .replace("localhost:", "127.0.0.1:")
    )
    blocks = BLOCK.findall(text)
    code = "\n".join(body for language, body in blocks if language == "python")
    # Everything but the broker, which is a server of its own.
    (tmp_path / "app.py").write_text(code + (BROKER if name == "celery" else ""), encoding="utf-8")
    lines = [line for language, body in blocks if language == "console" for line in body.splitlines()]
    (command,) = [line for line in lines if "opentelemetry-instrument " in line]
    tries = [line for line in lines if line.startswith(("curl ", "python "))]
    names = {"grpc": ("grpc_server",)}.get(name) or tuple(INSTRUMENTATION.findall(lines[0]))
    env = environment(replace(APPLICATIONS[0], instrumentations=names), receiver.port, {}, tmp_path)
    env["PYTHONPATH"] = str(tmp_path)
    words = shlex.split(command)
    while "=" in words[0]:
        key, _, value = words.pop(0).partition("=")
        env[key] = value
    words = [sys.executable if word == "python" else word for word in words]
    with (tmp_path / "err").open("w+b") as err:
        child = subprocess.Popen(
            [str(BIN / words[0]), *words[1:]], env=env, cwd=tmp_path, stdout=err, stderr=err, start_new_session=True
        )
        try:
            for line in tries:
                if line.startswith("curl "):
                    _request(child, line.split()[1])
                else:
                    subprocess.run(
                        [sys.executable, *shlex.split(line)[1:]], env=env, cwd=tmp_path, check=True, timeout=PATIENCE
                    )
            _wait_for(receiver, EXPECTED[name])
            if tries:
                child.send_signal(signal.SIGTERM)
            child.wait(PATIENCE)
        finally:
            stop(child)
        err.seek(0)
        told = err.read().decode(errors="replace")[-3000:]
    found = {str(record.attributes.get("exception.message")) for record in receiver.errors}
    assert found == EXPECTED[name], told
    assert len({record.event_id for record in receiver.errors}) == len(EXPECTED[name]), told


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _request(child: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE):
                return
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            if time.monotonic() > deadline or child.poll() is not None:
                raise
            time.sleep(0.05)


def _wait_for(receiver: Receiver, messages: set[str]) -> None:
    deadline = time.monotonic() + PATIENCE / 2
    while time.monotonic() < deadline:
        if messages <= {str(record.attributes.get("exception.message")) for record in list(receiver.errors)}:
            return
        time.sleep(0.05)
