"""Whether a position stands on a line of source code that a stack trace shows: there an identifier is not a value."""

from __future__ import annotations

from collector_processor.stages.redact.pattern import Pattern
from collector_processor.stages.redact.rule import vocabulary

_MAX_LINE = 512
_FRAME = Pattern(r'([\s|]*)File ".*", line \d+.*')
_MARKER = Pattern(r"[\s|]*[\^~]+[\s^~]*")
_NUMBERED = Pattern(r"\d+\s*[|¤:]\s.*")
_KEYWORDS = vocabulary("def async function func fn return raise elif assert throw const let var await")


def on_source_line(text: str, position: int) -> bool:
    """Whether the line before names a Python frame, the line after underlines this one, or it looks like code
    itself."""
    start = text.rfind("\n", max(0, position - _MAX_LINE), position) + 1
    if start == 0 and position > _MAX_LINE:
        return False
    end = text.find("\n", position, position + _MAX_LINE)
    line = text[start : end if end >= 0 else position + _MAX_LINE]
    if _is_code(line):
        return True
    if start:
        before = text[text.rfind("\n", max(0, start - 1 - _MAX_LINE), start - 1) + 1 : start - 1]
        frame = _FRAME.fullmatch(before.encode("latin-1"))
        if frame is not None and not line[: frame[1][1] + 1].strip(" \t|"):
            return True  # indented deeper than its frame; else it is the exception's own line
    if end < 0:
        return False
    after_end = text.find("\n", end + 1, end + 1 + _MAX_LINE)
    after = text[end + 1 : after_end if after_end >= 0 else end + 1 + _MAX_LINE]
    return bool(after.strip()) and _MARKER.fullmatch(after.encode("latin-1")) is not None


def _is_code(line: str) -> bool:
    """A line number in front (``> 12 | …``), or a word that only programs begin a line with."""
    bare = line.lstrip(" \t>|")
    if not bare:
        return False
    if bare[0].isdigit():
        return _NUMBERED.fullmatch(bare.encode("latin-1")) is not None
    word, blank, _ = bare.partition(" ")
    return bool(blank) and word in _KEYWORDS and line.lstrip()[0] not in ">|"
