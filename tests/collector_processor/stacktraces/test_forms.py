"""What each language prints, form by form: ``forms/LANGUAGE.txt``.

A form is ``=== name``, the text, ``--->`` and what it says: ``> type ¦ message ¦ parent`` for each exception, below it
its frames as ``function ¦ file ¦ line ¦ column``, ``-`` or nothing for what the text does not say. Every form is read
with its language told and with it found, as it stands and through what a log does to a text.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

import pytest

from collector_processor.stacktraces import StackTrace, parse

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


def said(trace: StackTrace, wanted: list[str]) -> list[str]:
    """The trace in the words of ``wanted``: of each exception only what its line asks about."""
    asked = iter([line.count("¦") for line in wanted if line.startswith(">")])
    lines = []
    for node in trace.exceptions:
        parent = "-" if node.parent is None else str(node.parent)
        head = [node.type or "-", (node.message or "-").replace("\n", "⏎"), parent]
        lines.append("> " + " ¦ ".join(head[: next(asked, 2) + 1]))
        for frame in node.frames:
            fields = [frame.function, frame.file, frame.line, frame.column]
            words = ["-" if field is None else str(field) for field in fields]
            while len(words) > 1 and words[-1] == "-":
                words.pop()
            lines.append(" ¦ ".join(words))
    return lines


FORMS = forms()
NAMES = [f"{form.language}: {form.name}" for form in FORMS]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")


def _prefixed(text: str) -> str:
    return "\n".join(
        f"2026-11-24T10:00:{n % 60:02d}.{n:06d}Z web-1 | {line}" for n, line in enumerate(text.split("\n"))
    )


WRAPPINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "escaped into one line": _escaped,
    "a prefix on each line": _prefixed,
    "indented": lambda text: "\n".join("    " + line for line in text.split("\n")),
}


@pytest.mark.parametrize("form", FORMS, ids=NAMES)
def test_every_form(form: Form) -> None:
    for told in [form.language] if form.told_only else [form.language, ""]:
        trace = parse(form.text, told)
        assert said(trace, form.says) == form.says, f"told {told!r}"
        assert trace.language == form.language


@pytest.mark.parametrize("wrapping", list(WRAPPINGS)[1:])
def test_every_form_out_of_a_log(wrapping: str) -> None:
    missed = {}
    for name, form in zip(NAMES, FORMS, strict=True):
        wanted = [line for line in form.says if not line.startswith(">")]
        trace = parse(WRAPPINGS[wrapping](form.text), form.language)
        got = [line for line in said(trace, form.says) if not line.startswith(">")]
        if got != wanted and not form.plain_only:
            missed[name] = (got, wanted)
    assert not missed


@pytest.mark.parametrize(("name", "form"), list(zip(NAMES, FORMS, strict=True)), ids=NAMES)
def test_no_cut_invents_a_frame(name: str, form: Form) -> None:
    """A text that was cut at a line's end says a part of what the whole says."""
    if "(two)" in name:
        pytest.skip("two stacks: which one is reported depends on the cut")
    whole = places(parse(form.text, form.language))
    all_lines = form.text.split("\n")
    for cut in range(1, len(all_lines)):
        assert places(parse("\n".join(all_lines[:cut]), form.language)) <= whole


def places(trace: StackTrace) -> set[tuple[str, int | None]]:
    return {
        (PureWindowsPath(f.file).name, f.line) for node in trace.exceptions for f in node.frames if f.file is not None
    }
