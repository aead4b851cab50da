"""Secrets that running text mentions: behind their noun, in quotes or not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.stages.redact.keyed import PARSER_WORDS, word_before
from collector_processor.stages.redact.pattern import Match, Pattern, Span
from collector_processor.stages.redact.rule import Example, Rule
from collector_processor.stages.redact.rules.statements import quoted_after
from collector_processor.stages.redact.source_lines import on_source_line

_WORDS = Pattern(r"[A-Za-z \t._-]+")


def _said(text: str, match: Match) -> Sequence[Span]:
    """``password 'hunter2' rejected``: quotes around letters alone are a field or a message."""
    spans = quoted_after(text, match)
    if spans and (len(spans[0]) != 2 or _WORDS.fullmatch(text[slice(*spans[0])].encode("latin-1")) is not None):
        return ()
    return spans if spans and spans[0][1] - spans[0][0] <= 128 else ()


_MENTIONED = re.compile(r"(?:[a-z]+-)*[a-z]+-?\d{0,3}|[A-Za-z]{1,8}\d{1,4}|[\w-]+(?:\.[a-z]{1,5}|\(.*)|0x.*", re.ASCII)
"""``bcrypt12``, ``web-7``, ``token2``, ``token.json``: names, of which prose about secrets is full."""
_MIXED = re.compile(r"(?:[A-Za-z]{1,3}[0-9]{1,3}){3}")
_LETTER = re.compile("[A-Za-z]")
_DIGIT = re.compile("[0-9]")
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def _mentioned(text: str, match: Match) -> Sequence[Span]:
    """What stands behind the noun without a sign: only what no word, name or number looks like."""
    start, end = match[2]
    value = text[start:end].rstrip(".:!?")
    password = text[match[1][0]].lower() == "p"
    if len(value) < (6 if password else 12) or _LETTER.search(value) is None or _DIGIT.search(value) is None:
        return ()
    if _MENTIONED.fullmatch(value) is not None or _UUID.fullmatch(value) is not None or "=" in value.rstrip("="):
        return ()
    if not password and len(value) < 20 and value.lower() == value and _MIXED.search(value) is None:
        return ()
    if match[1][1] - match[1][0] == len("token") and word_before(text, match[0][0]) in PARSER_WORDS:
        return ()
    return () if on_source_line(text, start) else ((start, start + len(value)),)


RULES = (
    Rule(
        name="said-password",
        replacement="[password]",
        spreads=True,
        what="a password in quotes in running text, when it is more than letters",
        pattern=r"(?i)\b(?:password|passwd|passphrase|passcode)[ \t]+(?:is[ \t]+|was[ \t]+)?['\"`]",
        check=_said,
        examples=(Example("wrong password 'hunter2' for ann", "wrong password '[password]' for ann"),),
        counter_examples=("password 'too short'", "unknown keyword password 'value'"),
    ),
    Rule(
        name="mentioned-secret",
        replacement="[secret]",
        spreads=True,
        what="a password, token or key behind its noun in running text: letters and digits, no word or name",
        pattern=r"(?i)\b(passw(?:or)?d|passphrase|token|(?:api|access|secret)[ _-]?key)[ \t]+['\"`]?"
        r"([^\s\"'`<>(),;:=\[\]{}]{6,300})",
        cue=r"(?i)\b(?:passw(?:or)?d|passphrase|token|(?:api|access|secret)[ _-]?key)[ \t]+['\"`]?"
        r"[^\s\"'`<>(),;:=\[\]{}0-9]*[0-9]",
        check=_mentioned,
        examples=(
            Example("failed with password s3cretPw9", "failed with password [secret]"),
            Example("cannot verify token 9f86d081884c7d659a2feaa0", "cannot verify token [secret]"),
        ),
        counter_examples=(
            "password sha256 is unknown",
            "password 12345678",
            "token 743b294a-cd03-41ec-9d64-0242ac120002 is unknown",
            "token token2.json",
            "unexpected token at line12col7",
            "secret web-7d9f8c6b5d-x2k4q",
        ),
    ),
)
