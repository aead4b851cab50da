"""``otel-errors send-test`` against a real processor, and against nobody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx

from tests.end_to_end.processor import Processor, running


def send_test(processor: Processor, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "collector_processor", "send-test", *arguments],
        env=processor.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_prints_the_page_of_the_error_that_it_sent(tmp_path: Path) -> None:
    processor = Processor(tmp_path)
    with running(processor):
        done = send_test(processor)
        assert done.returncode == 0, done.stderr
        sent, page = done.stdout.splitlines()
        assert sent.startswith(f"sent to http://{processor.grpc}: event ")
        assert page.startswith(f"{processor.api}/issues/")
        assert "OtelErrorsTestError" in httpx.get(page, timeout=30).text
        assert processor.total() == 1


def test_nobody_there_is_one_line_with_the_reason(tmp_path: Path) -> None:
    processor = Processor(tmp_path)  # never started
    done = send_test(processor)
    assert done.returncode == 1
    (said,) = [line for line in done.stderr.splitlines() if line]
    assert f"http://{processor.grpc} did not take it" in said
    assert "is a processor or Collector listening there?" in said
    assert "UNAVAILABLE" in said


def test_what_is_no_url_is_a_usage_error(tmp_path: Path) -> None:
    done = send_test(Processor(tmp_path), "--endpoint", "localhost:4317")
    assert done.returncode == 2
    assert "localhost:4317" in done.stderr
    assert "http://host:4317" in done.stderr
