"""The form in which OpenTelemetry's SDK for PHP writes an exception: a Java text of PHP's names.

``\\tat Shop.Orders.place(Orders.php:25)``, causes behind ``Caused by: ``. Unlike PHP's own texts it prints, with a
function, the place in it; files by their base name alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import ExceptionNode, Frame
from collector_processor.stacktraces import well_known
from collector_processor.stacktraces.header import split_header
from collector_processor.stacktraces.language import MAX_EXCEPTIONS
from collector_processor.stacktraces.text import lines, remembered

MAX_FRAMES = 1024
MAX_LINE = 2048

_FRAME = re.compile(
    r"[ \t]{1,8}at ([^\s()]{1,1024}(?:\(\))?[^\s()]{0,256})\(([^()\n]{1,512}?)(?::([0-9]{1,9}))?\)\s*\Z"
)
_MAIN = "at {main}("
_CAUSED_BY = "Caused by: "


@remembered
def read_frame(line: str) -> Frame | None:
    """``at Class.method(file.php:3)``; None for anything else."""
    found = _FRAME.match(line) if len(line) <= MAX_LINE else None
    if found is None:
        return None
    function, file, row = found.groups()
    if file == "Unknown Source":
        return Frame(function, None, None, None, None, False)
    own = not function.startswith(well_known.PHP)
    return Frame(function, None, file, int(row) if row else None, None, own)


def looks_like(text: str) -> bool:
    """Each of its stacks ends in ``{main}``, unless the one around it has the same end; other texts hold no PHP file
    behind an ``at``."""
    return _MAIN in text or (".php:" in text and "\tat " in text)


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    """Outermost first, as it is printed."""
    headers: list[list[str]] = [[]]
    frames: list[list[Frame]] = [[]]
    for line in lines(text):
        frame = read_frame(line)
        if frame is not None:
            if len(frames[-1]) < MAX_FRAMES:
                frames[-1].append(frame)
        elif line.startswith(_CAUSED_BY) and (headers[-1] or frames[-1]):
            if len(headers) >= MAX_EXCEPTIONS or line.startswith("[CIRCULAR", len(_CAUSED_BY)):
                break
            headers.append([line[len(_CAUSED_BY) :]])
            frames.append([])
        elif not frames[-1]:
            headers[-1].append(line[:MAX_LINE])
    if not any(frames):
        return []
    nodes: list[ExceptionNode] = []
    for index, (header, own) in enumerate(zip(headers, frames, strict=True)):
        name, message = split_header(header, "" if index else type_)
        if name is None and index:
            name, _, message = "\n".join(header).strip().partition(": ")
        nodes.append(ExceptionNode(name, message, index - 1 if index else None, tuple(own)))
    return nodes
