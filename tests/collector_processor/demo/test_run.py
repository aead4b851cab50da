"""``otel-errors demo`` as a command: the whole road, and its ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector_processor.demo import BUGS, SECRETS, run
from collector_processor.demo.customers import DECLINED, PAYING
from collector_processor.demo.processor_process import ANY_PORTS

COMMAND = [sys.executable, "-m", "collector_processor", "demo"]


@pytest.mark.timeout(150)
def test_a_second_run_adds_to_the_issues_of_the_first(tmp_path: Path) -> None:
    """Another copy of the shop at another path, another process, the same bugs: the same issues."""
    data = tmp_path / "data"
    first = subprocess.run([*COMMAND, "--once", "--data-dir", str(data)], capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stdout + first.stderr
    assert f"{len(BUGS)} bugs were provoked" in first.stdout
    for bug in BUGS:
        assert bug.type in first.stdout
    assert run(once=True, data_dir=data, ports=ANY_PORTS, seed=2) == 0
    kept = b"".join(file.read_bytes() for file in data.rglob("*") if file.is_file())
    assert b"shop/checkout/payments.py" in kept
    assert [secret for secret in SECRETS if secret.encode() in kept] == []
    assert [customer.id for customer in PAYING + DECLINED if customer.id.encode() in kept] == []


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


@contextmanager
def demo_running(temporary: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``otel-errors demo`` with its temporary folder in ``temporary``."""
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}
    with out.open("wb") as file:
        demo = subprocess.Popen(COMMAND, stdout=file, stderr=subprocess.STDOUT, env=environment)
    try:
        yield demo
    finally:
        if demo.poll() is None:
            demo.terminate()
            demo.wait(60)


@pytest.mark.timeout(120)
def test_without_an_end_issues_appear_until_ctrl_c(tmp_path: Path, temporary: Path) -> None:
    out = tmp_path / "out"
    with demo_running(temporary, out) as demo:
        _wait_for(lambda: any(bug.type in out.read_text() for bug in BUGS if bug.type), demo, out)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0, out.read_text()
    assert "Look at http://127.0.0.1:" in out.read_text()
    assert "Traceback" not in out.read_text()
    assert list(temporary.iterdir()) == []
    assert _processes_with(str(temporary)) == []


def test_sigterm_while_it_starts_leaves_nothing(tmp_path: Path, temporary: Path) -> None:
    out = tmp_path / "out"
    with demo_running(temporary, out) as demo:
        _wait_for(lambda: list(temporary.glob("*/logs/processor.log")), demo, out)
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(60) == 143, out.read_text()
    assert "Traceback" not in out.read_text()
    assert list(temporary.iterdir()) == []
    assert _processes_with(str(temporary)) == []


def _wait_for(condition: Callable[[], object], demo: subprocess.Popen[bytes], out: Path) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, out.read_text()
        assert demo.poll() is None, out.read_text()
        time.sleep(0.05)


def test_a_processor_that_does_not_start_is_said_and_its_output_kept(tmp_path: Path) -> None:
    (tmp_path / "queue").write_text("not a folder")
    done = subprocess.run(
        [*COMMAND, "--once", "--data-dir", str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "processor ended with status 1" in done.stdout
    assert (tmp_path / "logs" / "processor.log").exists()
    assert "Traceback" not in done.stderr


def test_a_data_dir_that_is_a_file_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run([*COMMAND, "--data-dir", str(tmp_path / "file")], capture_output=True, text=True, check=False)
    assert done.returncode == 2


def _processes_with(text: str) -> list[str]:
    """Command lines and working folders of processes that name ``text``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace") + os.readlink(process / "cwd")
            environment = (process / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if text in words + environment:
            found.append(words)
    return found
