"""The class, package or module that a function's name begins with, in languages that print it there."""

from __future__ import annotations

import re
from typing import Final

_DOTTED = re.compile(r"(.+)\.[^.]+\Z", re.DOTALL)
_PATHED = re.compile(r"(.+)::[^:]+\Z", re.DOTALL)
_SEPARATED: Final = {
    "java": _DOTTED,
    "kotlin": _DOTTED,
    "scala": _DOTTED,
    "dotnet": _DOTTED,
    "go": re.compile(
        r"((?:.*/)?[^./]+)\..+\Z", re.DOTALL
    ),  # the package: what follows its dot may have dots of its own
    "elixir": re.compile(r"(?:anonymous fn/[0-9]+ in )?:?([\w.@']+)[.:][^.:]+/[0-9]+\Z"),
    "rust": _PATHED,
    "native": _PATHED,
    "php": re.compile(r"(.+)(?:->|::|\\|\.)[^>:\\.]+\Z", re.DOTALL),
    "ruby": re.compile(r"(?:.* in )?([A-Z][\w:]*)[#.][^#.]+\Z", re.DOTALL),
}
_RUST_HASH = re.compile(r"::h[0-9a-f]{16}\Z")


def module_of(function: str | None, language: str) -> str | None:
    """``com.shop.Pay.charge`` -> ``com.shop.Pay``, ``github.com/acme/pay.(*Gateway).Charge`` ->
    ``github.com/acme/pay``; None where the language prints none."""
    pattern = _SEPARATED.get(language)
    if pattern is None or not function:
        return None
    name = function
    if language == "rust":
        name = _RUST_HASH.sub("", name)
    elif language == "native":
        name = name.partition("(")[0]
    found = pattern.match(name)
    return found[1].rstrip(".") or None if found is not None else None
