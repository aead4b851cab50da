"""``file:line:column``, the end that many languages put on a frame."""

from __future__ import annotations

MAX_DIGITS = 9


def position(location: str) -> tuple[str, int, int | None] | None:
    """(file, line, column or None) of ``file:line:column`` or ``file:line``; None for anything else. Read from the
    end, since file names hold colons of their own."""
    head, _, last = location.rpartition(":")
    if not head or not last.isdecimal() or len(last) > MAX_DIGITS:
        return None
    file, _, row = head.rpartition(":")
    if file and row.isdecimal() and len(row) <= MAX_DIGITS:
        return file, int(row), int(last)
    return head, int(last), None
