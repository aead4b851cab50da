"""Where an exception was raised, as the key that two reports of one bug have in common.

A stack's outer frames depend on who caught it and on who prints it, its inner ones on the versions of libraries and
engines. What stays is the application's frame nearest to the raise, the library function that it called, and the one
that raised.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from collector_processor.events import Frame
from collector_processor.stacktraces import in_app
from collector_processor.stacktraces.language import Language
from collector_processor.stacktraces.raising import carried_out
from collector_processor.stacktraces.source_file import file_key, short_file

OVERFLOWS = frozenset(
    {"RecursionError", "StackOverflowError", "StackOverflowException", "InsufficientExecutionStackException"}
    | {"SystemStackError"}
)
"""Types of a call stack that ran over: whichever function of the cycle hit the limit is chance."""
RAN_OVER = re.compile(
    r"maximum call stack size exceeded|too much recursion|(?:maximum|infinite) recursion|stack ?overflow"
    r"|stack level too deep",
    re.IGNORECASE,
)
"""The same by the message, where the type is used for other things as well (JavaScript's RangeError)."""
SHORT_STACK = 64
"""Frames of a stack of which a cycle may be shown once and a bit."""
_MINIFIED_NAME = 2
_MINIFIED_COLUMN = 300
_QUALIFIED = frozenset({"java", "kotlin", "scala", "dotnet", "go", "elixir", "rust", "php", "native"})
"""Print a function with its class, package or module."""
_NAMELESS = re.compile(r"<anonymous>$|\{closure")
_SEPARATOR = re.compile(r"[.:>\\]")

ByCaller = Callable[[str, str], bool]
"""(key of the raising function, bare type) -> whether its caller tells the bugs apart."""


class Site(NamedTuple):
    key: str
    """Line-free, path-free; ``""`` without frames."""
    tells_apart: bool
    """Whether it is a named function of the application. If not, the message has to help."""
    raised: str
    """The raising frame alone: the same for every text about one exception, however few frames it shows."""
    culprit: str
    """``shop/payments.py in charge_card``, ``com.shop.Payments.chargeCard``."""


NOWHERE = Site("", False, "", "")


def site(
    frames: Sequence[Frame],
    language: Language | None,
    bare_type: str,
    *,
    ran_over: bool = False,
    by_caller: ByCaller | None = None,
) -> Site:
    """The site of one exception; ``frames[0]`` is the raising one. ``ran_over``: the message says so (``RAN_OVER``)."""
    skipped = carried_out(frames, language.name if language is not None else "", bare_type)
    frames = frames[skipped:] if skipped else frames
    if not frames:
        return NOWHERE
    own = frames[0]
    if _instruments(own):
        own = next((frame for frame in frames[:3] if not _instruments(frame)), own)
    raised = _label(own, language)
    index = 0 if frames[0].in_app else next((index for index, frame in enumerate(frames) if frame.in_app), -1)
    if (ran_over or bare_type in OVERFLOWS) and (cycle := _cycle(frames, language)):
        blamed = frames[index] if index >= 0 else own
        return Site("cycle " + " ".join(cycle), index >= 0, raised, _culprit(blamed, language))
    if index < 0:
        return Site("in " + raised, False, raised, _culprit(own, language))
    app = frames[index]
    if language is not None and app.function in language.enclosed:
        # A comprehension is part of the function around it, whose frame is always the next of the application: newer
        # versions print that one only.
        enclosed = language.enclosed
        app = next((frame for frame in frames[index + 1 :] if frame.in_app and frame.function not in enclosed), app)
    key = raised if app is own else _label(app, language)
    if index and (between := [frame for frame in frames[:index] if _counts(frame)]):
        called, raising = _label(between[-1], language), _label(between[0], language)
        key += f" > {called}" if called == raising else f" > {called} > {raising}"
    if by_caller is not None and by_caller(key.partition(" > ")[0], bare_type):
        key += _caller(frames[index:], language)
    return Site(key, _named(app, language), raised, _culprit(app, language))


def _caller(frames: Sequence[Frame], language: Language | None) -> str:
    """The nearest other function of the application that called ``frames[0]``."""
    own = _label(frames[0], language)
    callers = (_label(frame, language) for frame in frames if frame.in_app)
    return next((f" < {label}" for label in callers if label != own), "")


def _instruments(frame: Frame) -> bool:
    file, function = frame.file, frame.function
    return (file is not None and in_app.instrumentation(file)) or (
        function is not None and in_app.instrumentation_name(function)
    )


def _counts(frame: Frame) -> bool:
    """Instrumentation and generated code (``<decorator-gen-39>``) between the application and the raise say nothing
    about the bug."""
    file = frame.file
    if file is not None and file[0:1] == "<" and not file.startswith(("<frozen", "<anonymous", "<embedded")):
        return False
    return not _instruments(frame)


def _function(frame: Frame, language: Language | None) -> str:
    """``""`` for a name that says no place: none, a lambda's, a minifier's."""
    name = frame.function
    if not name or language is None:
        return name or ""
    column = frame.column
    if column is None or column <= _MINIFIED_COLUMN or language.name != "javascript":
        return language.function_key(name)
    # Far to the right: what is short there, a function's name or the variable that it is called on, was given by a
    # minifier, and is another one in the next build.
    name = language.function_key(name)
    receiver, _, called = name.rpartition(".")
    if len(called) <= _MINIFIED_NAME:
        return ""
    return called if 0 < len(receiver) <= _MINIFIED_NAME else name


def _label(frame: Frame, language: Language | None) -> str:
    return f"{file_key(frame.file or '')}:{_function(frame, language)}"


def _qualified(name: str, language: Language | None) -> bool:
    return language is not None and language.name in _QUALIFIED and _SEPARATOR.search(name) is not None


def _named(frame: Frame, language: Language | None) -> bool:
    name = _function(frame, language)
    return bool(name) and (bool(file_key(frame.file or "")) or _qualified(name, language))


def _cycle(frames: Sequence[Frame], language: Language | None) -> list[str]:
    """The functions that a runaway recursion goes through, in an order that does not depend on where it was cut.

    Of a short stack (V8 keeps ten frames) everything between the first and the last function that comes twice: most of
    the cycle may be there once only. Of a long one what comes twice.
    """
    labels = [_label(frame, language) for frame in frames]
    counts = Counter(labels)
    repeated = [index for index, label in enumerate(labels) if counts[label] > 1]
    if not repeated:
        return []
    if len(frames) <= SHORT_STACK:
        repeated = list(range(repeated[0], repeated[-1] + 1))
    own = {labels[index] for index in repeated if frames[index].in_app}
    return sorted(own or {labels[index] for index in repeated})


def _culprit(frame: Frame, language: Language | None) -> str:
    """As people say it: qualified where the language names functions so, else the file and the function in it."""
    function = _function(frame, language)
    place = short_file(frame.file or "")
    if not function and not (place and _NAMELESS.search(frame.function or "")):
        function = frame.function or ""
    if _qualified(function, language):
        return function[:200]
    return (f"{place} in {function}" if place and function else place or function)[:200]
