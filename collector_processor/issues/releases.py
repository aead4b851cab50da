"""Which of two releases is older. Pure.

Version numbers are compared as such (``v1.9.0`` < ``1.10.0-rc.1`` < ``1.10.0``, calendar versions, bare build numbers,
a name in front: ``shop@1.2.3``); anything else, commit hashes above all, by when the service was first seen with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

_VERSION = re.compile(
    r"(?:.*[@/])?[vV]?(\d{1,18}(?:\.\d{1,18}){0,7})(?:-([0-9A-Za-z.-]{1,64})|((?:a|b|rc)\d{1,9}))?(?:\+.*)?", re.ASCII
)

VersionKey = tuple[tuple[int, ...], int, tuple[tuple[int, int, str], ...]]


def is_older(release: str, than: str, first_seen: Mapping[str, int]) -> bool | None:
    """True when ``release`` is older than ``than``, False when it is the same or newer, None when nobody can say.

    ``first_seen``: when (any unit) the service was first seen with a release; releases that were not seen are absent.
    """
    if release == than:
        return False
    mine, other = _version(release), _version(than)
    if mine is not None and other is not None and mine != other:
        return mine < other
    if release in first_seen and than in first_seen and first_seen[release] != first_seen[than]:
        return first_seen[release] < first_seen[than]
    return None


def newest(first_seen: Mapping[str, int]) -> str:
    """The newest of the releases; ``""`` when there is none."""
    best = ""
    for release in sorted(first_seen, key=lambda name: (first_seen[name], name)):
        if not best or not is_older(release, best, first_seen):
            best = release
    return best


@lru_cache(maxsize=4096)
def _version(text: str) -> VersionKey | None:
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    numbers = tuple(int(part) for part in found[1].split("."))
    while numbers and numbers[-1] == 0:  # 1.2 and 1.2.0 are one release
        numbers = numbers[:-1]
    suffix = found[2] or found[3]
    if suffix is None:
        return numbers, 1, ()
    # semver: numeric identifiers below words, and by number
    parts = re.findall(r"\d+|[^\d.]+", suffix)
    return numbers, 0, tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)
