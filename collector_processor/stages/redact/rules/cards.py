"""Payment cards by issuer's prefix, length and check digit; not inside longer runs, UUIDs, hex or decimals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate

from collector_processor.stages.redact.pattern import Match, Span
from collector_processor.stages.redact.rule import WORD, Example, Rule, stands_alone

_SEPARATOR = re.compile("[ .-]")
_HEX = frozenset("0123456789abcdefABCDEF-")

# (first digits from, to, lengths): ISO/IEC 7812 ranges as the networks publish them.
_ISSUERS: tuple[tuple[str, str, frozenset[int]], ...] = (
    ("4", "4", frozenset({13, 16, 19})),  # Visa
    ("51", "55", frozenset({16})),  # Mastercard
    ("2221", "2720", frozenset({16})),
    ("34", "34", frozenset({15})),  # American Express
    ("37", "37", frozenset({15})),
    ("300", "305", frozenset(range(14, 20))),  # Diners Club
    ("3095", "3095", frozenset(range(14, 20))),
    ("36", "36", frozenset(range(14, 20))),
    ("38", "39", frozenset(range(14, 20))),
    ("3528", "3589", frozenset(range(16, 20))),  # JCB
    ("2131", "2131", frozenset({15})),
    ("1800", "1800", frozenset({15})),
    ("6011", "6011", frozenset(range(16, 20))),  # Discover
    ("644", "649", frozenset(range(16, 20))),
    ("65", "65", frozenset(range(16, 20))),
    ("60", "60", frozenset({16})),  # RuPay, Hipercard
    ("81", "82", frozenset({16})),
    ("508", "508", frozenset({16})),
    ("62", "62", frozenset(range(16, 20))),  # UnionPay
    ("5018", "5020", frozenset(range(12, 20))),  # Maestro, Dankort
    ("5038", "5038", frozenset(range(12, 20))),
    ("56", "58", frozenset(range(12, 20))),
    ("6304", "6304", frozenset(range(12, 20))),
    ("6390", "6390", frozenset(range(12, 20))),
    ("6759", "6763", frozenset(range(12, 20))),
    ("0604", "0604", frozenset(range(12, 20))),
    ("637", "639", frozenset({16})),  # InstaPayment
    ("2200", "2204", frozenset(range(16, 20))),  # Mir
    ("9792", "9792", frozenset({16})),  # Troy
    # UATP, but for what a thread of a process on Linux has as its id: an address below 2^47, 139… or 140….
    ("100", "138", frozenset({15})),
    ("141", "199", frozenset({15})),
    ("506099", "506198", frozenset({16, 18, 19})),  # Verve
    ("650002", "650027", frozenset({16, 18, 19})),
)


@cache
def _issuers(prefix: str) -> tuple[tuple[str, str, frozenset[int]], ...]:
    """Whose numbers may begin with these four digits."""
    return tuple([issuer for issuer in _ISSUERS if issuer[0][:4] <= prefix[: len(issuer[0])] <= issuer[1][:4]])


@cache
def _lengths(prefix: str) -> frozenset[int]:
    return frozenset().union(*(lengths for _, _, lengths in _issuers(prefix)))


_GROUPINGS = (
    (4, 4, 4, 4),
    (4, 6, 5),
    (4, 6, 4),
    (4, 4, 4, 4, 3),
    (4, 4, 4, 4, 2),
    (4, 4, 4, 4, 1),
    (4, 4, 4, 3),
    (4, 4, 4, 1),
    (4, 4, 4),
    (6, 13),
    (4, 4, 5),
)


def _sign(lengths: Iterable[int]) -> bytes:
    """Lengths of groups, a byte each; what is longer than any card is 20."""
    return bytes([length if length < 20 else 20 for length in lengths])


_BEGINS = re.compile(rb"(?=" + b"|".join(map(_sign, _GROUPINGS)) + rb"|[\x0c-\x13])")
_SIGNS = tuple((_sign(grouping), len(grouping), sum(grouping)) for grouping in _GROUPINGS)
_DIGESTS = ("sha1:", "sha256:", "sha512:", "md5:")
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")


def luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812."""
    data = digits.encode("ascii")
    return (sum(data[-1::-2]) + sum(data[-2::-2].translate(_DOUBLED)) - len(data) * ord("0")) % 10 == 0


def is_card(digits: str) -> bool:
    """Issuer's prefix, its lengths and the check digit."""
    for low, high, lengths in _issuers(digits[:4]):
        if len(digits) in lengths and low <= digits[: len(low)] <= high:
            return luhn(digits)
    return False


def _cards(text: str, match: Match) -> Sequence[Span]:
    start, end = match[0]
    run = text[start:end]
    if run.isdigit():
        return (match[0],) if len(run) <= 19 and is_card(run) and _free(text, start, end) else ()
    return _in_run(text, start, run)


def _in_run(text: str, origin: int, run: str) -> Sequence[Span]:
    """The cards among groups of digits with one character between each."""
    groups = _SEPARATOR.split(run)
    lengths = [len(group) for group in groups]
    sign = _sign(lengths)
    starts: list[int] | None = None
    found: list[Span] = []
    free = 0  # the group behind the last card that was found
    for place in _BEGINS.finditer(sign):
        index = place.start()
        if index < free or not _issuers(groups[index][:4]):
            continue
        for count, digits in _candidates(groups, index, sign):
            if is_card(digits):
                starts = starts or list(accumulate([length + 1 for length in lengths], initial=origin))
                start = starts[index]
                end = start + len(digits) + count - 1
                if _one_separator(text[start:end], count) and _free(text, start, end):
                    found.append((start, end))
                    free = index + count
                    break
    return found


def _candidates(groups: Sequence[str], index: int, sign: bytes) -> Iterator[tuple[int, str]]:
    """The numbers that could begin at the group ``index``: how many groups, and their digits."""
    if len(groups[index]) >= 12:
        yield 1, groups[index]
    issued = _lengths(groups[index][:4])
    for grouping, count, length in _SIGNS:
        if length in issued and sign.startswith(grouping, index):
            yield count, "".join(groups[index : index + count])


def _one_separator(run: str, count: int) -> bool:
    return count == 1 or any(run.count(separator) == count - 1 for separator in " -.")


def _free(text: str, start: int, end: int) -> bool:
    if text[start - 2 : start] == "%B" and text[end : end + 1] == "^":
        return True  # the first track of a magnetic stripe
    if not stands_alone(text, start, end, "+"):
        return False
    before, after = text[start - 1 : start], text[end : end + 1]
    if (before in ("-", ".") and start >= 2 and text[start - 2].isdigit()) or (
        after in ("-", ".") and text[end + 1 : end + 2].isdigit() and not _whole(text, end)
    ):
        return False  # a longer grouped number, a decimal, a version
    if text[max(0, start - 7) : start].lower().endswith(_DIGESTS):
        return False  # a short digest that happens to have no letter in it
    return not (before == "-" and _hex_word(text, start - 1)) and not (after == "-" and text[end + 1 : end + 2] in _HEX)


def _whole(text: str, end: int) -> bool:
    """Whether ``.0`` and no more follows: a number sent as a double."""
    return text[end : end + 2] == ".0" and not text[end + 2 : end + 3].isalnum()


def _hex_word(text: str, end: int) -> bool:
    """Whether what is glued to the front is nothing but hex: the tail of a UUID."""
    start = end
    while start and end - start < 40 and (text[start - 1].isalnum() or text[start - 1] in "-_"):
        start -= 1
    return start < end and all(character in _HEX for character in text[start:end])


_BLANK = r"(?:%20|\+)"


def _encoded_cards(text: str, match: Match) -> Sequence[Span]:
    start, end = match[0]
    behind_escape = text[start - 3 : start - 2] == "%" and text[end : end + 1] not in WORD
    alone = behind_escape or stands_alone(text, start, end)
    return (match[0],) if alone and is_card(text[start:end].replace("%20", "").replace("+", "")) else ()


RULES = (
    Rule(
        name="card",
        replacement="[card]",
        what="payment card numbers: issuer's prefix, length and Luhn digit; plain or grouped by blanks, dashes or dots",
        pattern=r"\d(?:[ .-]?\d){11,}",
        check=_cards,
        shortest=12,
        examples=(
            Example("card 4111111111111111 declined", "card [card] declined"),
            Example("pan=5555-5555-5555-4444;", "pan=[card];"),
            Example("3782 822463 10005", "[card]"),
            Example("4012888888881881 4012-8888-8888-1881", "[card] [card]"),
            Example("4111111111111111.0", "[card].0"),
            Example("%B4111111111111111^DOE/ANN^2512", "%B[card]^DOE/ANN^2512"),
        ),
        counter_examples=(
            "order 4111111111111112",
            "trace 4111111111111111a",
            "0.4111111111111111",
            "550e8400-e29b-41d4-a716-446655440000",
            "at 1748503543012",
            "41111111111111111111111",
            "id_4111111111111111",
            "image sha256:4000000000000002",
            "<Thread(Thread-7, started 140243868735165)>",
        ),
    ),
    Rule(
        name="encoded-card",
        replacement="[card]",
        what="the same in URL-encoding, with `%20` or `+` between the groups",
        pattern=rf"\d{{4}}{_BLANK}(?:\d{{4}}{_BLANK}\d{{4}}{_BLANK}\d{{4}}|\d{{6}}{_BLANK}\d{{4,5}})",
        check=_encoded_cards,
        examples=(
            Example("card=4111+1111+1111+1111&cvx", "card=[card]&cvx"),
            Example("card%3D3782%20822463%2010005", "card%3D[card]"),
        ),
        counter_examples=("4111+1111+1111+1112", "x=4111%201111"),
    ),
)
