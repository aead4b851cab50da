from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

USAGE = Path(__file__).with_name("typed_usage.py")


def test_the_typed_usage_runs() -> None:
    assert runpy.run_path(str(USAGE))["answer"].status == 500


@pytest.mark.long
@pytest.mark.parametrize(
    "checker", [["mypy", "--strict"], ["pyright", "--pythonpath", sys.executable]], ids=["mypy", "pyright"]
)
def test_type_checkers_see_the_same(checker: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *checker, str(USAGE)], capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
