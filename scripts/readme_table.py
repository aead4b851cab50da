"""Puts the issue table, as the demo prints it, into README.md: python scripts/readme_table.py (runs the demo once)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
COLUMNS = "140"
_TABLE = re.compile(r"^┏.*?^└[^\n]*$", re.MULTILINE | re.DOTALL)
_TIME = re.compile(r"\d\d:\d\d:\d\d")


def run_demo(*arguments: str) -> str:
    """What ``demo --once`` prints, in a terminal as wide as the README's table. Raises when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "collector_processor", "demo", "--once", *arguments],
        env={**os.environ, "COLUMNS": COLUMNS},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


def table_in(text: str) -> str:
    """The issue table in a text: the demo's output or the README."""
    found = _TABLE.search(text)
    if found is None:
        raise ValueError("there is no issue table in this text")
    return found.group()


def lines_without_times(table: str) -> list[str]:
    """What two runs have in common: the times differ, and with them the order of issues that are alike in rank."""
    return sorted(_TIME.sub("hh:mm:ss", line).rstrip() for line in table.splitlines())


if __name__ == "__main__":
    readme = README.read_text(encoding="utf-8")
    README.write_text(readme.replace(table_in(readme), table_in(run_demo())), encoding="utf-8")
