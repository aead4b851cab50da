"""The title of an issue: one line for lists, pages and labels."""

from __future__ import annotations

from collector_processor.events import bare_type
from collector_processor.stages.parameterize import parameterize

MAX_TITLE = 120


def _said_type(type_: str) -> str:
    """The bare type; ``Template::Error`` and ``reqwest::Error`` where that would be ``Error``, as many call theirs."""
    name = bare_type(type_)
    outer = type_.removesuffix("::Error").rpartition("::")[2] if type_.endswith("::Error") else ""
    return f"{outer}::{name}" if outer.isidentifier() else name


def title(type: str, message: str) -> str:  # noqa: A002
    """``ValueError: cannot parse <str>``, at most 120 characters, one line.

    From the bare type and the message's first line, its volatile parts replaced: an issue has one title, not one an
    occurrence. The message is expected redacted already; what identifies a person is replaced again here, so that a
    title cannot become the leak.
    """
    first = next((line for line in (" ".join(line.split()) for line in message[:2048].splitlines()) if line), "")
    text = parameterize(first)
    name = " ".join(_said_type(type).split())
    whole = f"{name}: {text}" if name and text else name or text or "unknown error"
    if not whole.isprintable():
        whole = "".join(character if character.isprintable() else " " for character in whole)
    return whole if len(whole) <= MAX_TITLE else whole[: MAX_TITLE - 1].rstrip() + "…"
