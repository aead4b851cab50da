"""A value that one text of an event shows to be secret goes from all of its texts: a password that stands in a URL of
the stack also stands, alone, in the message. Pure.

Only values that tell themselves apart are looked for: a password ``admin`` must not take the word from everything.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from collector_processor.stages.redact.engine import Redaction
from collector_processor.stages.redact.rule import stands_alone, vocabulary

CONTEXTUAL: Final = vocabulary(
    """authorization cookie password token secret key session url-password encoded-url-password dsn-password
    sql-password sql-insert duplicate-entry form-part soap-password said-password command-password named-element
    bearer basic"""
)
"""Rules that know a value by what stands around it; all others find theirs wherever it stands."""
MAX_VALUES: Final = 64
_MAX_LENGTH: Final = 512
_ORDINARY: Final = vocabulary(
    """password passwords username postgres postgresql localhost production development database administrator
    undefined anonymous changeme credentials authorization required disabled sensitive exception"""
)


def told(text: str, redactions: Sequence[Redaction]) -> dict[str, str]:
    """Values in ``text`` that its redactions show to be secret → the rule."""
    found: dict[str, str] = {}
    for one in redactions:
        if one.rule in CONTEXTUAL:
            for value in _parts(text[one.start : one.end], one.rule):
                if _tells_itself_apart(value) and len(found) < MAX_VALUES:
                    found[value] = one.rule
                    encoded = quote(value, safe="")
                    if encoded != value:
                        found[encoded] = one.rule
    return found


def spread(text: str, known: Mapping[str, str], word: Mapping[str, str]) -> tuple[str, list[str]]:
    """``text`` without the values that are ``known`` (value → rule), and the rule of each that went. ``word``: rule →
    what stands in its place."""
    gone: list[str] = []
    for value in sorted(known, key=len, reverse=True):
        if value not in text:
            continue
        parts: list[str] = []
        position = 0
        start = text.find(value)
        while start >= 0:
            end = start + len(value)
            if stands_alone(text, start, end):
                parts += text[position:start], word[known[value]]
                gone.append(known[value])
                position = end
            start = text.find(value, end)
        if parts:
            text = "".join([*parts, text[position:]])
    return text, gone


def _parts(value: str, rule: str) -> Iterator[str]:
    if len(value) > _MAX_LENGTH:
        return
    yield value.strip()
    if rule == "cookie":
        for pair in value.split(";"):
            yield pair.partition("=")[2].strip()
    elif rule in ("authorization", "basic"):
        try:
            yield base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except ValueError:
            return


def _tells_itself_apart(value: str) -> bool:
    if len(value) < 6 or "[" in value[:1]:
        return False
    if any(map(str.isdigit, value)):
        return any(map(str.isalpha, value)) or len(value) >= 8
    if value.isalpha():
        return len(value) >= 8 and value.lower() not in _ORDINARY
    return not value.isspace()
