"""Facts of a context as JSON text, bounded and without secrets."""

from __future__ import annotations

import json
from typing import Final

from otel_errors.details import LEFT_OUT, safe_details

MAX_CHARACTERS: Final = 8192
_ROOM_FOR_THE_REST: Final = 32


def context_text(facts: object, limit: int = MAX_CHARACTERS) -> str:
    """Never raises. Entries that do not fit are left out whole, because half of a JSON text is none.

    >>> context_text({"items": 3, "api_key": "hunter2"})
    '{"items": 3, "api_key": "[redacted]"}'
    """
    entries: list[str] = []
    left = limit - _ROOM_FOR_THE_REST
    missing = 0
    for key, value in safe_details(facts).items():
        entry = f"{_json(key)}: {_json(value)}"
        if len(entry) + 2 <= left:
            entries.append(entry)
            left -= len(entry) + 2
        else:
            missing += 1
    if missing:
        entries.append(f"{_json(LEFT_OUT)}: {_json(f'{missing} too long')}")
    return "{" + ", ".join(entries) + "}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
