"""What stops a start, said by the real command: exit status, one line, the mend."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.end_to_end.conformance import call
from tests.end_to_end.processor import Processor, running
from tests.ports import free_port
from tests.waiting import wait_until


def start(processor: Processor, code: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """The command run to its end with the settings of ``processor``, ports of its own, and ``code`` before it."""
    ports = ("OTLP__GRPC__BIND", "OTLP__HTTP__BIND", "API__BIND")
    own = {f"OTEL_ERRORS_{name}": f"127.0.0.1:{free_port()}" for name in ports}
    command = (
        f"import sys\n{code}\nsys.argv = ['otel-errors', 'serve']\nimport collector_processor.__main__ as it; it.main()"
    )
    return subprocess.run(
        [sys.executable, "-c", command],
        env={**processor.environment, **own, **settings},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def test_a_second_service_on_one_folder_says_so_and_ends(tmp_path: Path) -> None:
    with running(Processor(tmp_path)) as first:
        second = start(first)
        assert (second.returncode, second.stdout) == (1, "")
        assert f"data_dir: {first.data_dir}: another otel-errors serve" in second.stderr
        assert first.running
        taken = start(first, OTEL_ERRORS_DATA_DIR=str(tmp_path / "other"), OTEL_ERRORS_OTLP__GRPC__BIND=first.grpc)
        assert taken.returncode == 1
        assert taken.stderr.splitlines()[-1].startswith(f"otel-errors serve: cannot listen on {first.grpc}")
        assert "grpc" not in taken.stderr.lower().replace(first.grpc, ""), "nothing in gRPC's own words"
        assert first.stop() == 0


def test_readiness_turns_before_the_ports_close(tmp_path: Path) -> None:
    with running(Processor(tmp_path, OTEL_ERRORS_STOP_DELAY_SECONDS="5")) as processor:
        assert httpx.get(f"{processor.api}/readyz").status_code == 200
        os.kill(processor.pid, signal.SIGTERM)
        wait_until(lambda: httpx.get(f"{processor.api}/readyz").status_code == 503, what="readiness to turn")
        assert call(b"")(processor) == "OK", "who has not looked yet is still served"
        assert processor.stop() == 0


def test_a_store_whose_driver_is_missing_names_the_install(tmp_path: Path) -> None:
    ended = start(
        Processor(tmp_path),
        code="sys.modules['psycopg'] = None",
        OTEL_ERRORS_STORE__URL="postgresql+psycopg://nobody:secret@127.0.0.1:1/errors",
    )
    assert ended.returncode == 1
    assert "pip install 'otel-errors[postgres]'" in ended.stderr
    assert "secret" not in ended.stderr
