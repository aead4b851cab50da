"""Where an exception was raised, as the key that two reports of one bug have in common.

A stack's outer frames depend on who caught it and on who prints it, its inner ones on the versions of libraries and
engines. What stays is the application's frame nearest to the raise, the library function that it called, and the one
that raised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from collector_processor.events import Frame
from collector_processor.stacktraces import in_app
from collector_processor.stacktraces.language import Language
from collector_processor.stacktraces.source_file import file_key, short_file

OVERFLOWS = frozenset({"RecursionError", "RangeError", "InternalError", "StackOverflowError"})
"""Types of a call stack that ran over: whichever function of the cycle hit the limit is chance. (``RangeError`` is
other things too: the stack has to show a cycle.)"""
_MINIFIED_NAME = 2
_MINIFIED_COLUMN = 300


class Site(NamedTuple):
    key: str
    """Line-free, path-free; ``""`` without frames."""
    tells_apart: bool
    """Whether it is a named function of the application. If not, the message has to help."""
    raised: str
    """The raising frame alone: the same for every text about one exception, however few frames it shows."""
    culprit: str
    """``shop/payments.py in charge_card``."""


NOWHERE = Site("", False, "", "")


def site(frames: Sequence[Frame], language: Language | None, bare_type: str) -> Site:
    """The site of one exception; ``frames[0]`` is the raising one."""
    enclosed = language.enclosed if language is not None else frozenset()
    own = [frame for frame in frames[:3] if frame.file is None or not in_app.instrumentation(frame.file)] or frames
    if not own:
        return NOWHERE
    raised = _label(own[0], language)
    index = next((index for index, frame in enumerate(frames) if frame.in_app), -1)
    if bare_type in OVERFLOWS and (cycle := _cycle(frames, language)):
        blamed = frames[index] if index >= 0 else own[0]
        return Site("cycle " + " ".join(cycle), index >= 0, raised, _culprit(blamed))
    if index < 0:
        return Site("in " + raised, False, raised, _culprit(own[0]))
    app = frames[index]
    if app.function in enclosed:
        # A comprehension is part of the function around it, whose frame is always the next: newer versions print that
        # one only.
        app = next((frame for frame in frames[index + 1 :] if frame.function not in enclosed), app)
    key = _label(app, language)
    between = [frame for frame in frames[:index] if _counts(frame)]
    if between:
        called, raising = _label(between[-1], language), _label(between[0], language)
        key += f" > {called}" if called == raising else f" > {called} > {raising}"
    return Site(key, _named(app, language), raised, _culprit(app))


def _counts(frame: Frame) -> bool:
    """Instrumentation and generated code (``<decorator-gen-39>``) between the application and the raise say nothing
    about the bug."""
    file = frame.file
    if file is None:
        return True
    return not in_app.instrumentation(file) and not (
        file[0:1] == "<" and not file.startswith(("<frozen", "<anonymous", "<embedded"))
    )


def _function(frame: Frame, language: Language | None) -> str:
    name = frame.function or ""
    return language.function_key(name) if language is not None and name else name


def _label(frame: Frame, language: Language | None) -> str:
    place = frame.module or file_key(frame.file or "")
    return f"{place}:{_function(frame, language) or frame.function or ''}" if not _minified(frame) else f"{place}:"


def _named(frame: Frame, language: Language | None) -> bool:
    return (
        bool(_function(frame, language)) and bool(frame.module or file_key(frame.file or "")) and not _minified(frame)
    )


def _minified(frame: Frame) -> bool:
    """A short name far to the right is a minifier's, which gives the function another one in the next build."""
    name = frame.function
    return (
        frame.column is not None
        and frame.column > _MINIFIED_COLUMN
        and name is not None
        and len(name.rpartition(".")[2]) <= _MINIFIED_NAME
    )


def _cycle(frames: Sequence[Frame], language: Language | None) -> list[str]:
    """The functions that a runaway recursion goes through, in an order that does not depend on where it was cut."""
    labels = [_label(frame, language) for frame in frames]
    counts = Counter(labels)
    repeated = {label for label, frame in zip(labels, frames, strict=True) if counts[label] > 1 and frame.in_app}
    if not repeated:
        repeated = {label for label in labels if counts[label] > 1}
        if repeated:
            repeated.update(label for label, frame in zip(labels, frames, strict=True) if frame.in_app)
    return sorted(repeated)


def _culprit(frame: Frame) -> str:
    place = frame.module or short_file(frame.file or "")
    function = frame.function or ""
    return (f"{place} in {function}" if place and function else place or function)[:200]
