"""Search by words."""

from __future__ import annotations

from typing import Any

INDEX: dict[str, list[int]] = {"mug": [11], "tea": [11, 12], "pan": [13], "knife": [15]}
SYNONYMS: dict[str, str | None] = {"cup": "mug", "skillet": "pan", "wok": None}


def look_up(word: str) -> list[int]:
    """Products for a word, or else for its synonym."""
    try:
        return INDEX[word]
    except KeyError:
        synonym: Any = SYNONYMS.get(word)
        return INDEX[synonym.lower()]


def search(word: str) -> tuple[int, dict[str, Any]]:
    """Products for a word."""
    return 200, {"word": word, "products": look_up(word)}
