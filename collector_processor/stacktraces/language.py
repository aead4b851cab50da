"""What a language has to tell so that its stack texts can be read and grouped. A file a language, each with one
``Language``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collector_processor.events import ExceptionNode

MAX_EXCEPTIONS = 64
"""Of one chain or group that are kept, outermost first: a hostile text must not make a thousand nodes."""


@dataclass(frozen=True)
class Language:
    name: str
    """As events and pages say it."""
    aliases: frozenset[str]
    """What ``telemetry.sdk.language`` says, and other names of it."""
    looks_like: Callable[[str], bool]
    """Whether a text of unknown origin is this language's. Cheap: it is asked for every text without a language."""
    parse: Callable[[str, str], Sequence[ExceptionNode]]
    """(text, type the record carries) -> nodes, outermost first, then causes and group members depth first. Total and
    linear."""
    function_key: Callable[[str], str]
    """A function's name without what compilers, engines and the call add to it; ``""`` when the name says no place."""
    enclosed: frozenset[str] = frozenset()
    """Functions whose frame always stands inside of the enclosing function's and that some versions do not print."""
