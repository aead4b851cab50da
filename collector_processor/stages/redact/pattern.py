"""RE2, as the rules use it: patterns over folded text (one byte a character), positions instead of match objects.

``re2.compile(…).search(…)`` makes a generator and an object for each search, which costs three times the search. The
extension module underneath (``re2._re2``) gives the positions themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import re2

Span = tuple[int, int]
Match = Sequence[Span]
"""Where the pattern and its groups are: ``match[0]`` is the whole, ``match[1]`` group 1; (-1, -1) for a group that took
no part."""

UNANCHORED: Any = re2._re2.RE2.Anchor.UNANCHORED
_START = re2._re2.RE2.Anchor.ANCHOR_START
_BOTH = re2._re2.RE2.Anchor.ANCHOR_BOTH


class BadPattern(ValueError):
    """What RE2 does not run, and so nothing here: the text is the reason, in RE2's words."""


def _options(max_bytes: int) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = max_bytes
    return options


_ONE = _options(8 * 1024 * 1024)
# A set that runs out of memory finds nothing, which must not happen; what is not used is not taken.
_MANY = _options(128 * 1024 * 1024)


class Pattern:
    """A compiled pattern. ``position`` and ``end``: the part of ``data`` that is looked at. All find None when there is
    nothing."""

    __slots__ = ("find", "groups")

    def __init__(self, pattern: str) -> None:
        """Raises ``BadPattern``."""
        try:
            regexp = re2._re2.RE2(pattern.encode("latin-1"), _ONE)
        except UnicodeEncodeError as error:
            raise BadPattern(f"{error.object[error.start]!r}: only characters of Latin-1 can be matched") from None
        if not regexp.ok():
            raise BadPattern(regexp.error().decode("latin-1"))
        self.find: Callable[[Any, bytes, int, int], Match] = regexp.Match
        """(UNANCHORED, data, from, to) → spans, (-1, -1) for nothing: ``search`` for who calls it all the time."""
        self.groups: int = regexp.NumberOfCapturingGroups()

    def search(self, data: bytes, position: int = 0, end: int | None = None) -> Match | None:
        spans = self.find(UNANCHORED, data, position, len(data) if end is None else end)
        return spans if spans[0][0] >= 0 else None

    def match(self, data: bytes, position: int = 0, end: int | None = None) -> Match | None:
        spans = self.find(_START, data, position, len(data) if end is None else end)
        return spans if spans[0][0] >= 0 else None

    def fullmatch(self, data: bytes) -> Match | None:
        spans = self.find(_BOTH, data, 0, len(data))
        return spans if spans[0][0] >= 0 else None

    def finditer(self, data: bytes) -> Iterator[Match]:
        position = 0
        while position <= len(data) and (match := self.search(data, position)) is not None:
            yield match
            position = max(match[0][1], match[0][0] + 1)


class CueSet:
    """Which of many patterns are found anywhere in a text, in one pass over it."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises ``BadPattern``."""
        found = re2._re2.Set(UNANCHORED, _MANY)
        for pattern in patterns:
            if found.Add(pattern.encode("latin-1")) < 0:
                raise BadPattern(f"{pattern!r} cannot be run beside the others")
        if patterns and not found.Compile():
            raise BadPattern("the patterns need too much memory together")
        self.match: Callable[[bytes], list[int]] = found.Match if patterns else lambda _data: []
        """data → the places of the patterns that are found in it, in no order."""
