"""Texts for a terminal, which obeys escape sequences: what a client sent must not move a cursor or change a title."""

from __future__ import annotations


def terminal_safe(text: str, *, lines: bool = False) -> str:
    """``text`` with control characters, escape sequences and direction overrides shown instead of obeyed. ``lines``:
    line ends and tabs stay."""
    kept = "\n\t" if lines else ""
    return "".join(c if c.isprintable() or c in kept else f"\\x{ord(c):02x}" for c in text)
