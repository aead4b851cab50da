"""No text raises, and the texts that are tried reach nearly every line of the readers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.collector_processor.stacktraces import fuzzing

ROOT = Path(__file__).resolve().parents[3]
COVERED = 95
"""Per cent of the lines of ``stacktraces/``."""
PACKAGE = "collector_processor.stacktraces"


def covered(executions: int, directory: Path) -> float:
    """The share of lines that so many executions reach. They have to succeed."""
    environment = {**os.environ, "COVERAGE_FILE": str(directory / "coverage")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "coverage", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=3000)

    fuzzed = run("run", "--rcfile=", f"--source={PACKAGE}", "-m", fuzzing.__name__, "--executions", str(executions))
    assert fuzzed.returncode == 0, fuzzed.stdout + fuzzed.stderr
    report = run("json", "--rcfile=", "-o", str(directory / "coverage.json"))
    assert report.returncode == 0, report.stdout + report.stderr
    totals = json.loads((directory / "coverage.json").read_text())["totals"]
    return float(totals["percent_covered"])


@pytest.mark.timeout(900)  # many processes may share the machine
def test_a_few_thousand(tmp_path: Path) -> None:
    assert covered(3000, tmp_path) >= COVERED


def test_the_same_seed_makes_the_same_texts() -> None:
    one, other = fuzzing.executed(50), fuzzing.executed(50)
    assert not one.failures
    assert (one.characters, one.with_frames) == (other.characters, other.with_frames)
    assert one.with_frames > 25  # near to what programs print, not noise


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_million() -> None:
    figures = fuzzing.executed(1_000_000, seed=fuzzing.SEED + 1)
    assert figures.failures == []
