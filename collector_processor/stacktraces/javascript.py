"""JavaScript's stack texts, of browsers and of Node.

The raising frame stands first. ``error.stack`` knows no causes; what Node prints of an error does (``node_inspect``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import ExceptionNode, Frame, bare_type
from collector_processor.stacktraces import node_inspect
from collector_processor.stacktraces.javascript_frames import function_key, read_at_frame, read_frame
from collector_processor.stacktraces.language import Language
from collector_processor.stacktraces.text import LOG_LEVELS, lines, without_prefix

MAX_FRAMES = 1024
"""Of one exception. V8 records 10 unless told otherwise, Node programs set up to a few hundred."""

MAX_PREFIX = 256
"""Of what a log puts before each line."""

_HEADER = re.compile(
    r"(?:error: )?(?:Uncaught )?(?:\(in promise\) )?\[?"
    r"((?:[A-Za-z_$][\w$]*\.)*[A-Za-z_$][\w$]*)(?: \[[\w-]+\])?(?:: ?(.*))?",
    re.DOTALL,
)
_LOCATION_END = re.compile(
    r"(?::[0-9]{1,9}:[0-9]{1,9}\)?|\((?:native(?: code)?|<anonymous>)\)|\[native code\]|\.[cm]?jsx?:[0-9]{1,9}\)?)"
    r"[ \t]{0,8}[{,]?\r?$",
    re.MULTILINE,
)
_LOOKS_ESCAPED = re.compile(r"\\n\s*at [^\\]*:[0-9]+:[0-9]+\)?")


def looks_like(text: str) -> bool:
    if ("at " not in text and "@" not in text) or " kfun:" in text:  # Kotlin/Native has columns as well
        return False
    for match in _LOCATION_END.finditer(text):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.end()]
        if line.lstrip().startswith("at ") or "@" in line or "  at " in line[:MAX_PREFIX]:
            return True
    return "\\n" in text and _LOOKS_ESCAPED.search(text) is not None


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    all_lines = lines(text)
    for line in all_lines:
        at = line.find("  at ", 0, MAX_PREFIX)
        if at > 0 and line[:at].strip() and read_frame(line[at:]) is not None and read_at_frame(line) is None:
            all_lines = without_prefix(all_lines, line[:at].rstrip() + " ")
            break
    for index, line in enumerate(all_lines):
        stackless = line.startswith("[") and line.rstrip().endswith(
            "] {"
        )  # [AggregateError: All promises were rejected] {
        if stackless or read_frame(line) is not None:
            return _printed(all_lines, index + stackless, type_)
    return _at_sign(all_lines, type_)


def _printed(all_lines: list[str], first: int, type_: str) -> Sequence[ExceptionNode]:
    nodes: list[ExceptionNode] = []
    for error in node_inspect.read(all_lines, first, read_frame):
        outermost = error.parent is None
        name, message = split_header(error.header, type_ if outermost else "")
        nodes.append(ExceptionNode(name, message, error.parent, tuple(error.frames)))
    return nodes


def _at_sign(all_lines: list[str], type_: str) -> Sequence[ExceptionNode]:
    frames: list[Frame] = []
    header: list[str] = []
    with_functions = any("@" in line for line in all_lines)
    for line in all_lines:
        frame = read_at_frame(line) if with_functions else None
        if frame is not None and len(frames) < MAX_FRAMES:
            frames.append(frame)
        elif not frames:
            header.append(line)
    if not frames:
        return []
    name, message = split_header(header, type_)
    return [ExceptionNode(name, message, None, tuple(frames))]


def split_header(header: list[str], type_: str) -> tuple[str | None, str | None]:
    """Type and message of the lines before the first frame. Node prints the throwing line with a ``^`` below it,
    loggers print anything."""
    marker = next(
        (
            index
            for index in range(len(header) - 1, -1, -1)
            if header[index].strip() and not header[index].strip("^ \t")
        ),
        -1,
    )
    start = next((index for index in range(marker + 1, len(header)) if header[index].strip()), len(header))
    candidates = header[start:]
    if not candidates:
        return None, None
    wanted = bare_type(type_)
    generic: tuple[int, re.Match[str]] | None = None
    for index, line in enumerate(candidates):
        match = _HEADER.fullmatch(line.strip())
        if match is None:
            continue
        if (wanted and bare_type(match[1]) == wanted) or match[1].endswith(("Error", "Exception")):
            generic = (index, match)
            break
        headed = match[2] is not None and match[1][0].isupper() and match[1] not in LOG_LEVELS
        if index == 0 and (headed or (type_ and len(candidates) == 1)):
            generic = (index, match)
    if generic is None:
        return None, "\n".join(candidates).strip() or None
    index, match = generic
    rest = candidates[index + 1 :]
    if rest and rest[0].strip() == candidates[index].strip():  # the header stands twice
        rest = rest[1:]
    message = "\n".join([match[2] or "", *rest]).rstrip()
    if candidates[index].lstrip().startswith("["):
        message = message.removesuffix("]")
    return match[1], message


JAVASCRIPT = Language(
    name="javascript",
    aliases=frozenset({"javascript", "js", "nodejs", "node", "webjs", "typescript", "ecmascript"}),
    looks_like=looks_like,
    parse=parse,
    function_key=function_key,
)
