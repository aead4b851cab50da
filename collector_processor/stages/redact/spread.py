"""A value that one text of an event shows to be secret goes from all of its texts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from collector_processor.stages.redact.engine import Redaction
from collector_processor.stages.redact.rules import DEFAULT_RULES
from collector_processor.stages.redact.telling import MAX_VALUES, places, secrets_in

_SPREADING: Final = frozenset(rule.name for rule in DEFAULT_RULES if rule.spreads)


def told(text: str, redactions: Sequence[Redaction]) -> dict[str, str]:
    """Values in ``text`` that its redactions show to be secret → the rule."""
    found: dict[str, str] = {}
    for one in redactions:
        if one.rule in _SPREADING:
            for value in secrets_in(text[one.start : one.end], one.rule):
                if len(found) < MAX_VALUES:
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
        for start, end in places(text, value):
            parts += text[position:start], word[known[value]]
            gone.append(known[value])
            position = end
        if parts:
            text = "".join([*parts, text[position:]])
    return text, gone
