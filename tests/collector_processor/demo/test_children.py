"""Child processes: their output, their environment, their end."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from collector_processor.demo.children import Child, ChildFailed, environment, free_address, instrumented


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_line_is_awaited(tmp_path: Path) -> None:
    code = "import time; print('almost ready', flush=True); time.sleep(.2); print('ready', flush=True); time.sleep(60)"
    with Child("one", python(code), logs=tmp_path, env={}) as child:
        child.wait_for_line("ready", 60)
        child.check()
    assert child.stop() == -15


def test_a_child_that_ends_early_is_an_error_with_its_last_lines(tmp_path: Path) -> None:
    code = "import sys; print(*range(100), sep='\\n'); sys.exit('no such port')"
    with Child("one", python(code), logs=tmp_path, env={}) as child, pytest.raises(ChildFailed) as caught:
        child.wait_for_line("ready", 60)
    assert "one ended with status 1" in str(caught.value)
    assert str(tmp_path / "one.log") in str(caught.value)
    assert "no such port" in str(caught.value)
    assert str(caught.value).count("\n") == 25


def test_a_child_that_does_not_get_ready_is_an_error(tmp_path: Path) -> None:
    said = r"one did not print 'ready' within 0\.2 s"
    with (
        Child("one", python("import time; time.sleep(60)"), logs=tmp_path, env={}) as child,
        pytest.raises(ChildFailed, match=said),
    ):
        child.wait_for_line("ready", 0.2)


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    with Child("one", python(code), logs=tmp_path, env={}) as child:
        child.wait_for_line("up", 60)
        assert child.stop(grace_seconds=0.2) == -9


def test_a_child_is_asked_to_end_once(tmp_path: Path) -> None:
    """A second SIGTERM could cut off what the first one made it finish."""
    code = (
        "import signal, time\n"
        "times = []\n"
        "signal.signal(15, lambda *_: (times.append(1), print('asked', flush=True)))\n"
        "print('up', flush=True)\n"
        "while not times: time.sleep(0.05)\n"
        "time.sleep(0.5)\n"  # a second signal would come within this time
    )
    with Child("one", python(code), logs=tmp_path, env={}) as child:
        child.wait_for_line("up", 60)
        child.terminate()
        child.wait_for_line("asked", 60)
        assert child.stop() == 0
    assert child.out.read_text() == "up\nasked\n"


def test_the_users_telemetry_settings_and_proxies_are_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_TRACES_SAMPLER", "OTEL_ERRORS_ENABLED", "LOG_LEVEL", "http_proxy", "HTTPS_PROXY", "APP_ENV"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("KEPT", "y")
    kept = environment({"OTEL_SERVICE_NAME": "checkout"})
    assert kept["KEPT"] == "y"
    assert kept["OTEL_SERVICE_NAME"] == "checkout"
    assert not [name for name, value in kept.items() if value == "x"]


def test_a_port_that_is_taken_is_left_to_its_owner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as owner:
        port = owner.getsockname()[1]
        address = free_address(port)
        assert address.startswith("127.0.0.1:")
        assert address != f"127.0.0.1:{port}"
    assert free_address(port) == f"127.0.0.1:{port}"


def test_the_instrumentation_is_the_interpreters_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert instrumented(["x"])[0] == str(Path(sys.executable).with_name("opentelemetry-instrument"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert instrumented(["x"])[0] == str(tmp_path / "python")
