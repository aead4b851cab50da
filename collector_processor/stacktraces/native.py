"""Symbolised stacks of Swift, Objective-C, C and C++: sanitizers, gdb, glibc, Boost, Apple's crash reports, Swift's
own backtraces."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import ExceptionNode, Frame
from collector_processor.stacktraces import in_app
from collector_processor.stacktraces.header import split_header
from collector_processor.stacktraces.language import Language
from collector_processor.stacktraces.text import lines, remembered

MAX_FRAMES = 1024
MAX_LINE = 2048

_SANITIZER = re.compile(
    r"\s*#[0-9]{1,5} +0x[0-9a-f]{1,16} in (\S.{0,1024}?)"
    r" (?:\(([^()]{1,512})\+0x[0-9a-f]+\)|(\S.{0,512}?):([0-9]{1,9})(?::([0-9]{1,9}))?)(?:"
    r" \(BuildId: \w+\))?\s*$"
)
_GDB = re.compile(
    r"\s*#[0-9]{1,5} +(?:0x[0-9a-f]{1,16} in )?([\w:~<>,*&\[\] ]{1,512}?) ?\(.{0,1024}?\)(?:"
    r" (?:at (\S.{0,512}?):([0-9]{1,9})|from (\S.{0,512})))\s*$"
)
_APPLE = re.compile(
    r"\s*[0-9]{1,4} +(\S.{0,127}?) +(0x[0-9a-fA-F]{6,16}) (.{1,1024}?) \+ [0-9]{1,12}(?:"
    r" \(([^()]{1,256}):([0-9]{1,9})\))?\s*$"
)
_APPLE_FILE = re.compile(
    r"\s*[0-9]{1,4} +(\S.{0,127}?) +(0x[0-9a-fA-F]{6,16}) (\S.{0,512}?) \(([^():]{1,256}):([0-9]{1,9})\)\s*$"
)
_SWIFT = re.compile(
    r"\s*[0-9]{1,4}"
    r" (?:\[[^\]]{0,64}\] )?(?:\[[^\]]{0,16}\] )?0x[0-9a-f]{6,16} (\S.{0,512}?)(?: \+ [0-9]+)? in"
    r" (\S{1,256})(?: at (\S.{0,512}?):([0-9]{1,9})(?::([0-9]{1,9}))?)?\s*$"
)
_NUMBERED = re.compile(
    r"\s*[0-9]{1,4}# +(\S.{0,512}?) (?:at (\S.{0,512}?):([0-9]{1,9})|in (\S.{0,512}?))(?: \[0x[0-9a-f]+\])?\s*$"
)
_GLIBC = re.compile(r"(\S[^()\[\]]{0,512})\(([\w.$@]{1,512})\+0x[0-9a-f]+\) ?\[0x[0-9a-f]{1,16}\]\s*$")
_FATAL = re.compile(r"(?:\S.{0,512}:[0-9]{1,9}: )?(Fatal error|Assertion failed|Precondition failed): ?(.*)$")


@remembered
def function_key(function: str) -> str:
    """Without parameters, and without what template arguments an instance has."""
    return "" if function.startswith("0x") or function == "<unavailable>" else function.partition("(")[0] or function


@remembered
def read_frame(line: str) -> Frame | None:
    if len(line) > MAX_LINE or not line.strip():
        return None
    found = _SANITIZER.match(line)
    if found is not None:
        return _frame(found[1], found[3] or found[2], found[4], found[5])
    found = _SWIFT.match(line)
    if found is not None:
        return _frame(found[1], found[3] or found[2], found[4], found[5])
    found = _APPLE_FILE.match(line)
    if found is not None:
        return _frame(found[3], found[4], found[5], None)
    found = _APPLE.match(line)
    if found is not None:
        return _frame(found[2] if found[3].startswith("0x") else found[3], found[4] or found[1], found[5], None)
    found = _NUMBERED.match(line)
    if found is not None:
        return _frame(found[1], found[2] or found[4], found[3], None)
    found = _GDB.match(line)
    if found is not None:
        return _frame(found[1], found[2] or found[4], found[3], None)
    found = _GLIBC.match(line)
    return _frame(found[2], found[1], None, None) if found is not None else None


def _frame(function: str, file: str | None, row: str | None, column: str | None) -> Frame:
    own = in_app.native(function, file or "")
    return Frame(function, None, file, int(row) if row else None, int(column) if column else None, own)


def read(text: str) -> Sequence[Frame]:
    """The frames of the first stack of the text; a crash report has one for each thread."""
    frames: list[Frame] = []
    for line in lines(text):
        frame = read_frame(line)
        if frame is not None and len(frames) < MAX_FRAMES:
            frames.append(frame)
        elif frames and not line.strip():
            break
    return frames


def looks_like(text: str) -> bool:
    return ("0x" in text or "#0" in text or "0# " in text) and bool(read(text[:32_768]))


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    frames = read(text)
    if not frames:
        return []
    header: list[str] = []
    for line in lines(text):
        if read_frame(line) is not None:
            break
        fatal = _FATAL.search(line[:MAX_LINE])
        if fatal is not None:
            return [ExceptionNode(type_ or fatal[1], fatal[2], None, tuple(frames))]
        header.append(line)
    name, message = split_header(header, type_)
    return [ExceptionNode(name, message, None, tuple(frames))]


NATIVE = Language(
    name="native",
    aliases=frozenset({"native", "c", "cpp", "c++"}),
    looks_like=looks_like,
    parse=parse,
    function_key=function_key,
)
SWIFT = Language(
    name="swift",
    aliases=frozenset({"swift", "objc", "objective-c", "swift-objc"}),
    looks_like=lambda text: (
        looks_like(text)
        and any(
            word in text for word in (".swift", "swift-", "libswift", "Binary Images:", "libdyld", "CoreFoundation")
        )
    ),
    parse=parse,
    function_key=function_key,
)
