"""How a token format is written down: one line a format, its issuer, what it begins with and how it goes on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.stages.redact.pattern import Match, Span
from collector_processor.stages.redact.rule import Check, Example, Rule, stands_alone

_DIGIT = re.compile("[0-9]")
_LETTER = re.compile("[A-Za-z]")


def _alone(glue: str) -> Check:
    def check(text: str, match: Match) -> Sequence[Span]:
        return (match[0],) if stands_alone(text, *match[0], glue) else ()

    return check


SHORTEST = 15
"""No format that is told by its form alone is shorter: it could be anything."""
ALONE = _alone("")
ALONE_BASE64 = _alone("-")


def machine_made(text: str, match: Match) -> Sequence[Span]:
    """Digits and letters: an identifier of a program that happens to begin so has no digits among its last."""
    start, end = match[0]
    tail = text[start + (end - start) // 3 : end]
    mixed = _DIGIT.search(tail) is not None and _LETTER.search(tail) is not None
    return ALONE_BASE64(text, match) if mixed else ()


# Secret scanners refuse repositories that hold such texts, so the examples are put together from these.
HEX = "0123456789abcdef" * 20
ALNUM = "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT" * 20
UPPER = "A2B3C4D5E6F7G2H3I4J5K6L7" * 10
LOWER = "a2b3c4d5e6f7g2h3i4j5k6l7" * 10
LETTERS = "aBcDeFgHiJkLmNoPqRsTuVwXyZ" * 4
UUID = "743b294a-cd03-41ec-9d64-0242ac120002"


def issued(
    name: str,
    issuer: str,
    begins: str,
    goes_on: str,
    example: str,
    *,
    check: Check = ALONE_BASE64,
    cue: str | None = None,
    word: str | None = None,
    shortest: int = SHORTEST,
    counter_examples: Sequence[str] = (),
) -> Rule:
    """``begins`` alone is looked for in every text (``cue``: something else); where it is, ``begins`` + ``goes_on``."""
    replacement = word or f"[{name}]"
    return Rule(
        name=name,
        replacement=replacement,
        what=issuer,
        pattern=f"(?:{begins})(?:{goes_on})",
        cue=cue or begins,
        check=check,
        shortest=shortest,
        examples=(Example(f"rejected {example}, status 401", f"rejected {replacement}, status 401"),),
        counter_examples=(f"the form is {example[:9]}", *counter_examples),
    )
