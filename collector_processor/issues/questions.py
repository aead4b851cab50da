"""What is asked of the store, checked: names, page sizes, cursors. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from typing import Any

MAX_LIMIT = 500

_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


class IssueQueryError(Exception):
    """A question that makes no sense; its text names the key, the value and what is allowed."""


def not_text(text: str) -> bool:
    """Whether it holds characters that no text of an event has, and that not every database can be asked for."""
    return _NOT_TEXT.search(text) is not None


def one_of(key: str, value: str, allowed: Sequence[Any]) -> Any:
    if value not in allowed:
        raise IssueQueryError(f"{key}: {value!r:.80}: one of {', '.join(allowed)} is needed")
    return value


def page_size(limit: int) -> int:
    if not 1 <= limit <= MAX_LIMIT:
        raise IssueQueryError(f"limit: {limit!r}: a number from 1 to {MAX_LIMIT} is needed")
    return limit


def make_cursor(sort: str, descending: bool, value: int, last_id: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps([sort, descending, value, last_id]).encode()).decode().rstrip("=")


def read_cursor(cursor: str, sort: str, descending: bool) -> tuple[int, Any]:
    try:
        parts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
        if len(parts) == 4 and parts[:2] == [sort, descending]:
            value, last_id = parts[2:]
            id_type = int if sort == "time" else str
            # A text may hold NUL or half of a surrogate pair, a number 70 bits: no database takes all of these.
            fits = last_id.isalnum() and last_id.isascii() if isinstance(last_id, str) else abs(last_id) < 1 << 63
            if type(value) is int and type(last_id) is id_type and abs(value) < 1 << 63 and fits:
                return value, last_id
    except (ValueError, TypeError, binascii.Error, RecursionError):
        pass
    raise IssueQueryError(f"cursor: {cursor!r:.80}: the next_cursor of a page with the same sort is needed")
