"""What scripts/demo and scripts/test say on a machine that lacks something: one sentence, no traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the scripts need of a checkout, without a ``.venv``."""
    folder = tmp_path / "otel-errors"
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    return folder


def programs(folder: Path, python: str) -> Path:
    """A PATH with a shell's few programs and a ``python3`` that is the script ``python``."""
    folder.mkdir()
    for name in ("sh", "dirname"):
        (folder / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    (folder / "python3").write_text(f"#!/bin/sh\n{python}\n")
    (folder / "python3").chmod(0o755)
    return folder


def call(checkout: Path, path: Path, **environment: str) -> list[str]:
    """The lines that scripts/demo says; it must fail."""
    done = subprocess.run(
        ["/bin/sh", "scripts/demo", "--once"],
        cwd=checkout,
        env={"PATH": str(path), "HOME": str(checkout.parent), "PIP_CONFIG_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


def test_a_python_that_is_too_old(checkout: Path, tmp_path: Path) -> None:
    too_old = programs(tmp_path / "bin", "exit 1  # what the question for 3.10 comes to on 3.9")
    (said,) = call(checkout, too_old)
    assert "Python 3.10 or newer" in said


def test_a_python_without_venv(checkout: Path, tmp_path: Path) -> None:
    """Debian's Python comes without it; here a module in front of it says that there is none."""
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow" / "venv.py").write_text("raise ModuleNotFoundError(\"No module named 'venv'\")\n")
    path = programs(tmp_path / "bin", f'exec {sys.executable} "$@"')
    *_, said = call(checkout, path, PYTHONPATH=str(tmp_path / "shadow"))
    assert f"apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv" in said


def test_a_package_index_that_does_not_answer(checkout: Path, tmp_path: Path) -> None:
    path = programs(tmp_path / "bin", f'exec {sys.executable} "$@"')
    nobody = "http://127.0.0.1:9/simple"
    *_, said = call(checkout, path, PIP_INDEX_URL=nobody, PIP_RETRIES="0", PIP_TIMEOUT="5")
    assert "the package index does not answer" in said
    assert "PIP_INDEX_URL" in said


def test_a_venv_that_cannot_be_written(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".venv").write_text("")
    path = programs(tmp_path / "bin", f'exec {sys.executable} "$@"')
    (said,) = call(checkout, path)
    assert ".venv cannot be written" in said
