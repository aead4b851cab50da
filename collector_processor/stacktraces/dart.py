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

_VM = re.compile(r"\s*#[0-9]{1,5} +(\S.{0,512}?) \(([^()]{1,1024}?)(?::([0-9]{1,9}))?(?::([0-9]{1,9}))?\)\s*$")
_TERSE = re.compile(r"(\S{1,1024}) ([0-9]{1,9}):([0-9]{1,9}) {2,}(\S.{0,512})$")
_CLOSURE = re.compile(r"(?:\.?<(?:anonymous closure|fn|async_body)>)+")


@remembered
def function_key(function: str) -> str:
    """A closure counts as the function that it is in."""
    return _CLOSURE.sub("", function).removeprefix("new ")


@remembered
def read_frame(line: str) -> Frame | None:
    if len(line) > MAX_LINE:
        return None
    found = _VM.match(line)
    if found is not None:
        file = found[2]
        if not file.endswith(".dart") and not file.startswith(("dart:", "package:")):
            return None
        row, column = (int(part) if part else None for part in (found[3], found[4]))
        return Frame(found[1], None, file, row, column, in_app.dart(file))
    found = _TERSE.match(line.strip())
    if found is None or not (found[1].endswith(".dart") or found[1].startswith(("dart:", "package:"))):
        return None
    return Frame(found[4], None, found[1], int(found[2]), int(found[3]), in_app.dart(found[1]))


def looks_like(text: str) -> bool:
    return (".dart" in text or "(dart:" in text) and any(read_frame(line) is not None for line in lines(text)[:512])


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
    name, message = split_header(header, type_)
    return [ExceptionNode(name, message, None, tuple(frames))]


DART = Language(
    name="dart", aliases=frozenset({"dart", "flutter"}), looks_like=looks_like, parse=parse, function_key=function_key
)
