"""Kotlin's stack texts: the JVM's, told by the raising frame's file, and those of Kotlin/Native."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import ExceptionNode, Frame
from collector_processor.stacktraces import jvm, native_frames
from collector_processor.stacktraces.header import split_header
from collector_processor.stacktraces.language import Language
from collector_processor.stacktraces.text import lines, remembered

_SYMBOL = "kfun:"
_NATIVE = re.compile(r"\s*at (?=[0-9]{1,4} +\S)")


def looks_like(text: str) -> bool:
    return (_SYMBOL in text and " at 0 " in text) or (jvm.looks_like(text) and jvm.raising_file(text).endswith(".kt"))


@remembered
def _native_frame(line: str) -> Frame | None:
    """``at 1   shop.kexe   0x10a0b kfun:shop#charge(kotlin.Int){} + 120 (/srv/Cards.kt:12:5)``."""
    found = _NATIVE.match(line)
    return native_frames.read_frame(line[found.end() :]) if found is not None else None


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    if _SYMBOL not in text:
        return jvm.parse(text, type_)
    all_lines = lines(text)
    frames = [(index, frame) for index, line in enumerate(all_lines) if (frame := _native_frame(line)) is not None]
    if not frames:
        return []
    header = [line.removeprefix("Uncaught Kotlin exception: ") for line in all_lines[: frames[0][0]]]
    name, message = split_header(header, type_)
    return [ExceptionNode(name, message, None, tuple(frame for _, frame in frames[: jvm.MAX_FRAMES]))]


KOTLIN = Language(
    name="kotlin",
    aliases=frozenset({"kotlin"}),
    looks_like=looks_like,
    parse=parse,
    function_key=jvm.function_key,
)
