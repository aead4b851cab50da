"""Finds what must go and puts the rule's word in its place. One engine (RE2), no I/O, safe to share between threads.

A text is folded to one byte a character, one pass over it tells which rules have a cue in it (most texts: none, and
that is all the work), and only those rules search and check. The result is searched again until nothing is found,
because a word put in may free its neighbour (``4111…ann@example.com``): so ``redact(redact(x)) == redact(x)``. Time is
linear in the length of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from collector_processor.stages.redact import keys, values
from collector_processor.stages.redact.fold import fold, valid
from collector_processor.stages.redact.pattern import UNANCHORED, CueSet, Pattern
from collector_processor.stages.redact.rule import Rule
from collector_processor.stages.redact.rules import DEFAULT_RULES
from collector_processor.stages.redact.telling import MAX_VALUES, places, secrets_in

MAX_PASSES = 6
"""A chain of longer freeing is an attack on the search, not a text: what it spans goes as a whole."""
WHOLE = "[redacted]"
MAX_LOOKS = 8_000
"""Matches that are judged in one text: some tenths of a second. What stands behind the last of them goes as a whole, so
that no text, whatever is in it, keeps a thread for much longer, and nothing of it is left unseen."""
TOO_MANY = Rule(
    name="too-many-findings",
    replacement="[redacted: too many findings]",
    what=f"the rest of a text behind the {MAX_LOOKS:,} places that might be something",
    pattern="",
)
_REMEMBERED_KEYS = 4096

Allowed = Callable[[str, str], bool]
"""(rule, value) → whether the value stays all the same."""
Word = Callable[[str], str]
"""The value that goes → what stands in its place: at most 32 bytes longer, found by no rule."""


class Redaction(msgspec.Struct, frozen=True):
    """What a rule took: characters ``start`` to ``end`` (exclusive) of the text that was given."""

    rule: str
    start: int
    end: int


_Hit = tuple[int, int, int]
"""Start, end, place of the rule."""


class _Piece(NamedTuple):
    """A redaction of the input, and where its word stands in the current text."""

    start: int
    end: int
    rule: int
    at: int
    after: int


class Redactor:
    """``Redactor().text("mail ann@example.com")`` → ``("mail [email]", (Redaction("email", 5, 20),))``."""

    def __init__(
        self,
        rules: Sequence[Rule] = DEFAULT_RULES,
        *,
        allowed: Allowed | None = None,
        words: Mapping[str, Word] | None = None,
        strict: bool = False,
    ) -> None:
        """Raises ``BadPattern`` when a rule's pattern is none. ``words``: rule → what makes its word, where that
        depends on the value. ``strict``: a check that fails raises (for tests)."""
        self._strict = strict
        self._allowed = allowed
        self.rules = tuple(rules)
        self._reported = (*self.rules, TOO_MANY)
        self._names = [rule.name for rule in self._reported]
        self._words = [(words or {}).get(name) for name in self._names]
        self._searchers = [(Pattern(rule.pattern).find, rule.check, rule.spreads, rule.shortest) for rule in self.rules]
        self._phrases: dict[tuple[str, ...], int] = {}
        for index, rule in reversed(list(enumerate(self.rules))):
            self._phrases.update(dict.fromkeys((tuple(keys.words(key)) for key in rule.keys), index))
        self._by_kind = {rule.name: index for index, rule in reversed(list(enumerate(self.rules)))}
        self._by_key: dict[str, int | None] = {}
        self.cues = CueSet([rule.cue or rule.pattern for rule in self.rules]).match

    def text(self, text: str, key: str | None = None) -> tuple[str, tuple[Redaction, ...]]:
        """The clean text and what was taken, in order. ``key``: the attribute key that the text came under."""
        if key:
            rule = self.rule_of_key(key)
            if rule is not None and self._goes_whole(text, rule):
                return self._word(rule, text), (Redaction(self._names[rule], 0, len(text)),)
        ascii_only = text.isascii()
        folded = text.encode() if ascii_only and "\x1b" not in text else fold(text)
        matched = self.cues(folded)
        if not matched or not (hits := self._hits(text, folded, matched)):
            return (text if ascii_only else valid(text)), ()
        return self._clean(text, hits)

    def for_service(self, service: str) -> Redactor:
        """Itself: without a policy every service has the same rules."""
        return self

    def would_take(self, clean: str, key: str | None = None) -> tuple[str, ...]:
        """Nothing: without a policy no rule is on trial."""
        return ()

    def rule(self, name: str) -> Rule:
        """The rule of that name: what to say about a redaction. Raises KeyError."""
        for rule in self._reported:
            if rule.name == name:
                return rule
        raise KeyError(name)

    def rule_of_key(self, key: str) -> int | None:
        """The place of the rule under which every value of ``key`` goes."""
        try:
            return self._by_key[key]
        except KeyError:
            pass
        if len(self._by_key) >= _REMEMBERED_KEYS:
            self._by_key.clear()
        found = self._by_key[key] = self._find_rule_of_key(key)
        return found

    def _find_rule_of_key(self, key: str) -> int | None:
        kind = keys.kind_of(key)
        if kind is not None and kind in self._by_kind:
            return self._by_kind[kind]
        parts = tuple(keys.bare_words(key))
        for start in range(len(parts)):
            if parts[start:] in self._phrases:
                return self._phrases[parts[start:]]
        return None

    def _goes_whole(self, text: str, rule: int) -> bool:
        if values.is_nothing(fold(text[:512]).decode("latin-1")):
            return False
        return self._allowed is None or not self._allowed(self._names[rule], text)

    def _word(self, rule: int, value: str) -> str:
        make = self._words[rule]
        word = self._reported[rule].replacement if make is None else make(value)
        # A password "password" would stand in its own word.
        return word if len(value) > len(word) or value.lower() not in word else WHOLE

    def _clean(self, text: str, hits: list[_Hit]) -> tuple[str, tuple[Redaction, ...]]:
        if len(hits) == 1:
            start, end, rule = hits[0]
            current = text[:start] + self._word(rule, text[start:end]) + text[end:]
            if end - start == len(text):  # a word alone, which is clean
                return current, (Redaction(self._names[rule], start, end),)
        else:
            current = self._replaced(text, hits)
        ascii_only = current.isascii()
        folded = current.encode() if ascii_only and "\x1b" not in current else fold(current)
        matched = self.cues(folded)
        if matched and (more := self._hits(current, folded, matched)):
            return self._clean_further(text, hits, more)
        names = self._names
        report = tuple([Redaction(names[rule], start, end) for start, end, rule in hits])
        return (current if ascii_only else valid(current)), report

    def _replaced(self, text: str, hits: list[_Hit]) -> str:
        parts: list[str] = []
        position = 0
        for start, end, rule in hits:
            parts += text[position:start], self._word(rule, text[start:end])
            position = end
        parts.append(text[position:])
        return "".join(parts)

    def _clean_further(self, text: str, first: list[_Hit], more: list[_Hit]) -> tuple[str, tuple[Redaction, ...]]:
        """The words of ``first`` freed ``more``: on until nothing is found, or the text as a whole."""
        current, pieces = self._apply(text, [_Piece(*hit, 0, 0) for hit in first])
        hits = more
        for _ in range(MAX_PASSES - 1):
            current, pieces = self._apply(text, _merge(pieces, hits))
            folded = fold(current)
            hits = self._hits(current, folded, self.cues(folded))
            if not hits:
                return (current if current.isascii() else valid(current)), self._report(pieces)
        return WHOLE, (Redaction(self._names[hits[0][2]], 0, len(text)),)

    def _hits(self, text: str, folded: bytes, matched: list[int]) -> list[_Hit]:
        """What each rule with a cue in the text takes; where two overlap, their union under the earlier rule."""
        plain = text if text.isascii() and "\x1b" not in text else folded.decode("latin-1")
        length = cut = len(folded)
        looks = MAX_LOOKS
        allowed = self._allowed
        found: list[_Hit] = []
        shown: dict[str, int] = {}
        left = length  # characters that nothing has claimed yet
        for index in matched if len(matched) == 1 else sorted(matched):
            find, check, spreads, shortest = self._searchers[index]
            if left < shortest:
                continue  # what it could find is mostly gone; what it adds is found in what is clean
            position = 0
            while position + shortest <= length:
                match = find(UNANCHORED, folded, position, length)
                start, position = match[0]
                if start < 0:
                    break
                if not looks:
                    cut = min(cut, start)
                    break
                looks -= 1
                try:
                    spans = (match[0],) if check is None else check(plain, match)
                except Exception:
                    if self._strict:
                        raise
                    spans = (match[0],)  # no text may stop the road; what cannot be judged goes
                for first, end in spans:
                    if first < end and (allowed is None or not allowed(self._names[index], plain[first:end])):
                        found.append((first, end, index))
                        left -= end - first
                        if end > position:
                            position = end
                        if spreads and len(shown) < MAX_VALUES:
                            for value in secrets_in(text[first:end], self._names[index]):
                                shown.setdefault(value, index)
        for value, index in shown.items():
            if text.find(value) != text.rfind(value):
                found += [(first, end, index) for first, end in places(text, value)]
        if len(found) > 1:
            found = _disjoint(found)
        if len(found) > MAX_LOOKS:
            cut = min(cut, found[MAX_LOOKS][0])
        return found if cut == length else self._cut(found, cut, length)

    def _cut(self, found: list[_Hit], cut: int, length: int) -> list[_Hit]:
        """``found`` up to ``cut``, and everything behind it."""
        del found[MAX_LOOKS:]
        while found and found[-1][1] > cut:
            cut = min(cut, found.pop()[0])
        found.append((cut, length, len(self.rules)))
        return found

    def _apply(self, text: str, pieces: list[_Piece]) -> tuple[str, list[_Piece]]:
        parts: list[str] = []
        placed: list[_Piece] = []
        length = position = 0
        for start, end, rule, _, _ in pieces:
            word = self._word(rule, text[start:end])
            at = length + start - position
            parts.append(text[position:start])
            parts.append(word)
            length = at + len(word)
            placed.append(_Piece(start, end, rule, at, length))
            position = end
        parts.append(text[position:])
        return "".join(parts), placed

    def _report(self, pieces: list[_Piece]) -> tuple[Redaction, ...]:
        return tuple([Redaction(self._names[piece.rule], piece.start, piece.end) for piece in pieces])


def _disjoint(found: list[_Hit]) -> list[_Hit]:
    found.sort(key=lambda hit: (hit[0], -hit[1], hit[2]))
    result: list[_Hit] = []
    for start, end, rule in found:
        if result and start < result[-1][1]:
            last_start, last_end, last_rule = result[-1]
            inside = end <= last_end and (end, start) != (last_end, last_start)
            result[-1] = (last_start, max(last_end, end), last_rule if inside else min(last_rule, rule))
        else:
            result.append((start, end, rule))
    return result


def _merge(pieces: list[_Piece], hits: list[_Hit]) -> list[_Piece]:
    """Earlier redactions and new hits (positions in the current text), as redactions of the input."""
    result: list[_Piece] = []
    remaining = iter(pieces)
    piece = next(remaining, None)
    shift = 0  # input position minus current position, for characters behind the last piece that was passed
    for hit_start, hit_end, rule in hits:
        while piece is not None and piece.after <= hit_start:
            result.append(piece)
            shift = piece.end - piece.after
            piece = next(remaining, None)
        start = hit_start + shift if piece is None or hit_start < piece.at else piece.start
        end = hit_end + shift
        while piece is not None and piece.at < hit_end:  # swallowed, wholly or in part
            shift = piece.end - piece.after
            end = max(piece.end, hit_end + shift)
            piece = next(remaining, None)
        result.append(_Piece(start, end, rule, 0, 0))
    if piece is not None:
        result.append(piece)
    result.extend(remaining)
    return result


def self_check(rules: Sequence[Rule] = DEFAULT_RULES, beside: Sequence[Rule] = ()) -> list[str]:
    """What is wrong with ``rules`` by their own examples and counter-examples, when they run together (and with those
    ``beside`` them); empty when nothing is. Takes 0.1 s."""
    redactor = Redactor((*rules, *beside), strict=True)
    problems: list[str] = []
    for rule in rules:
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
