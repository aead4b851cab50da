"""The tree of categories. Since last week 'gifts' is a part of 'kitchen' and the other way round."""

from __future__ import annotations

from typing import Any

CHILDREN = {
    "home": ["textiles", "lighting"],
    "textiles": ["aprons"],
    "kitchen": ["pans", "gifts"],
    "gifts": ["cards", "kitchen"],
}


def expand_category(name: str, path: list[str]) -> dict[str, Any]:
    """The category with all that is below it."""
    return {"name": name, "children": expand_children(name, [*path, name])}


def expand_children(name: str, path: list[str]) -> list[dict[str, Any]]:
    """What is directly below a category, expanded."""
    expanded = []
    for child in CHILDREN.get(name, []):
        expanded.append(expand_category(child, path))
    return expanded


def tree(name: str) -> tuple[int, dict[str, Any]]:
    """The tree below ``name``."""
    return 200, expand_category(name, [])
