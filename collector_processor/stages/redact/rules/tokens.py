"""Tokens of no one issuer: JSON Web Tokens, and what follows ``Bearer`` and ``Basic``."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from collector_processor.stages.redact import values
from collector_processor.stages.redact.pattern import Match, Pattern, Span
from collector_processor.stages.redact.rule import Example, Rule

_MAX_HEADER = 2048
_BASE64URL = Pattern(r"[0-9A-Za-z_=-]+")


def _jwt(text: str, match: Match) -> Sequence[Span]:
    """The first segment must decode to a JSON object."""
    start, end = match[0]
    if start and (text[start - 1].isalnum() or text[start - 1] in "_-"):
        return ()
    header = text[start : min(text.index(".", start, end), start + _MAX_HEADER)]
    try:
        decoded = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except (ValueError, RecursionError):
        return ()
    return ((start, end),) if isinstance(decoded, dict) and decoded else ()


def _bearer(text: str, match: Match) -> Sequence[Span]:
    """Prose goes on with a word ("bearer token required"); a token has digits, or is long and mixes cases."""
    start, end = match[1]
    value = text[start:end].rstrip(".=")
    mixed = any(c.isdigit() for c in value) or (len(value) >= 20 and value.lower() != value and value.upper() != value)
    return ((start, end),) if mixed and len(value) >= 8 else ()


def _basic(text: str, match: Match) -> Sequence[Span]:
    """Only what decodes to ``user:password``."""
    start, end = match[1]
    value = text[start:end].rstrip("=")
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        return ()
    return ((start, end),) if b":" in decoded else ()


def _sasl_plain(text: str, match: Match) -> Sequence[Span]:
    """Only what decodes to ``identity, user, password`` with NUL between."""
    start, end = match[1]
    value = text[start:end].rstrip("=")
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        return ()
    return ((start, end),) if decoded.count(b"\0") == 2 else ()


def _session_cookie(text: str, match: Match) -> Sequence[Span]:
    value = text[slice(*match[1])]
    return (match[1],) if any(map(str.isdigit, value)) and not values.is_nothing(value) else ()


RULES = (
    Rule(
        name="jwt",
        replacement="[jwt]",
        what="JSON Web Tokens, signed, unsigned or encrypted: the header decodes to a JSON object",
        pattern=r"eyJ[0-9A-Za-z_=-]{4,}\.[0-9A-Za-z_=-]{4,}(?:\.[0-9A-Za-z_=-]*){0,3}",
        check=_jwt,
        examples=(
            Example(
                "bad jwt eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVP-mB92K27uhbUJU",
                "bad jwt [jwt]",
            ),
        ),
        counter_examples=("eyJAAAA.eyJBBB", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"),
    ),
    Rule(
        name="bearer",
        replacement="[token]",
        spreads=True,
        what="what follows `Bearer` outside a header, when it is no word",
        pattern=r"(?i:\bbearer)(?:[ \t]+|%20)([0-9A-Za-z._~+/=-]{8,})",
        check=_bearer,
        examples=(Example("got Bearer 9f8a7b6c5d4e from client", "got Bearer [token] from client"),),
        counter_examples=("bearer authentication is required", "Bearer token expired"),
    ),
    Rule(
        name="basic",
        replacement="[credentials]",
        spreads=True,
        what="what follows `Basic` when it decodes to `user:password`",
        pattern=r"(?i:\bbasic)[ \t]+([0-9A-Za-z+/]{6,}={0,2})",
        check=_basic,
        examples=(Example("sent Basic dXNlcjpwYXNz", "sent Basic [credentials]"),),
        counter_examples=("basic authentication failed", "Basic constraints"),
    ),
    Rule(
        name="sasl-plain",
        replacement="[credentials]",
        spreads=True,
        what="what follows `AUTH PLAIN` (SMTP, IMAP, POP3) when it decodes to a user and a password",
        pattern=r"(?i)\bauth(?:enticate)?[ \t]+plain[ \t]+([0-9A-Za-z+/]{8,900}={0,2})",
        check=_sasl_plain,
        examples=(Example("535 5.7.8 AUTH PLAIN AGFubgBodW50ZXIy", "535 5.7.8 AUTH PLAIN [credentials]"),),
        counter_examples=("250-AUTH PLAIN LOGIN CRAM-MD5", "AUTH PLAIN mechanism"),
    ),
    Rule(
        name="session-cookie",
        replacement="[cookie]",
        spreads=True,
        what="cookies that say so by their name: `__Host-…`, `__Secure-…`, WordPress's, Rails' `_shop_session`",
        pattern=r"(?:__(?:Host|Secure)-[\w.-]{1,64}|\bwordpress_(?:logged_in|sec)_[0-9a-f]{32}|\b_[a-z0-9_]{1,40}_session)"
        r"=([^\s;,\"'&\\<>()\[]{16,900})",
        check=_session_cookie,
        examples=(
            Example("__Host-session=9f8a7b6c5d4e3f2a; Secure", "__Host-session=[cookie]; Secure"),
            Example("_shop_session=9f8a7b6c5d4e3f2a1b0c expired", "_shop_session=[cookie] expired"),
        ),
        counter_examples=("__Host-sid=missing", "_shop_session=none", "_db_session=sessionmaker()"),
    ),
)
