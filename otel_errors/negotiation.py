"""What the other side asked for: a media type by ``Accept``, a language by ``Accept-Language``, with their weights
(RFC 9110). Any text may come in; nothing raises."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["best_language", "best_media_type", "weighted"]

MAX_HEADER_CHARACTERS: Final = 4096
MAX_ITEMS: Final = 64


def weighted(header: str) -> list[tuple[str, float]]:
    """The items of a header in lower case with their weights, in their order; a weight that is none counts as 0.

    >>> weighted("text/html, application/json;q=0.5, */*;q=0")
    [('text/html', 1.0), ('application/json', 0.5), ('*/*', 0.0)]
    """
    items: list[tuple[str, float]] = []
    for part in header[:MAX_HEADER_CHARACTERS].split(",")[:MAX_ITEMS]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if not name:
            continue
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                weight = _weight(value.strip())
        items.append((name, weight))
    return items


def best_media_type(accept: str | None, offered: Sequence[str]) -> str:
    """Which of ``offered`` fits ``accept`` best; of equals the one that is offered first, and that one too when none
    fits: an error in another form is of more use than a bare 406.

    >>> offered = ("application/problem+json", "text/html")
    >>> best_media_type("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", offered)
    'text/html'
    >>> best_media_type("*/*", offered), best_media_type(None, offered)
    ('application/problem+json', 'application/problem+json')
    """
    asked = weighted(accept or "")
    if not asked:
        return offered[0]
    best, best_weight = offered[0], 0.0
    for media_type in offered:
        weight = _weight_of(media_type, asked)
        if weight > best_weight:
            best, best_weight = media_type, weight
    return best


def best_language(accept_language: str | None, offered: Iterable[str], default: str) -> str:
    """Which of the ``offered`` languages fits best: ``de-AT`` is served by ``de``, ``*`` by the default.

    >>> best_language("fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5", ("en", "de", "fr"), "en")
    'fr'
    >>> best_language("tlh", ("en", "de"), "en")
    'en'
    """
    available = {language.lower().replace("_", "-"): language for language in offered}
    refused = {tag for tag, weight in weighted(accept_language or "") if weight <= 0}
    for tag, weight in sorted(weighted(accept_language or ""), key=lambda item: -item[1]):
        if weight <= 0:
            continue
        if tag == "*":
            return default
        parts = tag.replace("_", "-").split("-")
        while parts:
            found = available.get("-".join(parts))
            if found is not None and "-".join(parts) not in refused:
                return found
            parts.pop()
    return default


def _weight(value: str) -> float:
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0  # NaN is neither


def _weight_of(media_type: str, asked: Sequence[tuple[str, float]]) -> float:
    """The weight of the most specific item that covers it."""
    kind = media_type.partition("/")[0]
    # JSON of a kind of its own is what somebody wants who asks for JSON.
    names = [media_type, "application/json"] if media_type.endswith("+json") else [media_type]
    for name in (*names, f"{kind}/*", "*/*"):
        weights = [weight for item, weight in asked if item == name]
        if weights:
            return max(weights)
    return 0.0
