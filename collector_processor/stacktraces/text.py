"""From the text that arrived to the lines that a language's reader sees.

Stack texts come cut, escaped into one line, coloured, with CRLF, and with a log prefix in front of each line. All of
that is undone here, once, so that the readers know one form. Everything is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

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

_COLOUR = re.compile(r"\x1b\[[0-9;]{0,16}m")
_ESCAPE = re.compile(r"\\(?:r\\n|(.))")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\n", '"': '"', "'": "'", "\\": "\\", "/": "/"}
_DIGIT = re.compile("[0-9]")


def remembered(function: Callable[[str], _T]) -> Callable[[str], _T]:
    """A bounded memory of ``function``'s answers. Lines and file names repeat from stack to stack; long ones, which
    only a hostile text has many of, are not kept."""
    cached = lru_cache(maxsize=4096)(function)

    @wraps(function)
    def answer(text: str) -> _T:
        return cached(text) if len(text) <= _REMEMBERED else function(text)

    return answer


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
        if text[start - 2 : start] == ": " and (stop == len(text) or text[stop] in "\r\n"):
            return text[:start] + MESSAGE_MARK + text[stop:]
        end = start + len(message) - 1
    return text


def restore_message(text: str | None, message: str) -> str | None:
    """What ``cut_message`` marked, put back."""
    return text.replace(MESSAGE_MARK, message) if text and MESSAGE_MARK in text else text


def uncoloured(text: str) -> str:
    """Without the escape sequences of a terminal, which Python 3.13 and Node put around names."""
    return _COLOUR.sub("", text) if "\x1b" in text else text


def lines(text: str) -> list[str]:
    """The lines, ``MAX_LINES`` at most: escapes of a one-liner and carriage returns undone."""
    if "\\n" in text and "\n" not in text.strip():
        text = _ESCAPE.sub(_unescape, text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    found = text.split("\n")
    if len(found) > MAX_LINES:
        found[MAX_LINES // 4 : len(found) - MAX_LINES * 3 // 4 + 1] = [SHORTENED]
    return found


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
