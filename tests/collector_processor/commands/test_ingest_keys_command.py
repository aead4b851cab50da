"""``ingest-keys``: made, shown once, listed without the key, revoked; and what they open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from collector_processor.commands.ingest_keys import app
from collector_processor.otlp.ingest_keys import KeyFile, digest


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OTEL_ERRORS_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def run(*arguments: str, status: int = 0) -> Any:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == status, result.output
    return result


def test_a_key_from_its_making_to_its_end(data_dir: Path) -> None:
    key = run("create", "checkout").stdout.strip()
    run("create", "pages", "--browser", "--origin", "https://shop.example", "--origin", "http://localhost:3000/")
    assert key.startswith("oeik_")
    shown = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    assert [(one["name"], one["kind"], one["origins"]) for one in shown] == [
        ("checkout", "server", []),
        ("pages", "browser", ["https://shop.example", "http://localhost:3000"]),
    ]
    assert shown[0]["id"] == digest(key)[:12]
    assert key not in run("list").stdout
    run("revoke", shown[0]["id"])
    run("revoke", "pages")
    assert KeyFile(data_dir / "ingest-keys.json").read() == ()
    assert "only loopback" in run("list").stdout


def test_what_cannot_be_done_says_why_and_ends_with_1() -> None:
    assert "needs the origins" in run("create", "pages", "--browser", status=1).stderr
    assert "no ingest key" in run("revoke", "nobody", status=1).stderr
