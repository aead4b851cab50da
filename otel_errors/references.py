"""Support references: what a user reads to support on the phone, such as ``7K3-QX9-M2T``, and what finds the event.

Made from the event id alone, so whoever knows the event id knows the reference: the span, the log record, the log
line, the answer and the page say the same without telling each other. Eight Crockford base32 characters (40 bits) and
Crockford's check symbol (modulo 37), which finds every wrong character and every two that changed places. References
whose check symbol would not be a letter or digit, or that would look like a telephone number, are not given out.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from typing import Final, Literal

__all__ = ["BadReference", "parse_reference", "reference_bytes", "reference_of"]

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DATA_CHARACTERS: Final = 8
CHARACTERS: Final = DATA_CHARACTERS + 1
MIN_LETTERS: Final = 3
MAX_TYPED_CHARACTERS: Final = 64

_BASE_32: Final = str.maketrans(ALPHABET, "0123456789abcdefghijklmnopqrstuv", "-")
"""To the digits that ``int`` knows."""
_AS_WRITTEN: Final = re.compile(rf"[{ALPHABET}]{{3}}-[{ALPHABET}]{{3}}-[{ALPHABET}]{{3}}")
_MISREAD: Final = {"O": "0", "I": "1", "L": "1"}
_LEFT_OUT: Final = re.compile(r"[\s\-‐‑‒–—―−_.·\u200b\u00ad]+")
"""What people and programs put between groups: blanks, every kind of dash, soft and zero-width breaks."""

Reason = Literal["length", "character", "check"]


class BadReference(ValueError):
    """The text is not a support reference; ``reason`` says why: ``length``, ``character`` or ``check``.

    >>> try:
    ...     parse_reference("7K3-QX9-M2A")
    ... except BadReference as error:
    ...     print(error.reason)
    check
    """

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason: Reason = reason


def reference_of(event_id: str) -> str:
    """The support reference of an event, by its event id (``otel_errors.event_id``); for ``""`` there is none: ``""``.

    >>> reference_of("0af7651916cd43dd8448eb211c80319c")
    '1E0-FVE-83B'
    """
    if not event_id:
        return ""
    attempt = 0
    while True:
        digest = blake2b(f"{attempt}:{event_id}".encode("utf-8", "replace"), digest_size=5, person=b"otel_errors.ref")
        number = int.from_bytes(digest.digest(), "big")
        check = number % 37
        data = "".join([ALPHABET[(number >> shift) & 31] for shift in range(35, -5, -5)])
        if check < 32 and sum(character > "9" for character in data) >= MIN_LETTERS:
            return _grouped(data + ALPHABET[check])
        attempt += 1


def parse_reference(text: str) -> str:
    """The reference as it is written everywhere, from what a person typed: lower case, ``O`` for 0, ``I`` and ``L``
    for 1, any blanks and dashes. Raises ``BadReference``.

    >>> parse_reference(" leo fve-83b ")
    '1E0-FVE-83B'
    """
    return _parsed(text)[0]


def reference_bytes(text: str) -> bytes:
    """The five bytes under which a reference is kept, from any spelling. Raises ``BadReference``.

    >>> reference_bytes("1E0-FVE-83B").hex()
    '0b80fdb903'
    """
    return _parsed(text)[1].to_bytes(5, "big")


def _parsed(text: str) -> tuple[str, int]:
    if _AS_WRITTEN.fullmatch(text):  # nearly always, and quicker
        return text, _number(text)
    typed = _LEFT_OUT.sub("", unicodedata.normalize("NFKC", text[: MAX_TYPED_CHARACTERS + 1])).upper()
    plain = "".join(_MISREAD.get(character, character) for character in typed)
    if len(plain) != CHARACTERS:
        has = len(plain) if len(plain) <= MAX_TYPED_CHARACTERS else "more"
        raise BadReference("length", f"a support reference has {CHARACTERS} letters and digits, this has {has}")
    for character in plain:
        if character not in ALPHABET:
            raise BadReference("character", f"{character!r} does not occur in support references")
    return _grouped(plain), _number(plain)


def _number(reference: str) -> int:
    number, check = divmod(int(reference.translate(_BASE_32), 32), 32)
    if number % 37 != check:
        raise BadReference("check", "the last character does not fit the others: one of them is wrong")
    return number


def _grouped(plain: str) -> str:
    return f"{plain[:3]}-{plain[3:6]}-{plain[6:]}"
