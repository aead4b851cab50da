"""What each language prints (``forms/LANGUAGE.txt``): with its language told and with it found, as it stands and
through what a log does to a text."""

from __future__ import annotations

from pathlib import PureWindowsPath

import pytest

from collector_processor.stacktraces import StackTrace, parse
from tests.collector_processor.stacktraces.forms import WRAPPINGS, Form, forms


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


@pytest.mark.parametrize("form", FORMS, ids=NAMES)
def test_every_form(form: Form) -> None:
    for told in [form.language] if form.told_only else [form.language, ""]:
        trace = parse(form.text, told)
        assert said(trace, form.says) == form.says, f"told {told!r}"
        assert trace.language == form.language


@pytest.mark.parametrize("wrapping", list(WRAPPINGS))
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
