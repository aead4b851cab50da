"""Which text a value of bytes holds: UTF-8, -16, -32 or Latin-1 as a whole, else what can be read inside it. Pure."""

from __future__ import annotations

import codecs
import re
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as the mark of UTF-16 does: looked for first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LATIN1: Final = re.compile(rb"[\t\n\r\x20-\x7e\xa0-\xff]*")
_WITHOUT_MARK: Final = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")

READABLE: Final = re.compile(
    rb"(?P<utf_16_le>(?:[\t\n\r\x20-\x7e]\x00){4,})"
    rb"|(?P<utf_16_be>(?:\x00[\t\n\r\x20-\x7e]){4,})"
    rb"|(?P<ascii>[\t\n\r\x20-\x7e]{4,})"
)
"""Runs that can be read inside a binary value; the name of the group that matched is their encoding."""


def encoding_of(data: bytes) -> str | None:
    """The encoding in which all of ``data`` is a text without NULs; None when it is binary."""
    for mark, encoding in _MARKS:
        if data.startswith(mark) and _is_text(data, encoding):
            return encoding
    if b"\0" not in data:
        if _is_text(data, "utf-8"):
            return "utf-8"
        return "latin-1" if _LATIN1.fullmatch(data) and _is_text(data, "latin-1", mostly_ascii=True) else None
    # Bytes of random make valid UTF-16 too, of letters that nobody uses: only what is ASCII for the most part counts.
    return next((one for one in _WITHOUT_MARK if _is_text(data, one, mostly_ascii=True)), None)


def _is_text(data: bytes, encoding: str, *, mostly_ascii: bool = False) -> bool:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return False
    if "\0" in text:
        return False
    return not mostly_ascii or 2 * sum(map(str.isascii, text)) > len(text)
