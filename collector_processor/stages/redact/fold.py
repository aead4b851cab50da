"""One byte a character: the form of a text that the rules are matched on.

A text and its folded form have the same length, so a position in one is a position in the other, whatever the text
holds (accents, emoji, lone surrogates). Folding also takes away disguises that a person would not notice: full-width
digits, typographic quotes and dashes, no-break spaces; and the colours of a terminal, which stand between a key and
its value in what loggers print.
"""

from __future__ import annotations

import codecs
import re
import unicodedata

_HANDLER = "collector_processor.fold"
_COLOUR = re.compile(rb"\x1b\[[0-9;]{0,16}m")

LETTER = "ÿ"
"""Stands for a letter or digit outside Latin-1 that has no plain equivalent."""
OTHER = "¤"
"""Stands for any other character outside Latin-1: emoji, arrows, surrogates."""

_LETTER_BYTE = LETTER.encode("latin-1")
# "Password" in scripts of which Latin-1 has nothing, and what the rules know of the same length.
_PASSWORDS = {
    "пароль": "passwd",
    "Пароль": "passwd",
    "密码": "pw",
    "密碼": "pw",
    "パスワード": "passw",
    "비밀번호": "pass",
    "סיסמה": "passw",
    "hasło": "haslo",
    "Hasło": "haslo",
    "şifre": "sifre",
    "Şifre": "sifre",
}
_FULL_WIDTH = "\uff00"
"""From here on letters have plain equivalents (or are beyond the basic plane: slower, not different)."""

_QUOTES = dict.fromkeys("“”„‟″", '"') | dict.fromkeys("‘’‚‛′", "'")
_SPACES_AND_DASHES = dict.fromkeys("‐‑‒–—―−﹣", "-") | dict.fromkeys("\u2028\u2029", "\n")
_EQUIVALENTS = {ord(a): ord(b) for a, b in (_QUOTES | _SPACES_AND_DASHES).items()}

# Of Latin-1 itself: the no-break space is a space, the soft hyphen a hyphen, guillemets are quotes.
_LATIN1 = bytes.maketrans(b"\xa0\xad\xab\xbb", b' -""')


def _fold_character(character: str) -> int:
    code = ord(character)
    if code in _EQUIVALENTS:
        return _EQUIVALENTS[code]
    if 0xFF01 <= code <= 0xFF5E:  # full-width forms of ASCII
        return code - 0xFEE0
    category = unicodedata.category(character)
    if category == "Nd":
        return 0x30 + unicodedata.decimal(character)
    if category == "Zs":
        return 0x20
    return ord(LETTER) if category[0] in "LMN" else ord(OTHER)


def _fold_run(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    run = error.object[error.start : error.end]
    if run.isalpha() and max(run) < _FULL_WIDTH:
        return _LETTER_BYTE * len(run), error.end
    return bytes(map(_fold_character, run)), error.end


codecs.register_error(_HANDLER, _fold_run)


def fold(text: str) -> bytes:
    """The folded form: ``len(fold(text)) == len(text)``; ASCII is unchanged, but for colours. Never raises."""
    folded = _fold(text)
    if b"\x1b" not in folded:
        return folded
    return _COLOUR.sub(lambda colour: b" " * len(colour[0]), folded)


def _fold(text: str) -> bytes:
    if text.isascii():
        return text.encode("ascii")
    try:
        return text.encode("latin-1").translate(_LATIN1)
    except UnicodeEncodeError:
        for word, latin in _PASSWORDS.items():
            if word in text:
                text = text.replace(word, latin)
        return text.encode("latin-1", _HANDLER).translate(_LATIN1)


def valid(text: str) -> str:
    """``text`` with each lone surrogate replaced by U+FFFD, so that it can be encoded; positions stay."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)
    return text
