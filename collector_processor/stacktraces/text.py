"""From the text that arrived to the lines that a language's reader sees.

Stack texts come cut, escaped into one line, coloured, with CRLF, and with a log prefix in front of each line. All of
that is undone here, once, so that the readers know one form. Everything is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

MAX_CHARACTERS = 65_536
"""Of one stack text; what is longer loses its middle: JavaScript has the error at the head, Python at the tail."""

MAX_LINES = 4096
"""Of one stack text, head and tail kept: a text of the greatest length has sixteen characters a line then, and frames
have more. What each line costs every reader would add up over a text of line ends alone."""

SHORTENED = "... shortened ..."
_HEAD = MAX_CHARACTERS // 4
_TAIL = MAX_CHARACTERS - _HEAD - len(SHORTENED) - 2

LOG_LEVELS = frozenset(["INFO", "WARNING", "WARN", "ERROR", "DEBUG", "CRITICAL", "FATAL", "TRACE", "NOTICE", "SUMMARY"])
"""Words before a colon that look like the type of an exception and are none."""

MESSAGE_MARK = "\ue000message\ue000"
"""Stands for the record's own message while a text is read: no message can then pass for a header or a frame, and
texts that differ in their message only are one text to the cache. Private use characters, so that no real text holds
it by accident."""

_T = TypeVar("_T")
_REMEMBERED = 512
_ANSWERS = 4096

_COLOUR = re.compile(r"\x1b\[[0-9;]{0,16}m")
_LINKS = ("Caused by", "Suppressed", "Wrapped by", "[cause]", "caused by")
"""In front of a header, not of a message: Java's ``new RuntimeException(cause)`` has the cause's header for message."""
_ESCAPE = re.compile(r"\\(?:r\\n|(.))")
_ESCAPED_FRAME = re.compile(r"\\n(?:\\t|[ \t]{0,64})(?:at |File |from |#[0-9])")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\n", '"': '"', "'": "'", "\\": "\\", "/": "/"}
_DIGIT = re.compile("[0-9]")
_DIGITS = re.compile("[0-9]+")
_MAX_PREFIX = 192
_INDENTED = "   "
"""Python's frames have two blanks in front of them, whatever stands above."""
_CLOCK = re.compile(r"[0-9]:[0-9]{2}:[0-9]{2}")
_MARKED = re.compile(r"\w[ \t]{0,64}\| |^\[\w+\] |^[VDIWEF]/\w")
"""The bar of docker compose, the level in brackets of sbt and Maven, Android's level and tag."""
_PREFIX_END = re.compile(r".*(?:: |\| |\] | - | [FP] )", re.DOTALL)
_CLOCK_END = re.compile(r".*?0:0:0\S* ")


class _Memory(dict[str, _T], Generic[_T]):
    """A dict that asks when it does not know: an answer that is there costs no Python call."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[str], _T]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, text: str) -> _T:
        answer = self._function(text)
        if len(text) <= _REMEMBERED:
            if len(self) >= _ANSWERS:
                self.clear()  # cheaper than to keep an order of use, and as good: a program's lines come back at once
            self[text] = answer
        return answer


def remembered(function: Callable[[str], _T]) -> Callable[[str], _T]:
    """A bounded memory of ``function``'s answers. Lines and file names repeat from stack to stack; long ones, which
    only a hostile text has many of, are not kept."""
    return _Memory(function).__getitem__


def bounded(text: str) -> str:
    """At most ``MAX_CHARACTERS``, head and tail kept, cut at line ends. Cutting twice changes nothing."""
    if len(text) <= MAX_CHARACTERS:
        return text
    head, tail = text[:_HEAD], text[-_TAIL:]
    whole = head.rpartition("\n")[0] or head
    return f"{whole}\n{SHORTENED}\n{tail[tail.find(chr(10)) + 1 :]}"


def cut_message(text: str, message: str) -> str:
    """``text`` with the last place where a header prints ``message`` (after ``: ``, up to a line's end) marked;
    unchanged when there is none."""
    if not message:
        return text
    end = len(text)
    for _ in range(4):  # a cause may carry the same message; more tries are not worth their time
        start = text.rfind(message, 0, end)
        if start < 2:
            return text
        stop = start + len(message)
        if (
            text[start - 2 : start] == ": "
            and (stop == len(text) or text[stop] in "\r\n")
            and not text.endswith(_LINKS, 0, start - 2)
        ):
            return text[:start] + MESSAGE_MARK + text[stop:]
        end = start + len(message) - 1
    return text


def restore_message(text: str | None, message: str) -> str | None:
    """What ``cut_message`` marked, put back."""
    return text.replace(MESSAGE_MARK, message) if text and MESSAGE_MARK in text else text


def uncoloured(text: str) -> str:
    """Without the escape sequences of a terminal, which Python 3.13 and Node put around names."""
    return _COLOUR.sub("", text) if "\x1b" in text else text


def is_plain(text: str) -> bool:
    """Whether a text is as Python prints it, which is what most texts are: nothing of the below need be asked of it."""
    return (
        text.startswith("Traceback (most recent call last):\n")
        and "\r" not in text
        and "\x1b" not in text
        and "\\n" not in text
        and text.count("\n") < MAX_LINES
    )


def lines(text: str) -> list[str]:
    """The lines, ``MAX_LINES`` at most: escapes of a one-liner and carriage returns undone."""
    if "\\n" in text and ("\n" not in text.strip() or (text.count("\n") <= 3 and _ESCAPED_FRAME.search(text))):
        text = _ESCAPE.sub(_unescape, text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    found = text.split("\n")
    if len(found) > MAX_LINES:
        found[MAX_LINES // 4 : len(found) - MAX_LINES * 3 // 4 + 1] = [SHORTENED]
    return found


def without_log_prefix(all_lines: list[str]) -> list[str]:
    """The lines without what a log puts before each of them (``web-1  | ``, ``11-24 10:00:00.1 412 E Tag: ``), the
    same but for its digits; unchanged when they have nothing of the kind in common."""
    first = next((line for line in all_lines if line.strip()), "")
    if first.startswith(_INDENTED):
        return _dedented(all_lines)
    if first == "Traceback (most recent call last):" or len(all_lines) < 2:  # what most texts begin with
        return all_lines
    if not first or not _looks_logged(first[:_MAX_PREFIX]):
        return all_lines
    prefix = _common_prefix(all_lines)
    end = _PREFIX_END.match(prefix) or _CLOCK_END.match(prefix)
    if end is None or not _looks_logged(end[0].replace(":0", ":00")):
        return all_lines
    bare = re.compile(re.escape(end[0].rstrip()).replace("0", "[0-9]+") + " ?")
    return [line[found.end() :] if (found := bare.match(line)) is not None else line for line in all_lines]


def _looks_logged(start: str) -> bool:
    return _CLOCK.search(start) is not None or (
        ("| " in start or start[0] == "[" or start[1:2] == "/") and _MARKED.search(start) is not None
    )


def _dedented(all_lines: list[str]) -> list[str]:
    """The lines of a text that stands indented as a whole, in a document or in another text."""
    width = min(len(line) - len(line.lstrip(" ")) for line in all_lines if line.strip())
    if any(line.startswith("+ Exception Group", width) for line in all_lines[:16]):
        width -= 2  # Python's groups have a margin
    return [line[width:] for line in all_lines] if width >= len(_INDENTED) else all_lines


def _common_prefix(all_lines: Sequence[str]) -> str:
    """What all lines begin with, a ``0`` for each run of digits."""
    shapes = [_DIGITS.sub("0", line[:_MAX_PREFIX]) + " " for line in all_lines if line.strip()]
    first, last = min(shapes), max(shapes)
    return first[: next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), None)]


def without_prefix(all_lines: list[str], prefix: str) -> list[str]:
    """The lines without a log prefix such as ``2026-11-24T10:00:00.123Z web.1 | ``: one with the same letters,
    whatever its digits."""
    width, shape = len(prefix), _DIGIT.sub("0", prefix)
    bare = shape.rstrip()
    plain: list[str] = []
    for line in all_lines:
        start = line[:width]
        if start == prefix or _DIGIT.sub("0", start) == shape:
            plain.append(line[width:])
        elif line and _DIGIT.sub("0", start).rstrip() == bare:
            plain.append("")
        else:
            plain.append(line)
    return plain


def _unescape(match: re.Match[str]) -> str:
    escaped = match[1]
    if escaped is None:
        return "\n"
    return _ESCAPED.get(escaped, match[0])
