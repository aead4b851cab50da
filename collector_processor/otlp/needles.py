"""Which items of an envelope may be of interest, by a look at their bytes: never one too few, now and then one too
many."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

from otel_errors.semconv import ERROR_KEYS, EXCEPTION_EVENT_NAME

_NAMES = frozenset({EXCEPTION_EVENT_NAME, *ERROR_KEYS})
ERROR_NEEDLES: Final = tuple(
    name.encode() for name in sorted(_NAMES) if not any(other in name for other in _NAMES - {name})
)
"""An error event holds one of these in its bytes: texts stand in protobuf as they are, in one piece."""
STATUS_NEEDLE: Final = b"\x18\x02"
"""A status of ERROR as every encoder writes it: field 3, value 2. (Others are legal: ``failed_statuses`` tells.)"""


def present(payload: bytes, needles: Iterable[bytes]) -> list[bytes]:
    """Those of ``needles`` that are in ``payload``."""
    return [needle for needle in needles if needle in payload]


def holding(items: Sequence[bytes], needles: Iterable[bytes]) -> list[int]:
    """The indices of the items that hold one of ``needles``, in order.

    They are looked for in all items at once: a look into each by itself takes five times as long. A needle that begins
    in one item and ends in the next is found too.
    """
    ends = list(accumulate(map(len, items)))
    together = b"".join(items)
    found: set[int] = set()
    for needle in needles:
        place = together.find(needle)
        while place >= 0:
            index = bisect_right(ends, place)
            found.add(index)
            place = together.find(needle, ends[index])
    return sorted(found)
