"""The wheel: what it says without the extra, and what it carries."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_without_the_extra_the_command_says_how_to_install_it(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)],
        check=True,
        capture_output=True,
    )
    done = subprocess.run(
        [str(tmp_path / "venv" / "bin" / "otel-errors"), "serve"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pip install 'otel-errors[processor]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_wheel_exports_its_assets(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(installed), str(wheel)],
        check=True,
        capture_output=True,
    )
    done = subprocess.run(
        [sys.executable, "-m", "collector_processor", "assets", "export", str(tmp_path / "assets")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    exported = {path.name for path in (tmp_path / "assets").rglob("*") if path.is_file()}
    assert {
        "otel-errors-overview.json",
        "otel-errors-issue.json",
        "otel-errors.rules.yml",
        "alertmanager.yml",
        "prometheus.yml",
        "dashboards.yml",
    } <= exported


def test_the_wheel_carries_pages_and_migrations(wheel: Path) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(wheel)], capture_output=True, text=True, check=True
    )
    for name in (
        "web/templates/issue.html",
        "web/static/style.css",
        "issues/migrations/env.py",
        "otel_errors/py.typed",
    ):
        assert name in listed.stdout
