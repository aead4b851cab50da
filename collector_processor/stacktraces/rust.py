"""Rust's stack texts: panics with their backtraces, and the causes that anyhow and eyre print."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import ExceptionNode, Frame
from collector_processor.stacktraces import in_app, native
from collector_processor.stacktraces.language import Language
from collector_processor.stacktraces.text import lines, remembered

MAX_FRAMES = 1024
MAX_LINE = 2048

_FUNCTION = re.compile(r"\s*[0-9]{1,5}: +(?:0x[0-9a-f]{1,16} - )?(\S.{0,1024}?)\s*$")
_PLACE = re.compile(r"\s+at (\S.{0,1024}?):([0-9]{1,9})(?::([0-9]{1,9}))?\s*$")
_OLD = re.compile(
    r"thread '([^']{0,256})'(?: \([0-9]+\))? panicked at (['\"].*['\"]), "
    r"(\S.{0,1024}?):([0-9]{1,9})(?::([0-9]{1,9}))?\s*$"
)
_NEW = re.compile(r"thread '([^']{0,256})'(?: \([0-9]+\))? panicked at (\S.{0,1024}?):([0-9]{1,9}):([0-9]{1,9}):\s*$")
_HASH = re.compile(r"::h[0-9a-f]{16}$|(?:::\{\{?closure\}?\}(?:#[0-9]+)?)+|\[[0-9a-f]{16}\]")


@remembered
def function_key(function: str) -> str:
    """Without the hash of the symbol and of crates; a closure counts as its function."""
    return _HASH.sub("", _HASH.sub("", function))


def looks_like(text: str) -> bool:
    """Asked before JavaScript, whose frames without a function look like the places of a backtrace."""
    if "panicked at " in text:
        return "thread '" in text
    return "stack backtrace:" in text or (".rs:" in text and "#0 " in text)


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    """Without a backtrace the place of the panic is the frame."""
    frames: list[Frame] = []
    message: list[str] = []
    panicked: Frame | None = None
    function: str | None = None
    open_ = False
    for line in lines(text):
        short = line[:MAX_LINE]
        old, new = (_OLD.search(short), _NEW.search(short)) if short.count("panicked at ") == 1 else (None, None)
        if old is not None and panicked is None:
            message.append(old[2][1:-1])
            panicked = _site(old[3], old[4], old[5])
            continue
        if new is not None and panicked is None:
            panicked = _site(new[2], new[3], new[4])
            open_ = True
            continue
        if short.startswith(("stack backtrace:", "note: ")):
            open_ = False
        if open_:
            message.append(line)
            continue
        place = _PLACE.match(short)
        if place is not None and function is not None:
            column = int(place[3]) if place[3] else None
            frames.append(Frame(function, None, place[1], int(place[2]), column, in_app.rust(place[1], function)))
            function = None
            continue
        if function is not None:
            frames.append(Frame(function, None, None, None, None, in_app.rust("", function)))
            function = None
        called = _FUNCTION.match(short)
        if called is not None and len(frames) < MAX_FRAMES and not called[1].startswith("0x"):
            function = called[1]
    if function is not None:
        frames.append(Frame(function, None, None, None, None, in_app.rust("", function)))
    if not frames:  # a sanitizer prints the stack of a Rust program in its own form
        frames = list(native.read(text)) or ([panicked] if panicked is not None else [])
    if not frames:
        return []
    said = "\n".join(message).strip() or None
    return [ExceptionNode(type_ or ("panic" if panicked is not None else None), said, None, tuple(frames))]


def _site(file: str, row: str, column: str | None) -> Frame:
    return Frame(None, None, file, int(row), int(column) if column else None, in_app.rust(file, ""))


RUST = Language(name="rust", aliases=frozenset({"rust"}), looks_like=looks_like, parse=parse, function_key=function_key)
