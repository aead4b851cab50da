"""Whether a position stands on a line of source code that a stack trace shows: there an identifier is not a value."""

from __future__ import annotations

import re

from collector_processor.stages.redact.rule import vocabulary

_MAX_LINE = 512
_FRAME = re.compile(r'([\s|]*)File ".*", line \d+.*', re.ASCII)
_MARKER = re.compile(r"[\s|]*[\^~][\s^~]*", re.ASCII)
_NUMBERED = re.compile(r"\d+\s*[|¤:]\s.*", re.ASCII)
_KEYWORDS = vocabulary("def async function func fn return raise elif assert throw const let var await")


def on_source_line(text: str, position: int) -> bool:
    """Whether the line before names a Python frame, the line after underlines this one, or it looks like code
    itself."""
    if "\n" not in text:
        return position <= _MAX_LINE and _is_code(text[: position + _MAX_LINE])
    start = text.rfind("\n", max(0, position - _MAX_LINE), position) + 1
    if start == 0 and position > _MAX_LINE:
        return False
    end = text.find("\n", position, position + _MAX_LINE)
    line = text[start : end if end >= 0 else position + _MAX_LINE]
    if _is_code(line):
        return True
    if not start and end < 0:
        return False
    if start:
        before = text[text.rfind("\n", max(0, start - 1 - _MAX_LINE), start - 1) + 1 : start - 1]
        frame = _FRAME.fullmatch(before)
        if frame is not None and not line[: frame.end(1) + 1].strip(" \t|"):
            return True  # indented deeper than its frame; else it is the exception's own line
    if end < 0:
        return False
    after_end = text.find("\n", end + 1, end + 1 + _MAX_LINE)
    after = text[end + 1 : after_end if after_end >= 0 else end + 1 + _MAX_LINE]
    return bool(after.strip()) and _MARKER.fullmatch(after) is not None


def _is_code(line: str) -> bool:
    """A line number in front (``> 12 | …``), or a word that only programs begin a line with."""
    bare = line.lstrip(" \t>|")
    if not bare:
        return False
    if bare[0].isdigit():
        return _NUMBERED.fullmatch(bare) is not None
    word, blank, _ = bare.partition(" ")
    return bool(blank) and word in _KEYWORDS and line.lstrip()[0] not in ">|"
