"""Writes the table in docs/settings.md from collector_processor/settings.py: python scripts/settings_document.py
[--check]."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from collector_processor.settings import ENVIRONMENT_PREFIX, NESTING, Settings

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"


def fields(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every leaf of the tree: dotted path and field."""
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, field


def table() -> str:
    """The settings as a Markdown table."""
    lines = ["| key | environment | default | |", "|---|---|---|---|"]
    for path, field in fields(Settings):
        name = ENVIRONMENT_PREFIX + path.upper().replace(".", NESTING)
        default = "unset" if field.default is None else f"`{field.default}`" if field.default != () else "none"
        text = " ".join((field.description or "").replace("``", "`").split())
        lines.append(f"| `{path}` | `{name}` | {default} | {text} |")
    return "\n".join(lines) + "\n"


def document() -> str:
    """The document with its table made anew."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    wanted = document()
    if "--check" in sys.argv[1:]:
        raise SystemExit(
            0
            if DOCUMENT.read_text(encoding="utf-8") == wanted
            else f"{DOCUMENT.name} is not current: python scripts/settings_document.py"
        )
    DOCUMENT.write_text(wanted, encoding="utf-8")
