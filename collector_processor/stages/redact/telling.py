"""Which secrets can be told apart from other text wherever they stand, and where else in a text they do. Pure.

A password that stands in an address also stands, alone, in the message. Only values that tell themselves apart are
looked for: a password ``admin`` must not take the word from everything.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from typing import Final

from collector_processor.stages.redact.rule import stands_alone, vocabulary

MAX_VALUES: Final = 64
_MAX_LENGTH: Final = 512
_HOLDING: Final = ("cookie", "authorization", "basic")
_DIGIT: Final = re.compile(r"\d")
_ORDINARY: Final = vocabulary(
    """password passwords username postgres postgresql localhost production development database administrator
    undefined anonymous changeme credentials authorization required disabled sensitive exception"""
)


def secrets_in(value: str, rule: str) -> Sequence[str]:
    """What ``rule`` took, and what it holds (each cookie, the password of Basic), as far as it tells itself apart."""
    if len(value) > _MAX_LENGTH:
        return ()
    if rule in _HOLDING:
        return [part for part in _parts(value, rule) if _tells_itself_apart(part)]
    value = value.strip()
    return (value,) if _tells_itself_apart(value) else ()


def places(text: str, value: str) -> Iterator[tuple[int, int]]:
    """Where ``value`` stands alone in ``text``."""
    start = text.find(value)
    while start >= 0:
        end = start + len(value)
        if stands_alone(text, start, end):
            yield start, end
        start = text.find(value, end)


def _parts(value: str, rule: str) -> Iterator[str]:
    yield value.strip()
    if rule == "cookie":
        for pair in value.split(";"):
            yield pair.partition("=")[2].strip()
    else:
        try:
            yield base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except ValueError:
            return


def _tells_itself_apart(value: str) -> bool:
    if len(value) < 6 or value[0] == "[":
        return False
    if _DIGIT.search(value) is not None:
        return len(value) >= 8 or any(map(str.isalpha, value))
    if value.isalpha():
        return len(value) >= 8 and value.lower() not in _ORDINARY
    return not value.isspace()
