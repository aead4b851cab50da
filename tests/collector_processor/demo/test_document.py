"""``docs/demo.md`` names the bugs that there are."""

from __future__ import annotations

from pathlib import Path

from collector_processor.demo.bugs import BUGS

DOCUMENT = Path(__file__).parents[3] / "docs" / "demo.md"


def test_the_document_has_every_bug_in_order() -> None:
    rows = [f"| {bug.service} | {f'`{bug.type}`' if bug.type else 'low stock'} | {bug.shows} |" for bug in BUGS]
    assert "\n".join(rows) in DOCUMENT.read_text(encoding="utf-8")
