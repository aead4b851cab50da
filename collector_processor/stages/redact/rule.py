"""What a redaction rule is: data, and where needed a check that decides at each place where its pattern matched."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from collector_processor.stages.redact.pattern import Match, Span

Check = Callable[[str, Match], Sequence[Span]]
"""(folded text, match) → the parts that must go; empty: a look-alike.

Must be total, and look no further than a bounded distance from the match.
"""


class Example(msgspec.Struct, frozen=True):
    """A text and what becomes of it; ``key`` is the attribute key that it came under."""

    text: str
    redacted: str
    key: str | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of thing that must go. Rules earlier in the list win where two claim the same characters."""

    name: str
    replacement: str
    """What stands in its place: ``[word]``, no blanks, at most 32 bytes, found by no rule."""
    what: str
    """One line for the documentation and for ``--explain``: what is recognised, and by what."""
    pattern: str
    """RE2 syntax, matched on the folded text. Linear in every case, so no input can make it slow."""
    check: Check | None = None
    """None: the whole match goes."""
    cue: str | None = None
    """A smaller pattern that is found wherever ``pattern`` is; None: ``pattern``. One pass over a text looks for the
    cues of all rules and so decides which rules run at all."""
    keys: tuple[str, ...] = ()
    """Under attribute keys that end in the words of one of these, the whole value goes."""
    by_default: bool = True
    """False: only where a policy asks for it."""
    spreads: bool = False
    """The rule knows a value by what stands around it; so where the value stands alone, in this text and the others of
    the event, it goes as well."""
    shortest: int = 1
    """No match has fewer characters: what is left of a text and shorter is not searched."""
    examples: tuple[Example, ...] = ()
    counter_examples: tuple[str, ...] = ()
    """Texts that must stay as they are."""


def vocabulary(words: str) -> frozenset[str]:
    """A word list that stays readable in the source."""
    return frozenset(words.split())


WORD = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_") | frozenset(
    map(chr, range(0xC0, 0x100))
)


def stands_alone(text: str, start: int, end: int, glue: str = "") -> bool:
    """Whether neither neighbour of ``text[start:end]`` is a word character or one of ``glue``."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    return not (before in WORD or after in WORD or before in glue or after in glue)
