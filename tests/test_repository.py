"""What holds for the repository as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GENERATED = (
    [sys.executable, "scripts/settings_document.py", "--check"],
    [sys.executable, "scripts/commands_document.py", "--check"],
    [sys.executable, "-m", "dashboards.build", "--check"],
    [sys.executable, "-m", "alert_rules.build", "--check"],
)


@pytest.mark.parametrize("command", GENERATED, ids=lambda command: " ".join(command[1:]))
def test_generated_files_are_current(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_lock_has_hashes_for_everything_and_names_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text()
    entry = r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==[^\n]*((?:\n    --hash=sha256:[0-9a-f]{64}[^\n]*)+)"
    pins = re.findall(entry, text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z0-9][^\s]*==", text, re.MULTILINE)) > 50
    assert not re.search(r"https?://|--index-url|--find-links|--extra-index", text)


def test_the_lock_holds_every_dependency_of_the_project() -> None:
    names = re.findall(r"^([a-z0-9][a-z0-9._-]*)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    locked = {name.replace("_", "-") for name in names}
    project = (ROOT / "pyproject.toml").read_text()
    lists = re.findall(r"^(?:dependencies|processor|dev) = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert len(lists) == 3
    entries = [entry for block in lists for entry in re.findall(r'"([^"]+)"', block)]
    wanted = {re.sub(r"[^a-z0-9-].*", "", entry) for entry in entries}
    assert wanted <= locked


def test_no_file_of_ours_is_asking_to_be_two() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for package in ("otel_errors", "collector_processor", "dashboards", "alert_rules", "scripts")
        for path in (ROOT / package).rglob("*.py")
        if (lines := path.read_text().count("\n")) > 400
    }
    assert long == {}


def test_the_index_of_the_documents_names_them_all() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    pages |= {f"{path.name}/README.md" for path in (ROOT / "docs").iterdir() if (path / "README.md").exists()}
    assert {page for page in pages if f"]({page})" not in index} == set()


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text()):
            if not target.startswith(("http://", "https://")) and not (document.parent / target).exists():
                broken.append(f"{document.relative_to(ROOT)}: {target}")
    assert broken == []
