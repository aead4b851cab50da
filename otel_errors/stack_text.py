"""The stack of an exception as text, in the form that Python prints, within a limit, with the tail kept: there
Python has the error."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from otel_errors.frame_text import Place, lines_of, places_of
from otel_errors.safe_text import cut, encodable, text_of

HEADER = "Traceback (most recent call last):\n"
MAX_EXCEPTIONS = 64
"""Of causes, contexts and group members together. Past that only the nearest are printed: the standard formatter
walks them all."""
NEAREST = 8
MAX_MESSAGE_CHARACTERS = 16 * 1024
"""Of each message and note. Else the tail that is kept of the text would hold nothing but message."""

_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


def traceback_of(exc: BaseException) -> TracebackType | None:
    """Not ``exc.__traceback__``: a subclass may have put anything in its place."""
    descriptor: Any = BaseException.__dict__["__traceback__"]
    found = descriptor.__get__(exc)
    return found if isinstance(found, TracebackType) else None


def stack_text(exc: BaseException, places: list[Place]) -> str:
    """What Python would print for ``exc``, whose frames ``places`` are, with causes, contexts, group members and notes;
    their frames too are without those of the SDK. Valid Unicode, no limit. May raise."""
    if exc.__cause__ is None and exc.__context__ is None and not hasattr(exc, "exceptions"):
        parts = [HEADER, *lines_of(places)] if places else []
        parts += _summary(exc).format_exception_only()
    elif _count(exc) > MAX_EXCEPTIONS:
        parts = list(_nearest(exc, places))
    else:
        parts = list(_with_frames(_summary(exc), exc, places).format())
    return encodable("".join(parts))


def _summary(exc: BaseException) -> traceback.TracebackException:
    """Everything but the frames, which cost the most and are made elsewhere."""
    summary = traceback.TracebackException(type(exc), exc, traceback_of(exc), limit=0, compact=True)
    _cut_messages(summary)
    return summary


def _cut_messages(whole: traceback.TracebackException) -> None:
    waiting: list[Any] = [whole]
    while waiting:
        one = waiting.pop()
        message, notes = getattr(one, "_str", None), getattr(one, "__notes__", None)
        if isinstance(message, str):
            one._str = cut(message, MAX_MESSAGE_CHARACTERS)
        if isinstance(notes, list):
            one.__notes__ = [cut(note, MAX_MESSAGE_CHARACTERS) if type(note) is str else note for note in notes]
        waiting += [inner for inner in (one.__cause__, one.__context__) if inner is not None]
        waiting += getattr(one, "exceptions", None) or ()


def _with_frames(
    whole: traceback.TracebackException, exc: BaseException, places: list[Place]
) -> traceback.TracebackException:
    waiting: list[tuple[Any, BaseException, list[Place] | None]] = [(whole, exc, places)]
    while waiting:
        summary, one, its_places = waiting.pop()
        summary.stack = lines_of(places_of(traceback_of(one)) if its_places is None else its_places)
        for inner, other in ((summary.__cause__, one.__cause__), (summary.__context__, one.__context__)):
            if inner is not None and other is not None:
                waiting.append((inner, other, None))
        members = getattr(one, "exceptions", None)
        if getattr(summary, "exceptions", None) and isinstance(members, tuple):
            waiting.extend((inner, member, None) for inner, member in zip(summary.exceptions, members, strict=False))
    return whole


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


def _nearest(exc: BaseException, places: list[Place]) -> Iterator[str]:
    parts: list[str] = []
    one: BaseException | None = exc
    seen: set[int] = set()
    while one is not None and id(one) not in seen and len(seen) < NEAREST:
        seen.add(id(one))
        lines = lines_of(places)
        message, _ = text_of(one, MAX_MESSAGE_CHARACTERS)
        name = f"{type(one).__module__}.{type(one).__qualname__}".removeprefix("builtins.")
        parts.append((HEADER if lines else "") + "".join(lines) + (f"{name}: {message}\n" if message else f"{name}\n"))
        following = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        if following is not None and len(seen) < NEAREST:
            parts.append(_CAUSE if one.__cause__ is not None else _CONTEXT)
        one = following
        places = places_of(traceback_of(one)) if one is not None else []
    if parts and parts[-1] in (_CAUSE, _CONTEXT):
        parts.pop()
    yield from reversed(parts)
