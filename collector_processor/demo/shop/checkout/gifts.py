"""Greeting cards in the parcel."""

from __future__ import annotations

PRINTABLE = frozenset(" !',.-?")


class GreetingNotPrintable(ValueError):
    """The greeting holds characters that the card printer has no glyph for."""


def typeset(greeting: str) -> list[str]:
    """The greeting in lines of 40 characters."""
    if not all(character.isalnum() or character in PRINTABLE for character in greeting):
        raise GreetingNotPrintable(f"cannot print {greeting!r} on a greeting card")
    return [greeting[start : start + 40] for start in range(0, len(greeting), 40)]
