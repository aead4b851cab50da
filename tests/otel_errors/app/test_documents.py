"""The pages for application authors: their examples run, their tables are current."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from otel_errors.log_lines import FIELDS
from otel_errors.semconv import CONTEXT_PREFIX

ROOT = Path(__file__).resolve().parents[3]
PAGES = ("application-errors", "messages", "logging")


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_the_examples_of_a_page_run(name: str, tmp_path: Path) -> None:
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL))
    assert code
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "LOG_", "APP_"))}
    done = subprocess.run(
        [sys.executable, "example.py"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if name == "logging":
        line = (tmp_path / "log" / "shop.jsonl").read_text(encoding="utf-8")
        assert '"request_id": "r-17"' in line
        assert "4111" not in line + done.stderr


def test_the_table_of_codes_is_what_the_program_prints() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "otel_errors.error_codes"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    shown = page("application-errors").partition("<!-- codes -->\n")[2].partition("<!-- end of codes -->")[0]
    assert shown == printed


def test_every_name_of_the_library_on_the_pages_is_there() -> None:
    names = {name for each in PAGES for name in re.findall(r"`(otel_errors\.[a-z_]+\.[A-Za-z_]+)`", page(each))}
    names = {name for name in names if not name.startswith(CONTEXT_PREFIX)}
    assert len(names) >= 10
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


PLANNED = """
    Config LOG_LEVEL LOG_FILE_PATH LOG_MAX_BYTES LOG_BACKUP_COUNT APP_ENV ENABLE_EXTERNAL_REPORTING
    EXTERNAL_REPORTING_DSN CRITICAL_ERROR_RECIPIENTS app_errors BaseAppError message error_code details is_critical
    to_dict ValidationError field_errors AuthenticationError AuthorizationError ResourceNotFoundError resource_id
    ConflictError ServiceUnavailableError service_name InternalServerError logger_setup setup_logger ErrorHandler
    handle_exception context log_level
"""


def test_every_planned_name_is_in_the_table_and_stands_for_something() -> None:
    table = page("application-errors").partition("## From the original plan's names")[2].partition("\n## ")[0]
    rows = [row.split(" | ") for row in table.splitlines() if row.startswith("| ")][1:]
    planned = {name for row in rows for name in re.findall(r"[A-Za-z_]+", " ".join(re.findall("`(.*?)`", row[0])))}
    assert [name for name in PLANNED.split() if name not in planned] == []
    assert all(len(row) == 2 and len(row[1]) > len(" |") for row in rows)


def test_the_page_of_the_logger_names_every_field_and_setting() -> None:
    text = page("logging")
    assert [field for field in FIELDS if f"`{field}`" not in text] == []
    modules = [importlib.import_module(f"otel_errors.{name}") for name in ("logger", "external_reporting")]
    settings = {value for module in modules for key, value in vars(module).items() if key == value}
    assert len(settings) == 7
    assert [name for name in settings if f"| `{name}` |" not in text] == []
