"""Rust's stack texts: panics with their backtraces, and the causes that anyhow and eyre print."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import ExceptionNode, Frame
from collector_processor.stacktraces import in_app, native
from collector_processor.stacktraces.language import Language
from collector_processor.stacktraces.position import position
from collector_processor.stacktraces.text import lines, remembered

MAX_FRAMES = 1024
MAX_LINE = 2048
MAX_MESSAGE_LINES = 64
"""Of a message, in which the place of the panic is looked for."""

_NUMBER = re.compile(r"[0-9]{1,5}: +(?:0x[0-9a-f]{1,16} - +)?")
_BACKTRACE = re.compile(r"^ *[Ss]tack backtrace:|━ BACKTRACE ━")
_PLACE_AT_END = re.compile(r"[\"'], [^\s'\"][^'\"]{0,500}:[0-9]{1,9}:[0-9]{1,9}\s{0,16}$")
_PANICKED = re.compile(r"thread '[^']{0,256}'(?: \([0-9]{1,20}\))? panicked at ")
_INLINED = re.compile(r" {6,64}[<A-Za-z_]")
"""What the compiler inlined shares the number, and the address, of the frame above it."""
_FIRST_CAUSE = re.compile(r"(?:Error:\s{0,64})?0: ")
_HASH = re.compile(
    r"::h[0-9a-f]{16}(?: \(\.llvm\.[0-9]{1,24}\))?$|(?:::\{\{?closure(?:#[0-9]+)?\}?\}(?:#[0-9]+)?)+|\[[0-9a-f]{16}\]"
)


@remembered
def function_key(function: str) -> str:
    """Without the hash of the symbol and of crates; a closure counts as its function."""
    return _HASH.sub("", _HASH.sub("", function))


def looks_like(text: str) -> bool:
    """Asked before JavaScript, whose frames without a function look like the places of a backtrace."""
    if "panicked at " in text:
        return "thread '" in text
    return "tack backtrace:" in text or "━ BACKTRACE ━" in text or (".rs:" in text and "#0 " in text)


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    """Without a backtrace the place of the panic is the frame. The causes that anyhow numbers are part of the
    message."""
    all_lines = lines(text)
    start = next((index for index, line in enumerate(all_lines) if _BACKTRACE.search(line[:MAX_LINE])), None)
    said, panicked = _said(all_lines[:start])
    frames = _numbered(all_lines[start or 0 :])
    if not frames:
        frames = list(native.read(text)) or ([panicked] if panicked is not None else [])
    if not frames:
        return []
    return [ExceptionNode(type_ or ("panic" if panicked is not None else None), said, None, tuple(frames))]


def _said(header: Sequence[str]) -> tuple[str | None, Frame | None]:
    """(message, where it panicked) of what stands before the backtrace."""
    message: list[str] = []
    panicked: Frame | None = None
    for index, line in enumerate(header):
        short = line[:MAX_LINE]
        if "panicked at " in short:
            said, panicked = _panic(_whole(header, index))
            if panicked is not None:
                message = [said] if said is not None else []
                for below in header[index + 1 :] if said is None else ():
                    if below.startswith("note: ") or _NUMBER.match(below.strip()):
                        break
                    message.append(below)
                break
        if short.startswith("Message: "):  # color-eyre
            message = [short[9:].strip()]
            break
        if _NUMBER.match(short.strip()) and not message:  # a backtrace alone
            break
        message.append(line)
    text = "\n".join(message).strip()
    first = _FIRST_CAUSE.match(text)
    return (text[first.end() :] if first is not None else text.removeprefix("Error: ")) or None, panicked


def _numbered(all_lines: Sequence[str]) -> list[Frame]:
    """``3: function`` and, on the next line, ``at file:line:column``."""
    frames: list[Frame] = []
    function: str | None = None
    causes = placed_above = False
    for line in all_lines:
        bare = line[:MAX_LINE].strip()
        if function is not None and bare.startswith("with "):  # the fields of a span, as tracing-error prints them
            continue
        place = position(bare[3:]) if function is not None and bare.startswith("at ") else None
        if function is not None:
            file, row, column = place or (None, None, None)
            frames.append(Frame(function, None, file, row, column, in_app.rust(file or "", function)))
            function = None
        inlined = placed_above and "::" in bare and _INLINED.match(line[:MAX_LINE]) is not None
        placed_above = place is not None
        if placed_above:
            continue
        if frames and "panicked at " in bare:  # a panic while it unwound
            break
        if inlined and len(frames) < MAX_FRAMES:
            function = bare
            continue
        causes = bare == "Caused by:" or (causes and bool(bare))
        number = _NUMBER.match(bare)
        if number is not None and not causes and len(frames) < MAX_FRAMES and not bare.startswith("0x", number.end()):
            function = bare[number.end() :] or None
    if function is not None:
        frames.append(Frame(function, None, None, None, None, in_app.rust("", function)))
    return frames


def _whole(header: Sequence[str], index: int) -> str:
    """The line that says where it panicked; up to Rust 1.72 a message of several lines stands within it."""
    line = header[index][:MAX_LINE].rstrip()
    if line.endswith(":") or _placed(line):
        return line
    for end in range(index + 1, min(index + MAX_MESSAGE_LINES, len(header))):
        if "panicked at " in header[end]:
            break
        if _placed(header[end]):
            return "\n".join(part[:MAX_LINE] for part in header[index : end + 1]).rstrip()
    return line


def _placed(line: str) -> bool:
    return _PLACE_AT_END.search(line, max(0, len(line) - MAX_LINE)) is not None


def _panic(line: str) -> tuple[str | None, Frame | None]:
    """(message, where): ``… panicked at src/main.rs:4:5:``, whose message is on the lines below, and up to Rust 1.72
    ``… panicked at 'message', src/main.rs:4:5``."""
    head = _PANICKED.search(line) if line.count("panicked at ") == 1 else None
    if head is None:
        return None, None
    said, end = None, head.end()
    if not line.endswith(":"):
        end = max(line.rfind("', "), line.rfind('", '))
        if end <= head.end() or line[head.end()] not in "'\"":
            return None, None
        said, end = line[head.end() + 1 : end], end + 3
    place = position(line[end:].removesuffix(":"))
    if place is None:
        return None, None
    file, row, column = place
    return said, Frame(None, None, file, row, column, in_app.rust(file, ""))


RUST = Language(name="rust", aliases=frozenset({"rust"}), looks_like=looks_like, parse=parse, function_key=function_key)
