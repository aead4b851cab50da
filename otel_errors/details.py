"""Facts beside an error (``details``, ``context``) that may be logged and sent: plain JSON, bounded, without secrets.

Secrets are known by the key that they come under, at any depth, and by the few forms in which they stand in texts of
any key: the password of a URL, an ``Authorization`` value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from pathlib import PurePath
from typing import Any, Final, Union
from uuid import UUID

from otel_errors.safe_text import encodable, text_of

__all__ = ["REDACTED", "is_secret_key", "one_line", "safe_details", "safe_text_value"]

MAX_DEPTH: Final = 6
MAX_ITEMS: Final = 64
"""Of one mapping or list."""
MAX_VALUES: Final = 512
"""Of all of them together."""
MAX_TEXT_CHARACTERS: Final = 2048
MAX_KEY_CHARACTERS: Final = 128
LEFT_OUT: Final = "…"

REDACTED: Final = "[redacted]"
"""What stands in the place of a secret."""

Json = Union[None, bool, int, float, str, "list[Json]", "dict[str, Json]"]

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS: Final = frozenset(
    {
        "password", "passwd", "passphrase", "passcode", "pwd", "pass", "secret", "secrets", "token", "tokens", "apikey",
        "authorization", "auth", "cookie", "cookies", "credential", "credentials", "pin", "otp", "cvv", "cvc", "csrf",
        "xsrf", "jwt", "bearer", "signature", "salt", "iban", "ssn", "dsn", "sessionid",
    }
)  # fmt: skip
_SECRET_ENDS: Final = ("password", "passwd", "secret", "apikey", "token", "passphrase", "privatekey", "accesskey")
_SECRET_PAIRS: Final = frozenset(
    {
        ("api", "key"), ("private", "key"), ("access", "key"), ("secret", "key"), ("encryption", "key"),
        ("signing", "key"), ("account", "key"), ("session", "key"), ("card", "number"), ("credit", "card"),
        ("connection", "string"), ("security", "code"), ("session", "cookie"),
    }
)  # fmt: skip
_HARMLESS_LAST: Final = frozenset(
    {"count", "length", "type", "limit", "name", "url", "expires", "expired", "valid", "id"}
)
"""``token_count``, ``auth_type``: about a secret, not one."""

_URL_PASSWORD: Final = re.compile(r"(://[^/@\s:]{0,256}:)[^/@\s]{1,1024}@")
_AUTHORIZATION: Final = re.compile(r"\b(Bearer|Basic|Digest|Negotiate)\s+[A-Za-z0-9+/=._~:\-]{8,}", re.IGNORECASE)


def is_secret_key(key: str) -> bool:
    """Whether what stands under ``key`` is a secret, by the words of the key, however they are joined.

    >>> [is_secret_key(key) for key in ("db_password", "X-API-Key", "accessToken", "token_count", "monkey")]
    [True, True, True, False, False]
    """
    words = [word.lower() for word in _WORDS.findall(key[:MAX_KEY_CHARACTERS])]
    if not words or (len(words) > 1 and words[-1] in _HARMLESS_LAST):
        return False
    return (
        any(word in _SECRET_WORDS or word.endswith(_SECRET_ENDS) for word in words)
        or any(pair in _SECRET_PAIRS for pair in pairwise(words))
        or "".join(words) in _SECRET_WORDS
    )


def safe_details(values: object) -> dict[str, Json]:
    """A copy of a mapping that ``json.dumps`` takes: at most 6 levels deep, 64 entries a level, 512 in all, texts of
    2,048 characters, secrets replaced. Anything else that is given becomes ``{"value": …}``; None becomes ``{}``.
    Never raises.

    >>> safe_details({"order": 4711, "password": "hunter2", "url": "amqp://shop:hunter2@mq/"})
    {'order': 4711, 'password': '[redacted]', 'url': 'amqp://shop:[redacted]@mq/'}
    """
    if values is None:
        return {}
    try:
        cleaned = _Copy().value(values, 0)
    except Exception:  # a mapping that resists being read, the recursion limit
        return {}
    if isinstance(cleaned, dict):
        return cleaned
    return {"value": cleaned}


def one_line(text: str) -> str:
    """``text`` without line breaks and control characters: it cannot pass for another log line, nor speak to a
    terminal.

    >>> one_line("a\\r\\nCRITICAL root: forged \\x1b[2J")
    'a CRITICAL root: forged [2J'
    """
    if text.isprintable() and "  " not in text:
        return text
    return " ".join("".join([character if character.isprintable() else " " for character in text]).split())


def safe_text_value(text: str, limit: int = MAX_TEXT_CHARACTERS) -> str:
    """``text`` bounded, valid Unicode, without URL passwords and authorization values.

    >>> safe_text_value("Authorization: Bearer abcdef123456")
    'Authorization: Bearer [redacted]'
    """
    short = encodable(text[:limit])
    clean = _AUTHORIZATION.sub(rf"\1 {REDACTED}", _URL_PASSWORD.sub(rf"\1{REDACTED}@", short))
    return clean + LEFT_OUT if len(text) > limit else clean


class _Copy:
    """Copies a value within what is left of the budget."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def value(self, value: object, depth: int) -> Json:
        self._left -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Enum):
            value = value.value
        if isinstance(value, str):
            return safe_text_value(text_of(value)[0])
        if type(value) is int:
            return value if value.bit_length() <= 64 else safe_text_value(text_of(hex(value))[0])
        if type(value) is float:
            return value if math.isfinite(value) else str(value)
        if isinstance(value, (Decimal, UUID, PurePath)):
            return safe_text_value(text_of(value)[0])
        if isinstance(value, (datetime, date, time)):
            return value.isoformat()
        if isinstance(value, timedelta):
            return value.total_seconds()
        if isinstance(value, (bytes, bytearray, memoryview)):
            return f"<{len(bytes(value))} bytes>"
        if isinstance(value, BaseException):
            return safe_text_value(f"{type(value).__name__}: {text_of(value)[0]}")
        if depth >= MAX_DEPTH:
            return LEFT_OUT
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._list(value, depth)
        return safe_text_value(text_of(value)[0])

    def _mapping(self, values: Mapping[Any, Any], depth: int) -> dict[str, Json]:
        copy: dict[str, Json] = {}
        for key, value in values.items():
            if len(copy) >= MAX_ITEMS or self._left <= 0:
                copy[LEFT_OUT] = f"{max(len(values) - len(copy), 1)} more"
                break
            name = text_of(key)[0][:MAX_KEY_CHARACTERS]
            copy[name] = REDACTED if is_secret_key(name) and value is not None else self.value(value, depth + 1)
        return copy

    def _list(self, values: Any, depth: int) -> list[Json]:
        copy: list[Json] = []
        for value in values:
            if len(copy) >= MAX_ITEMS or self._left <= 0:
                copy.append(LEFT_OUT)
                break
            copy.append(self.value(value, depth + 1))
        return copy
