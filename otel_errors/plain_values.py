"""Objects of an application as plain data, without running any code of theirs.

Only what has exactly a builtin type is shown by its value; of anything else there is the name of its type. A ``repr``
may talk to a database, take a lock, or never end, and this is called while the application fails.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import Any, Final
from uuid import UUID

from otel_errors.safe_text import type_name

MAX_DEPTH: Final = 4
MAX_ITEMS: Final = 16
"""Of one container; what is more is counted."""
MAX_VALUES: Final = 512
"""Of one call."""
MAX_TEXT_CHARACTERS: Final = 512
MAX_INTEGER_BITS: Final = 256
NUMBER_BITS: Final = 31
"""A longer one becomes text: JSON's readers lose digits, and a card number that is taken out must leave JSON behind."""

_AS_THEY_ARE: Final = frozenset({type(None), bool, float})
_BY_TEXT: Final = frozenset({complex, range, date, timedelta, Decimal, UUID})
_PATHS: Final = frozenset({PosixPath, PurePosixPath, PureWindowsPath, WindowsPath})
_LISTS: Final = frozenset({list, tuple, set, frozenset})


class PlainValues:
    """One budget for all that is made plain with it."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def of(self, value: Any, depth: int = 0) -> Any:
        """``value`` as None, bool, int, float, str, list or dict. Never raises."""
        try:
            return self._of(value, depth)
        except Exception:  # changed by another thread meanwhile; the recursion limit
            return _named(value)

    def _of(self, value: Any, depth: int) -> Any:
        self._left -= 1
        kind = type(value)
        if kind in _AS_THEY_ARE:
            return value
        if kind is str:
            return value if len(value) <= MAX_TEXT_CHARACTERS else value[:MAX_TEXT_CHARACTERS] + "…"
        if kind is int:
            return _integer(value)
        if kind is bytes or kind is bytearray:
            return f"<{len(value)} bytes>"
        if kind in _BY_TEXT or kind in _PATHS:
            return str(value)[:MAX_TEXT_CHARACTERS]
        if kind is dict or kind in _LISTS:
            if depth >= MAX_DEPTH or self._left <= 0:
                return f"<{kind.__name__} of {len(value)}>"
            return self._mapping(value, depth) if kind is dict else self._list(value, depth)
        return _named(value)

    def _mapping(self, values: dict[Any, Any], depth: int) -> dict[str, Any]:
        found = {self._key(key): self.of(inner, depth + 1) for key, inner in list(islice(values.items(), MAX_ITEMS))}
        if len(values) > MAX_ITEMS:
            found["…"] = f"{len(values) - MAX_ITEMS} more"
        return found

    def _list(self, values: Any, depth: int) -> list[Any]:
        found = [self.of(inner, depth + 1) for inner in list(islice(values, MAX_ITEMS))]
        if len(values) > MAX_ITEMS:
            found.append(f"… {len(values) - MAX_ITEMS} more")
        return found

    def _key(self, key: Any) -> str:
        plain = self.of(key, MAX_DEPTH)
        return plain if type(plain) is str else str(plain)


def _integer(value: int) -> int | str:
    bits = value.bit_length()
    if bits <= NUMBER_BITS:
        return value
    return str(value) if bits <= MAX_INTEGER_BITS else f"<int of {bits} bits>"


def _named(value: Any) -> str:
    return f"<{type_name(value)}>"
