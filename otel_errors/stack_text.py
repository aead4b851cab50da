"""The stack of an exception as text, in the form that Python prints, within a limit, with the tail kept: there
Python has the error."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from otel_errors.safe_text import encodable, text_of

HEADER = "Traceback (most recent call last):\n"
MAX_EXCEPTIONS = 64
"""Of causes, contexts and group members together. Past that only the nearest are printed: the standard formatter
walks them all."""
NEAREST = 8

_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"

# These stand between the raise and the span's or hook's except clause without being part of the application.
_HEAD_MODULES = frozenset(
    {"opentelemetry.trace", "opentelemetry.sdk.trace", "opentelemetry.util._decorator", "contextlib"}
)


def application_traceback(exc: BaseException) -> TracebackType | None:
    """The traceback without the frames of the SDK, contextlib and this library at its head; all of it when nothing
    else is there."""
    whole = _traceback(exc)
    rest = whole
    while rest is not None and _is_head_frame(rest):
        rest = rest.tb_next
    return rest if rest is not None else whole


def stack_text(exc: BaseException, tb: TracebackType | None) -> str:
    """What Python would print for ``exc`` with ``tb``, causes and group members included. Valid Unicode, no limit.
    May raise."""
    if _count(exc) > MAX_EXCEPTIONS:
        return encodable("".join(_nearest(exc, tb)))
    return encodable("".join(traceback.format_exception(type(exc), exc, tb)))


def shorten(text: str, max_bytes: int, max_characters: int | None = None) -> str:
    """``text`` within both limits. The first line, a line that says how much is missing, then whole frames up to
    the end."""
    budget = max_bytes if max_characters is None else min(max_bytes, max_characters)
    if len(text) <= budget and (text.isascii() or len(text.encode()) <= max_bytes):
        return text
    tail = _tail(text, budget, max_bytes)
    marker = f"  [... {len(text)} characters, the first ones left out ...]\n"
    room = budget - len(HEADER) - len(marker)
    if room < len(HEADER):
        return tail
    tail = _tail(text, room, max_bytes - len(HEADER) - len(marker))
    frame = tail.find('\n  File "')
    # A cut frame says a wrong file or line: start at a whole one, unless that would throw away more than half.
    if 0 <= frame < len(tail) // 2:
        tail = tail[frame + 1 :]
    return HEADER + marker + tail


def _tail(text: str, characters: int, max_bytes: int) -> str:
    tail = text[-characters:] if characters > 0 else ""
    if not tail.isascii():
        tail = tail.encode()[-max_bytes:].decode("utf-8", "ignore") if max_bytes > 0 else ""
    return tail


def _traceback(exc: BaseException) -> TracebackType | None:
    # Not `exc.__traceback__`: a subclass may have put anything in its place.
    descriptor: Any = BaseException.__dict__["__traceback__"]
    found = descriptor.__get__(exc)
    return found if isinstance(found, TracebackType) else None


def _is_head_frame(tb: TracebackType) -> bool:
    module = tb.tb_frame.f_globals.get("__name__")
    return isinstance(module, str) and (module in _HEAD_MODULES or module.partition(".")[0] in ("otel_errors", "wrapt"))


def _count(exc: BaseException) -> int:
    """Exceptions that the standard formatter would walk, counted no further than one past the limit."""
    seen: set[int] = set()
    waiting: list[BaseException] = [exc]
    while waiting and len(seen) <= MAX_EXCEPTIONS:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        waiting.extend(other for other in (one.__cause__, one.__context__) if other is not None)
        members = getattr(one, "exceptions", None)
        if isinstance(members, tuple):
            waiting.extend(member for member in members[: MAX_EXCEPTIONS + 1] if isinstance(member, BaseException))
    return len(seen)


def _nearest(exc: BaseException, tb: TracebackType | None) -> Iterator[str]:
    parts: list[str] = []
    one: BaseException | None = exc
    seen: set[int] = set()
    while one is not None and id(one) not in seen and len(seen) < NEAREST:
        seen.add(id(one))
        lines = traceback.format_tb(tb)
        message, _ = text_of(one)
        name = f"{type(one).__module__}.{type(one).__qualname__}".removeprefix("builtins.")
        parts.append((HEADER if lines else "") + "".join(lines) + (f"{name}: {message}\n" if message else f"{name}\n"))
        following = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        if following is not None and len(seen) < NEAREST:
            parts.append(_CAUSE if one.__cause__ is not None else _CONTEXT)
        one = following
        tb = _traceback(one) if one is not None else None
    if parts and parts[-1] in (_CAUSE, _CONTEXT):
        parts.pop()
    yield from reversed(parts)
