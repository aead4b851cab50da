"""Dart's and Flutter's stack texts: the VM's, and the terse form of package:stack_trace."""

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

_VM = re.compile(
    r"\s*(?:unparsed\s+)?#[0-9]{1,5} +"
    r"(\S.{0,512}?) \(([^()]{1,1024}?)(?::([0-9]{1,9}))?(?::([0-9]{1,9}))?\)\s*$"
)
_COMPILED = re.compile(r"\s*#[0-9]{1,5} +abs [0-9a-f]{8,16}(?: virt [0-9a-f]{8,16})? (\S{1,512}\+0x[0-9a-f]+)\s*$")
"""Compiled ahead of time without names; Dart's own tools turn the offset into a place."""
_PLACE = re.compile(r"(.{1,1024}?)(?: ([0-9]{1,9})(?::([0-9]{1,9}))?)?$")
_THROWN = re.compile(r"The following (\S{1,256}) (?:was thrown|object was thrown)")
"""Flutter's report of an error; the message is on the lines below."""
_BANNER = "*** *** ***"
_CLOSURE = re.compile(r"(?:\.?<(?:anonymous closure|fn|async_body)>)+")


@remembered
def function_key(function: str) -> str:
    """A closure counts as the function that it is in; an offset, without names, tells no place."""
    if function.startswith("_kDart"):
        return ""
    return _CLOSURE.sub("", function).removeprefix("new ")


@remembered
def read_frame(line: str) -> Frame | None:
    if len(line) > MAX_LINE:
        return None
    found = _VM.match(line)
    if found is not None:
        file = found[2]
        if found[4] is None and not file.endswith(".dart") and not file.startswith(("dart:", "package:")):
            return None
        row, column = (int(part) if part else None for part in (found[3], found[4]))
        return Frame(found[1], None, file, row, column, in_app.dart(file))
    compiled = _COMPILED.match(line) if " abs " in line else None
    if compiled is not None:
        return Frame(compiled[1], None, None, None, None, in_app=True)
    return _terse(line.strip())


def _terse(text: str) -> Frame | None:
    """``package:shop/cart.dart 12:34  Cart.total.<fn>``, as package:stack_trace prints it."""
    place, _, function = text.rpartition("  ")
    found = _PLACE.match(place.rstrip()) if place and function else None
    if found is None or not (found[1].endswith(".dart") or found[1].startswith(("dart:", "package:"))):
        return None
    row, column = (int(part) if part else None for part in (found[2], found[3]))
    return Frame(function.strip(), None, found[1], row, column, in_app.dart(found[1]))


def looks_like(text: str) -> bool:
    return (".dart" in text or "(dart:" in text or "_kDartIsolate" in text) and any(
        read_frame(line) is not None for line in lines(text)[:512]
    )


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    header: list[str] = []
    frames: list[Frame] = []
    for line in lines(text):
        frame = read_frame(line)
        if frame is not None and len(frames) < MAX_FRAMES:
            frames.append(frame)
        elif not frames and line.strip() != "Unhandled exception:":
            header.append(line)
    if not frames:
        return []
    name, message = _header(header, type_)
    return [ExceptionNode(name, message, None, tuple(frames))]


def _header(header: list[str], type_: str) -> tuple[str | None, str | None]:
    for index, line in enumerate(header):
        thrown = _THROWN.match(line[:MAX_LINE])
        if thrown is not None:
            rest = header[index + 1 :]
            end = next((at for at, said in enumerate(rest) if not said.strip()), len(rest))
            return thrown[1], "\n".join(rest[:end]) or None
    # A program without names describes itself before its frames: numbers of the process and addresses, no message.
    banner = next((index for index, line in enumerate(header) if line.startswith(_BANNER)), len(header))
    return split_header([line for line in header[:banner] if not line.startswith("Warning: This VM ")], type_)


DART = Language(
    name="dart", aliases=frozenset({"dart", "flutter"}), looks_like=looks_like, parse=parse, function_key=function_key
)
