"""The README's commands, as a newcomer runs them: a clean clone, an empty home, each block in order."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [code for found, code in BLOCK.findall((ROOT / "README.md").read_text()) if found == language]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("newcomer") / "otel-errors"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder)], check=True)
    return folder


def environment(home: Path, **more: str) -> dict[str, str]:
    """An empty home; of this process only what finds programs and packages."""
    kept = {
        name: value for name, value in os.environ.items() if name == "PATH" or name.startswith(("PIP_", "SSL_", "LANG"))
    }
    kept["PATH"] = os.pathsep.join(part for part in kept["PATH"].split(os.pathsep) if not part.startswith(str(ROOT)))
    home.mkdir(exist_ok=True)
    return {**kept, "HOME": str(home), **more}


@pytest.mark.timeout(900)
def test_every_command_of_the_readme_runs(clone: Path, tmp_path: Path) -> None:
    commands = blocks("sh")
    assert any("scripts/demo --once" in block for block in commands)
    assert any("scripts/test" in block for block in commands)
    for block in commands:
        done = subprocess.run(
            ["sh", "-eu", "-c", block],
            cwd=clone,
            # The whole suite inside of one of its tests would not end: of scripts/test, one quick file is run.
            env=environment(tmp_path / "home", PYTEST_ADDOPTS="tests/otel_errors/test_seen.py"),
            capture_output=True,
            text=True,
            timeout=800,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.mark.timeout(900)
def test_the_three_lines_instrument_a_service(clone: Path, tmp_path: Path) -> None:
    """The README's Python block is a service; under its command line the error is recorded."""
    (service,) = blocks("python")
    subprocess.run(  # nothing to do when the test above has run before
        ["scripts/with-venv", "python", "-c", ""], cwd=clone, env=environment(tmp_path / "home"), check=True
    )
    (tmp_path / "service.py").write_text(service)
    done = subprocess.run(
        [
            str(clone / ".venv/bin/opentelemetry-instrument"),
            "--traces_exporter",
            "console",
            "--logs_exporter",
            "console",
            "--metrics_exporter",
            "none",
            "python",
            "service.py",
        ],
        cwd=tmp_path,
        env=environment(tmp_path / "home", PATH=f"{clone / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert '"otel_errors.event_id"' in done.stdout, done.stdout[-3000:] + done.stderr[-3000:]
