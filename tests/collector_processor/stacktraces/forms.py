"""What each language prints, form by form: ``forms/LANGUAGE.txt``, and what a log does to a text.

A form is ``=== name``, the text, ``--->`` and what it says: ``> type ¦ message ¦ parent`` for each exception, below it
its frames as ``function ¦ file ¦ line ¦ column``, ``-`` or nothing for what the text does not say.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

DIRECTORY = Path(__file__).parent / "forms"


class Form(NamedTuple):
    language: str
    name: str
    text: str
    says: list[str]

    @property
    def told_only(self) -> bool:
        """Whether the text alone does not show the language."""
        return "(told)" in self.name

    @property
    def plain_only(self) -> bool:
        """Whether the form is itself one of a log's."""
        return "(plain)" in self.name


def forms() -> list[Form]:
    found = []
    for file in sorted(DIRECTORY.glob("*.txt")):
        for part in file.read_text(encoding="utf-8").split("\n=== ")[1:]:
            name, _, rest = part.partition("\n")
            text, arrow, says = rest.partition("\n--->\n")
            assert arrow, name
            found.append(Form(file.stem, name.strip(), text, [line for line in says.split("\n") if line.strip()]))
    return found


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")


def _prefixed(text: str) -> str:
    return "\n".join(
        f"2026-11-24T10:00:{n % 60:02d}.{n:06d}Z web-1 | {line}" for n, line in enumerate(text.split("\n"))
    )


WRAPPINGS: dict[str, Callable[[str], str]] = {
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "escaped into one line": _escaped,
    "a prefix on each line": _prefixed,
    "indented": lambda text: "\n".join("    " + line for line in text.split("\n")),
}
