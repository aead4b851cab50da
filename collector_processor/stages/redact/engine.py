"""Finds what must go and puts the rule's word in its place. One engine (RE2), no I/O, safe to share between threads.

A text is folded to one byte a character, one pass over it tells which rules have a cue in it (most texts: none, and
that is all the work), and only those rules search and check. The result is searched again until nothing is found,
because a word put in may free its neighbour (``4111…ann@example.com``): so ``redact(redact(x)) == redact(x)``. Time is
linear in the length of the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import re2

from collector_processor.stages.redact import keys, values
from collector_processor.stages.redact.fold import fold, valid
from collector_processor.stages.redact.rule import OPTIONS, Check, Match, Rule, Span, compiled
from collector_processor.stages.redact.rules import DEFAULT_RULES

MAX_PASSES = 6
"""A chain of longer freeing is an attack on the search, not a text: what it spans goes as a whole."""
WHOLE = "[redacted]"


class Redaction(msgspec.Struct, frozen=True):
    """What a rule took: characters ``start`` to ``end`` (exclusive) of the text that was given."""

    rule: str
    start: int
    end: int


class _Hit(NamedTuple):
    start: int
    end: int
    rule: int


class _Piece(NamedTuple):
    """A redaction of the input, and where its word stands in the current text."""

    start: int
    end: int
    rule: int
    at: int


class Redactor:
    """``Redactor().text("mail ann@example.com")`` → ``("mail [email]", (Redaction("email", 5, 20),))``."""

    def __init__(self, rules: Sequence[Rule] = DEFAULT_RULES, *, strict: bool = False) -> None:
        """Raises ``re2.error`` when a rule's pattern is none. ``strict``: a check that fails raises (for tests)."""
        self._strict = strict
        self.rules = tuple(rules)
        self._searchers: list[tuple[Any, Check | None]] = [(compiled(rule.pattern), rule.check) for rule in self.rules]
        self._by_kind = {rule.name: index for index, rule in reversed(list(enumerate(self.rules))) if rule.keys}
        self._cues = re2.Set.SearchSet(OPTIONS)
        for rule in self.rules:
            self._cues.Add((rule.cue or rule.pattern).encode("latin-1"))
        self._cues.Compile()

    def text(self, text: str, key: str | None = None) -> tuple[str, tuple[Redaction, ...]]:
        """The clean text and what was taken, in order. ``key``: the attribute key that the text came under."""
        if key:
            kind = keys.kind_of(key)
            rule = self._by_kind.get(kind) if kind is not None else None
            if rule is not None and self._goes_whole(text, rule):
                return self.rules[rule].replacement, (Redaction(self.rules[rule].name, 0, len(text)),)
        folded = fold(text)
        matched = self._cues.Match(folded)
        if not matched:
            return (text if text.isascii() else valid(text)), ()
        return self._clean(text, folded, matched)

    def rule(self, name: str) -> Rule:
        """The rule of that name: what to say about a redaction. Raises KeyError."""
        for rule in self.rules:
            if rule.name == name:
                return rule
        raise KeyError(name)

    def _goes_whole(self, text: str, rule: int) -> bool:
        return text != self.rules[rule].replacement and not values.is_nothing(fold(text[:512]).decode("latin-1"))

    def _clean(self, text: str, folded: bytes, matched: list[int] | None) -> tuple[str, tuple[Redaction, ...]]:
        pieces: list[_Piece] = []
        current = text
        for _ in range(MAX_PASSES):
            hits = self._hits(folded, matched)
            if not hits:
                return (current if current.isascii() else valid(current)), self._report(pieces)
            pieces = _merge(pieces, hits, self.rules)
            current, pieces = self._apply(text, pieces)
            folded = fold(current)
            matched = self._cues.Match(folded)
        first = self._hits(folded, matched)
        if not first:
            return valid(current), self._report(pieces)
        return WHOLE, (Redaction(self.rules[first[0].rule].name, 0, len(text)),)

    def _hits(self, folded: bytes, matched: list[int] | None) -> list[_Hit]:
        """What each rule with a cue in the text takes; where two overlap, their union under the earlier rule."""
        if not matched:
            return []
        text = folded.decode("latin-1")
        found: list[_Hit] = []
        for index in sorted(matched):
            searcher, check = self._searchers[index]
            position = 0
            while (match := searcher.search(folded, position)) is not None:
                position = max(match.end(), position + 1)
                for start, end in self._judged(check, text, match):
                    if start < end:
                        found.append(_Hit(start, end, index))
                        position = max(position, end)
        return _disjoint(found)

    def _judged(self, check: Check | None, text: str, match: Match) -> Sequence[Span]:
        if check is None:
            return (match.span(),)
        try:
            return check(text, match)
        except Exception:
            if self._strict:
                raise
            return (match.span(),)  # no text may stop the road; what cannot be judged goes

    def _apply(self, text: str, pieces: list[_Piece]) -> tuple[str, list[_Piece]]:
        parts: list[str] = []
        placed: list[_Piece] = []
        length = position = 0
        for piece in pieces:
            kept = text[position : piece.start]
            replacement = self.rules[piece.rule].replacement
            placed.append(piece._replace(at=length + len(kept)))
            parts += kept, replacement
            length += len(kept) + len(replacement)
            position = piece.end
        parts.append(text[position:])
        return "".join(parts), placed

    def _report(self, pieces: list[_Piece]) -> tuple[Redaction, ...]:
        return tuple(Redaction(self.rules[piece.rule].name, piece.start, piece.end) for piece in pieces)


def _disjoint(found: list[_Hit]) -> list[_Hit]:
    found.sort(key=lambda hit: (hit.start, -hit.end, hit.rule))
    result: list[_Hit] = []
    for hit in found:
        if result and hit.start < result[-1].end:
            last = result[-1]
            inside = hit.end <= last.end and (hit.end, hit.start) != (last.end, last.start)
            rule = last.rule if inside else min(last.rule, hit.rule)
            result[-1] = _Hit(last.start, max(last.end, hit.end), rule)
        else:
            result.append(hit)
    return result


def _merge(pieces: list[_Piece], hits: list[_Hit], rules: Sequence[Rule]) -> list[_Piece]:
    """Earlier redactions and new hits (positions in the current text), as redactions of the input."""
    result: list[_Piece] = []
    remaining = iter(pieces)
    piece = next(remaining, None)
    shift = 0  # input position minus current position, for characters behind the last piece that was passed
    for hit in hits:
        while piece is not None and _word_end(piece, rules) <= hit.start:
            result.append(piece)
            shift = piece.end - _word_end(piece, rules)
            piece = next(remaining, None)
        start = hit.start + shift if piece is None or hit.start < piece.at else piece.start
        end = hit.end + shift
        while piece is not None and piece.at < hit.end:  # swallowed, wholly or in part
            shift = piece.end - _word_end(piece, rules)
            end = max(piece.end, hit.end + shift)
            piece = next(remaining, None)
        result.append(_Piece(start, end, hit.rule, 0))
    if piece is not None:
        result.append(piece)
    result.extend(remaining)
    return result


def _word_end(piece: _Piece, rules: Sequence[Rule]) -> int:
    return piece.at + len(rules[piece.rule].replacement)


def self_check(rules: Sequence[Rule] = DEFAULT_RULES) -> list[str]:
    """What is wrong with the rules by their own examples and counter-examples; empty when nothing is. Takes 0.1 s."""
    redactor = Redactor(rules, strict=True)
    problems: list[str] = []
    for rule in redactor.rules:
        if len(rule.replacement.encode()) > 32 or redactor.text(rule.replacement)[1]:
            problems.append(f"{rule.name}: the replacement {rule.replacement!r} is too long or is itself redacted")
        for example in rule.examples:
            got, _ = redactor.text(example.text, example.key)
            if got != example.redacted:
                problems.append(f"{rule.name}: {example.text!r} became {got!r}, not {example.redacted!r}")
        for text in rule.counter_examples:
            got, _ = redactor.text(text)
            if got != text:
                problems.append(f"{rule.name}: {text!r} became {got!r}, and should stay")
    return problems
