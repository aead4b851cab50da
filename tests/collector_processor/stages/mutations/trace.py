"""A stack trace as a record carries it, and where its frames stand in the text.

The patterns here are their own: what a mutation changes must not depend on how the readers under test look for it.
Only the questions "which exception is the outermost" and "whose frame is this" are put to the reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from collector_processor.events import ExceptionNode, Frame
from collector_processor.stacktraces import parse

SEEDS = Path(__file__).parent / "seeds"

_JVM = r"^(?P<before>[^\n]*?\bat )(?P<function>[^\n(]+)\((?P<file>[\w$.\- <>]+?)(?::(?P<line>\d+))?\)[^\n]*$"
PATTERNS = {
    language: re.compile(pattern, re.MULTILINE)
    for language, pattern in {
        "python": r'^[ |]*  File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<function>[^\n]+)'
        r"(?:\n(?![ |]*  File )[ |]+ {4}\S[^\n]*)*",
        "javascript": r"^(?P<before>[^\n]*?\bat )(?:(?P<function>[^\n(]+) \()?(?P<file>[^\n()]+?)"
        r"(?::(?P<line>\d+):(?P<column>\d+))?\)?(?: \{)?,?$"
        r"|^(?P<gecko>[^@\n ]*)@(?P<place>[^\n]+?)(?::(?P<row>\d+))?(?::(?P<col>\d+))?$",
        "java": _JVM,
        "kotlin": _JVM,
        "scala": _JVM,
        "go": r"^(?P<function>[^\s(][^\n]*?)(?:\([^\n]*\)|(?: in goroutine \d+)?)\n\t(?P<file>[^\n]+?):(?P<line>\d+)"
        r"(?: \+0x[^\n]*)?$",
        "ruby": r"^(?P<before>\s*(?:from )?)(?P<file>[^\n:]+):(?P<line>\d+):in [`'](?P<function>[^\n']+)'[^\n]*",
        "php": r"^#(?P<number>\d+) (?:(?P<file>[^\n(]+)\((?P<line>\d+)\)|\[internal function\]): "
        r"(?P<function>[^\n(]+)\([^\n]*$"
        r"|^\tat (?P<gecko>[^\n(]+)\((?P<place>[^\n():]+):(?P<row>\d+)\)$",
        "dotnet": r"^\s+at (?P<function>[^\n(]+)\([^\n]*?\)(?: in (?P<file>[^\n]+?):line (?P<line>\d+))?$",
        "rust": r"^ *(?P<number>\d+): +(?:0x[0-9a-f]+ - )?(?P<function>[^\n]+)\n +at (?P<file>[^\n]+?):(?P<line>\d+)"
        r"(?::(?P<column>\d+))?$",
        "elixir": r"^ +(?:\((?P<application>\w+) [\d.]+\) )?(?P<file>[^\s:()]+):(?P<line>\d+): (?P<function>[^\n]+)$",
        "dart": r"^#(?P<number>\d+) +(?P<function>[^\n(]+) \((?P<file>[^\n()]+?)"
        r"(?::(?P<line>\d+))?(?::(?P<column>\d+))?\)$",
        "swift": r"^(?P<number>\d+) (?:\[ra\] )?0x[0-9a-f]+ (?P<function>[^\n]+) \+ \d+ in (?P<module>\S+)"
        r"(?: at (?P<file>[^\n]+?):(?P<line>\d+):(?P<column>\d+))?$",
        "native": r"^ *#?(?P<number>\d+)#? (?:0x[0-9a-f]+ in )?(?P<function>[^\n/]+?)"
        r"(?: (?:at )?(?P<file>[^\s:]+):(?P<line>\d+)(?::(?P<column>\d+))?| in (?P<module>\S+))$",
    }.items()
}
RAISED_LAST = frozenset({"python"})


class Place(NamedTuple):
    """A frame of the text."""

    match: re.Match[str]
    frame: Frame

    def span(self, name: str) -> tuple[int, int]:
        """Where ``function``, ``file``, ``line`` or ``column`` stands; (-1, -1) when the frame has none."""
        other = {"function": "gecko", "file": "place", "line": "row", "column": "col"}[name]
        groups = self.match.re.groupindex
        for group in (name, other):
            if group in groups and self.match.start(group) >= 0:
                return self.match.span(group)
        return -1, -1

    def said(self, name: str) -> str:
        start, end = self.span(name)
        return self.match.string[start:end] if start >= 0 else ""


Edit = tuple[int, int, str]


@dataclass(frozen=True)
class Trace:
    """``language`` as the sender tells it, ``type`` and ``message`` as the record carries them."""

    name: str
    language: str
    type: str
    message: str
    text: str

    def but(self, **changes: str) -> Trace:
        return replace(self, **changes)

    def edited(self, edits: Sequence[Edit]) -> Trace | None:
        """With the parts between the given offsets replaced; None when that changes nothing."""
        text = self.text
        for start, end, new in sorted(set(edits), reverse=True):
            text = text[:start] + new + text[end:]
        return self.but(text=text) if text != self.text else None

    def substituted(self, pattern: str, new: str) -> Trace | None:
        text = re.sub(pattern, new, self.text)
        return self.but(text=text) if text != self.text else None

    @property
    def nodes(self) -> Sequence[ExceptionNode]:
        return parse(self.text, self.language, type=self.type, message=self.message).exceptions

    def places(self, node: int = 0) -> list[Place]:
        """The frames of one exception that the patterns find, raising frame first."""
        nodes = self.nodes
        if node >= len(nodes):
            return []
        left = list(PATTERNS[self.language].finditer(self.text))
        cause_first = self.language == "dotnet" or "\nNext " in self.text
        if self.language in RAISED_LAST or (cause_first and node == 0 and len(nodes) > 1):
            left.reverse()
            wanted = list(nodes[node].frames) if self.language in RAISED_LAST else list(nodes[node].frames)[::-1]
        else:
            wanted = list(nodes[node].frames)
            if node:  # the outer exceptions' frames come first
                left = (
                    left[sum(len(other.frames) for other in nodes[:node]) :]
                    if self.language not in ("dotnet", "php")
                    else left
                )
        found: list[Place] = []
        for frame in wanted:
            for index, match in enumerate(left):
                place = Place(match, frame)
                if (frame.function or "") in match[0] and place.said("line") == str(frame.line or ""):
                    found.append(place)
                    del left[: index + 1]
                    break
        return found if self.language in RAISED_LAST or wanted == list(nodes[node].frames) else found[::-1]

    def all_places(self) -> list[Place]:
        """Every frame of the text that the patterns find, in the text's order."""
        known = {(frame.function or "", str(frame.line or "")): frame for node in self.nodes for frame in node.frames}
        found = []
        for match in PATTERNS[self.language].finditer(self.text):
            bare = Place(match, Frame())
            frame = known.get((bare.said("function").strip(), bare.said("line")))
            found.append(Place(match, frame or Frame(in_app=False)))
        return found

    def raising(self, node: int = 0) -> Place | None:
        """The application's frame nearest to the raise, else the raising one."""
        places = self.places(node)
        return next((place for place in places if place.frame.in_app), places[0] if places else None)


def seeds() -> list[Trace]:
    """The texts in ``seeds/``, their language by the file's name."""
    found = []
    for file in sorted(SEEDS.glob("*.txt")):
        language = file.stem.partition("-")[0]
        text = file.read_text(encoding="utf-8").rstrip("\n")
        found.append(as_recorded(file.stem, language, text))
    return found


def as_recorded(name: str, language: str, text: str, type_: str = "", message: str = "") -> Trace:
    """With the type and message that a record of this text carries."""
    nodes = parse(text, language, type=type_, message=message).exceptions
    outermost = nodes[0] if nodes else ExceptionNode()
    return Trace(name, language, type_ or outermost.type or "", message or outermost.message or "", text)
