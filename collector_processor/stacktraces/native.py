"""Symbolised stacks of Swift, Objective-C, C and C++."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import ExceptionNode, Frame
from collector_processor.stacktraces.header import split_header
from collector_processor.stacktraces.language import Language
from collector_processor.stacktraces.native_frames import MAX_LINE, read_frame
from collector_processor.stacktraces.text import lines, remembered

MAX_FRAMES = 1024

_CRASHED_THREAD = re.compile(r"Thread [0-9]{1,5}\b.{0,256} [Cc]rashed:")
_FATAL = re.compile(r"(Fatal error|Assertion failed|Precondition failed): ?(.*)$")
_UNCAUGHT = re.compile(
    r"due to uncaught exception '(\w{1,256})', reason: '(.*)'|throwing an instance of '([^']{1,256})'"
    r"|terminating (?:with|due to) uncaught exception of type ([\w:<>, ]{1,256})(?:: (.*))?"
)
_SANITIZED = re.compile(r"==[0-9]{1,9}==\s?ERROR: (?=\w{1,64}Sanitizer: )")
"""The number of the process, in front of what it says."""
_WHAT = "what():"
_SWIFT_WORDS = (".swift", "swift-", "libswift", "Binary Images:", "libdyld", "CoreFoundation", "libobjc")
_DECORATION = re.compile(
    r"^(?:(?:closure|implicit closure|defer|local func|autoclosure) #[0-9]{1,4} (?:\([^()]{0,128}\) )?in "
    r"|partial apply for |(?:generic |function signature )?specialized "
    r"|@objc |@nonobjc |reabstraction thunk helper (?:from|for) )+"
    r"|\.(?:isra|constprop|part|cold|lto_priv|llvm)\b[.0-9]*|\s?\[clone [^\]]{0,64}\]"
)


@remembered
def function_key(function: str) -> str:
    """Without parameters, and without what compilers put around a name; a closure counts as its function. An address
    says no place."""
    if function.startswith("0x") or function == "<unavailable>":
        return ""
    return _DECORATION.sub("", function).partition("(")[0] or function


def read(text: str) -> Sequence[Frame]:
    """The frames of the thread that crashed, if the text names it, else of the first stack of the text; a crash report
    has one for each thread. gdb shows the crash's first frame alone before it shows the threads."""
    all_lines = _unfolded(lines(text))
    start = 0
    if "rashed:" in text:
        start = next((index for index, line in enumerate(all_lines) if _CRASHED_THREAD.match(line[:MAX_LINE])), 0)
    first: list[Frame] = []
    frames: list[Frame] = []
    for line in all_lines[start:]:
        frame = read_frame(line)
        if frame is not None and len(frames) < MAX_FRAMES:
            frames.append(frame)
        elif frames and (not line.strip() or line.startswith("==")):  # Valgrind goes on with where the memory came from
            first = first or frames
            if len(first) > 1 or (frames is not first and frames[0].function == first[0].function):
                break
            frames = []
    if len(first) == 1 and frames and frames[0].function == first[0].function:
        return frames
    return first or frames


def _unfolded(all_lines: list[str]) -> list[str]:
    """gdb breaks a frame between its arguments and before ``at``; each in one line again."""
    found: list[str] = []
    open_ = False
    for line in all_lines:
        if open_ and line.startswith("    ") and len(found[-1]) < MAX_LINE:
            bare = line.strip()
            if bare.startswith(("at ", "from ")) or not _closed(found[-1]):
                found[-1] += " " + bare
                continue
        found.append(line)
        open_ = line.startswith("#") and " (" in line[:MAX_LINE]
    return found


def _closed(line: str) -> bool:
    return line.count("(") <= line.count(")")


def looks_like(text: str) -> bool:
    return ("0x" in text or "#0" in text or "0# " in text) and bool(read(text[:32_768]))


def _swift_looks_like(text: str) -> bool:
    return any(word in text for word in _SWIFT_WORDS) and looks_like(text)


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    frames = read(text)
    if not frames:
        return []
    header: list[str] = []
    for line in lines(text):
        if read_frame(line) is not None:
            break
        sanitized = _SANITIZED.match(line)
        header.append(line[sanitized.end() if sanitized is not None else 0 :][:MAX_LINE])
    name, message = _header(header, type_)
    return [ExceptionNode(name, message, None, tuple(frames))]


def _header(header: list[str], type_: str) -> tuple[str | None, str | None]:
    for index, line in enumerate(header):
        fatal = _FATAL.search(line)
        if fatal is not None:
            return type_ or fatal[1], fatal[2]
        uncaught = _UNCAUGHT.search(line)
        if uncaught is not None:
            said = header[index + 1].strip() if index + 1 < len(header) else ""
            what = said.removeprefix(_WHAT).strip() if said.startswith(_WHAT) else None
            return uncaught[1] or uncaught[3] or uncaught[4], uncaught[2] or uncaught[5] or what
    return split_header(header, type_)


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
    looks_like=_swift_looks_like,
    parse=parse,
    function_key=function_key,
)
