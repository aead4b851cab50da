"""Texts that others wrote, as they may stand in a page: escaped, bounded, and with nothing hidden in them.

Control and bidirectional characters make a text look like another one ("Trojan source"), so they are shown by their
code point.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from markupsafe import Markup, escape

MAX_MESSAGE_CHARACTERS: Final = 4_000
MAX_RAW_CHARACTERS: Final = 200_000
MAX_VALUE_CHARACTERS: Final = 500

_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Controls but tab and line feed, joiners and fillers of no width, bidirectional marks, variation selectors, tags, lone
surrogates."""


def visible(text: str) -> Markup:
    """``text`` escaped, each hidden character as ``<span class="hidden-character">U+202E</span>``. Line feeds and tabs
    stay."""
    parts: list[Markup] = []
    last = 0
    for match in _HIDDEN.finditer(text):
        parts.append(escape(text[last : match.start()]))
        parts.append(_named(match.group()))
        last = match.end()
    parts.append(escape(text[last:]))
    return Markup("").join(parts)


def visible_line(text: str, limit: int = MAX_VALUE_CHARACTERS) -> Markup:
    """``visible`` for one line of at most ``limit`` characters: line ends become a space."""
    return visible(" ".join(shortened(text, limit).split()))


def plain_line(text: str, limit: int = MAX_VALUE_CHARACTERS) -> str:
    """For attributes and the page's title, where no element can stand: hidden characters as ``U+202E``. Still to be
    escaped (autoescape does)."""
    line = " ".join(shortened(text, limit).split())
    return _HIDDEN.sub(lambda match: f"[{code_point(match.group())}]", line)


def shortened(text: str, limit: int) -> str:
    """The first ``limit`` characters, with a word about the rest."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]} … ({len(text) - limit:,} more characters)"


def shortened_middle(text: str, limit: int) -> str:
    """Head and tail: of a stack, both ends matter."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… ({len(text) - 2 * half:,} characters left out) …\n{text[-half:]}"


def code_point(character: str) -> str:
    return f"U+{ord(character):04X}"


def _named(character: str) -> Markup:
    name = unicodedata.name(character, "control character").lower()
    return Markup('<span class="hidden-character" title="{}">{}</span>').format(name, code_point(character))
