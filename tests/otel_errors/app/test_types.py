from __future__ import annotations

import asyncio
import json
import os
import runpy
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import otel_errors

USAGE = Path(__file__).with_name("typed_usage.py")


def test_the_typed_usage_runs() -> None:
    assert asyncio.run(runpy.run_path(str(USAGE))["awaited"]()) == "1"


@pytest.mark.long
@pytest.mark.parametrize("checker", [["mypy", "--strict"], ["pyright"]], ids=["mypy", "pyright"])
def test_type_checkers_see_the_same(checker: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *checker, str(USAGE)], capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_no_public_name_is_without_a_type(tmp_path: Path) -> None:
    """As a user's pyright sees the installed package: in an environment of its own, told by ``py.typed``."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False, symlinks=True)
    installed = Path(sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)}))
    shutil.copytree(Path(otel_errors.__file__).parent, installed / "otel_errors")
    (installed / "needed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"venvPath": str(tmp_path), "venv": "venv"}))
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--verifytypes", "otel_errors", "--ignoreexternal", "--outputjson"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    symbols = json.loads(done.stdout)["typeCompleteness"]["symbols"]
    exported = [symbol for symbol in symbols if symbol["isExported"]]
    assert len(exported) > 500
    assert [symbol["name"] for symbol in exported if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]] == []
