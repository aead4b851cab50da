"""``otel-errors assets export``: from a checkout and an installed package, never overwriting unasked, with options."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from collector_processor.commands import assets
from tests.programs import required_program

REPOSITORY = Path(assets.__file__).resolve().parents[2]
EXPECTED = {
    "dashboards/otel-errors-overview.json",
    "dashboards/otel-errors-issue.json",
    "provisioning/dashboards/dashboards.yml",
    "provisioning/datasources/datasources.yml",
    "rules/otel-errors.rules.yml",
    "alertmanager/alertmanager.yml",
    "alertmanager/templates/otel-errors.tmpl",
    "prometheus/prometheus.yml",
}


def export(*arguments: str | Path, environment: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(assets.app, ["export", *map(str, arguments)], env=environment)


def exported(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_checkout_exports_the_committed_files(tmp_path: Path) -> None:
    result = export(tmp_path / "new" / "out")
    assert result.exit_code == 0, result.output
    assert exported(tmp_path / "new" / "out") == EXPECTED
    sources = {"dashboards": "dashboards/json", "provisioning": "dashboards/provisioning"}
    for name in EXPECTED:
        first, _, rest = name.partition("/")
        source = REPOSITORY / sources.get(first, f"alert_rules/{first}") / rest
        assert (tmp_path / "new" / "out" / name).read_bytes() == source.read_bytes()


def test_nothing_is_overwritten_unless_forced(tmp_path: Path) -> None:
    assert export(tmp_path).exit_code == 0
    mine = tmp_path / "alertmanager" / "alertmanager.yml"
    mine.write_text("mine", encoding="utf-8")
    (tmp_path / "rules" / "otel-errors.rules.yml").unlink()
    refused = export(tmp_path)
    assert refused.exit_code == 2
    assert "--force" in refused.output
    assert mine.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "rules" / "otel-errors.rules.yml").exists(), "all or nothing"
    assert export(tmp_path, "--force").exit_code == 0
    assert mine.read_text(encoding="utf-8") != "mine"
    assert exported(tmp_path) == EXPECTED
    again = export(tmp_path)
    assert again.exit_code == 0, "the same files are no conflict"
    assert "0 of them written" in again.output


def test_options_reach_receivers_and_rules(tmp_path: Path) -> None:
    result = export(
        tmp_path,
        "--pager-webhook=https://pager.example/x",
        "--unacknowledged-after=5m",
        "--grafana-url=https://grafana.example",
        "--smtp-smarthost=mail.example:25",
        "--smtp-from=errors@example.org",
        environment={"CRITICAL_ERROR_RECIPIENTS": "ops@example.org,lead@example.org"},
    )
    assert result.exit_code == 0, result.output
    text = (tmp_path / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8")
    receivers = {one["name"]: one for one in yaml.safe_load(text)["receivers"]}
    assert receivers["pager"]["webhook_configs"][0]["url"] == "https://pager.example/x"
    assert receivers["pager"]["email_configs"][0]["to"] == "ops@example.org, lead@example.org"
    rules = (tmp_path / "rules" / "otel-errors.rules.yml").read_text(encoding="utf-8")
    assert "> 300" in rules
    assert "https://grafana.example/d/otel-errors-issue" in rules
    for program, *arguments in (
        ("promtool", "check", "rules", "rules/otel-errors.rules.yml"),
        ("promtool", "check", "config", "prometheus/prometheus.yml"),
        ("amtool", "check-config", "alertmanager/alertmanager.yml"),
    ):
        command = [required_program(program), *arguments]
        checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--pager-webhook=pager", "--pager-webhook"),
        ("--unacknowledged-after=soon", "--unacknowledged-after"),
        ("--email-to=ops@example.org", "--smtp-smarthost"),
        ("--burst-events=0", "--burst-events"),
        ("--burst-events=x", "--burst-events"),
    ],
)
def test_bad_options_are_usage_errors_and_write_nothing(option: str, told: str, tmp_path: Path) -> None:
    result = export(tmp_path / "out", option)
    assert result.exit_code == 2
    assert told in result.output
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = export(tmp_path / "file")
    assert result.exit_code == 1
    assert "cannot be written" in result.output
    assert str(tmp_path / "file") in result.output


def test_an_installed_package_exports_the_same_with_options(tmp_path: Path) -> None:
    """Laid out as the wheel does it, away from the repository."""
    site = tmp_path / "site"
    package = site / "collector_processor"
    (package / "commands").mkdir(parents=True)
    for name in ("__init__.py", "commands/__init__.py", "commands/assets.py"):
        shutil.copy(REPOSITORY / "collector_processor" / name, package / name)
    shutil.copytree(REPOSITORY / "dashboards" / "json", package / "_assets" / "dashboards")
    shutil.copytree(REPOSITORY / "dashboards" / "provisioning", package / "_assets" / "provisioning")
    shutil.copytree(
        REPOSITORY / "alert_rules", package / "_assets" / "alert_rules", ignore=shutil.ignore_patterns("__pycache__")
    )
    code = "from collector_processor.commands.assets import app; app()"
    out = tmp_path / "out"
    command = [sys.executable, "-P" if sys.version_info >= (3, 11) else "-B", "-c", code, "export", str(out)]
    command += ["--pager-webhook", "https://pager.example/x"]
    environment = {key: value for key, value in os.environ.items() if key != "CRITICAL_ERROR_RECIPIENTS"}
    environment |= {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    assert exported(out) == EXPECTED
    assert "https://pager.example/x" in (out / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8")
    assert (out / "rules" / "otel-errors.rules.yml").read_bytes() == (
        REPOSITORY / "alert_rules" / "rules" / "otel-errors.rules.yml"
    ).read_bytes()
