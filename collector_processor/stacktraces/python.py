"""Python's stack texts: what ``traceback`` prints, from Python 2 to 3.14, whole, cut or wrapped.

Python prints a chain with the innermost cause first and each stack with the raising frame last; exception groups print
their members behind a margin of ``|``, one margin a depth. A text is read line by line into sections (the text itself,
and each group member), a section into tracebacks, and these are put into the order of ``ExceptionNode``: outermost
first, raising frame first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import ExceptionNode, Frame, bare_type
from collector_processor.stacktraces import in_app
from collector_processor.stacktraces.language import MAX_EXCEPTIONS, Language
from collector_processor.stacktraces.text import LOG_LEVELS, is_plain, lines, remembered, without_prefix

HEADER = "Traceback (most recent call last):"
CAUSE = "The above exception was the direct cause of the following exception:"
CONTEXT = "During handling of the above exception, another exception occurred:"
CRASH = "(most recent call first):"
_CRASHED = "Fatal Python error"
_GROUP_HEADER = "+ Exception Group " + HEADER
_FRAME = '  File "'

MAX_DEPTH = 32
"""Of groups in groups that are told apart; what lies deeper counts to the deepest."""
MAX_FRAMES = 4096
"""Of one exception; Python itself stops printing at 1,000 calls unless told otherwise."""

_EXCEPTION = re.compile(r"([^\W\d]\w*(?:\.(?:[^\W\d]\w*|<locals>))*)(?::(?: (.*))?)?")
_RUN = re.compile(r"(?:(?:[ \t][^\n]*)?\n)+")
_FRAMES_OF_RUN = re.compile(r'^  File "([^\n]*?)", line ([0-9]{1,9}), in ([^\n]*\S)', re.MULTILINE)
_SEPARATOR = re.compile(r"( *)\+(-\+)?-{8,}(?: (?:\d+|\.\.\.) -{8,})?")

_SEEK, _FRAMES, _MESSAGE = range(3)


class _Traceback:
    __slots__ = ("frames", "linked", "members", "message", "type")

    def __init__(self, linked: bool) -> None:
        self.frames: list[Frame] = []
        self.linked = linked
        """Whether the traceback printed before this one is its cause."""
        self.members: list[_Section] = []
        self.message: list[str] = []
        self.type: str | None = None


class _Section:
    """The tracebacks of one margin: of the text itself, or of a group's member."""

    __slots__ = ("linked", "loose", "state", "tracebacks")

    def __init__(self) -> None:
        self.tracebacks: list[_Traceback] = []
        self.state = _SEEK
        self.linked = False
        self.loose: list[str] = []
        """Lines since the last boundary that belong to no traceback: an exception that was never raised prints its
        last line only."""

    def feed(self, line: str) -> None:
        state = self.state
        if line.startswith(_FRAME) and state != _MESSAGE:
            if state == _SEEK:  # cut at the head, or printed without a header
                self._open()
            frame = read_frame(line)
            current = self.tracebacks[-1].frames
            if frame is not None and len(current) < MAX_FRAMES:
                current.append(frame)
        elif state == _FRAMES and (not line or line[0] in " \t"):
            pass  # source lines, ~~~^^^ markers, "[Previous line repeated …]"
        elif line.endswith(HEADER):
            self._open()
        elif line.startswith((CAUSE, CONTEXT)):
            if self.loose:
                self._headless()
            self.linked = bool(self.tracebacks)
            self.state = _SEEK
        elif state == _MESSAGE:
            self.tracebacks[-1].message.append(line)
        elif state == _SEEK:
            if line.strip() and len(self.loose) < MAX_FRAMES:
                self.loose.append(line)
        else:
            match = _EXCEPTION.fullmatch(line.rstrip())
            if match is not None and match[1] not in LOG_LEVELS:
                current_traceback = self.tracebacks[-1]
                current_traceback.type = match[1]
                current_traceback.message = [match[2] or ""]
                self.state = _MESSAGE

    def feed_all(self, text: str) -> None:
        """``feed`` for each line; runs of frames and their source, most of a text, are read at once."""
        start, end = 0, len(text)
        while start <= end:
            if self.state == _FRAMES and (run := _RUN.match(text, start)) is not None:
                found = _FRAMES_OF_RUN.findall(text, start, run.end())
                python = in_app.python
                current = self.tracebacks[-1].frames
                current += [
                    Frame(function, None, file, int(number), None, python(file)) for file, number, function in found
                ]
                del current[MAX_FRAMES:]
                start = run.end()
                continue
            stop = text.find("\n", start)
            stop = end if stop < 0 else stop
            self.feed(text[start:stop])
            start = stop + 1

    def member(self) -> _Section:
        """A new member of the group whose traceback was read last."""
        if self.loose or not self.tracebacks:
            self._headless()
        section = _Section()
        self.tracebacks[-1].members.append(section)
        return section

    def leave_group(self) -> None:
        self.state = _SEEK

    def end(self, *, is_member: bool) -> None:
        if self.loose and (self.linked or is_member):
            self._headless()

    def _open(self) -> None:
        traceback = _Traceback(self.linked)
        if self.loose:  # "ValueError: bad" in front of the stack, where loggers and some tools put it
            match = _EXCEPTION.fullmatch(self.loose[-1].rstrip())
            if match is not None and match[1] not in LOG_LEVELS:
                traceback.type = match[1]
                traceback.message = [match[2] or ""]
        self.tracebacks.append(traceback)
        self.linked = False
        self.loose = []
        self.state = _FRAMES

    def _headless(self) -> None:
        traceback = _Traceback(self.linked)
        self.linked = False
        for index, line in enumerate(self.loose):
            match = _EXCEPTION.fullmatch(line.rstrip())
            if match is not None:
                traceback.type = match[1]
                traceback.message = [match[2] or "", *self.loose[index + 1 :]]
                break
        self.loose = []
        self.tracebacks.append(traceback)


@remembered
def read_frame(line: str) -> Frame | None:
    """``  File "path", line 3, in function`` as a frame; None for a place without a function, which is where a
    SyntaxError points, not a call."""
    end = line.find('", line ', 8)
    if end < 0:
        return None
    number, found, function = line[end + 8 :].partition(", in ")
    if not found or not function or not number.isdecimal() or len(number) > 9:
        return None
    file = line[8:end]
    return Frame(function.rstrip(), None, file, int(number), None, in_app.python(file))


@remembered
def _crash_frame(line: str) -> Frame | None:
    """``  File "path", line 3 in function``, as faulthandler prints it."""
    place, found, function = line.rpartition(" in ")
    return read_frame(f"{place}, in {function}") if found and line.startswith(_FRAME) else None


def _crash(all_lines: list[str], type_: str) -> Sequence[ExceptionNode]:
    """The first thread of what faulthandler prints, which is the one that crashed; its raising frame stands first."""
    start = next((index + 1 for index, line in enumerate(all_lines) if line.endswith(CRASH)), len(all_lines))
    stop = next((index for index in range(start, len(all_lines)) if not all_lines[index].strip()), len(all_lines))
    frames = tuple(frame for line in all_lines[start:stop] if (frame := _crash_frame(line)) is not None)
    said = next((line[line.find(_CRASHED) :] for line in all_lines[:start] if _CRASHED in line), "")
    return [ExceptionNode(_CRASHED if said else type_ or None, said.partition(": ")[2] or None, None, frames)]


def looks_like(text: str) -> bool:
    return HEADER in text or ('File "' in text and '", line ' in text)


def function_key(function: str) -> str:
    """Functions keep their name; a lambda has none that tells it from others, a comprehension its function's."""
    return "" if function in ("<lambda>", "<genexpr>") else function


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    root = _Section()
    if is_plain(text) and "Exception Group" not in text and "+--------" not in text:
        root.feed_all(text)
        root.end(is_member=False)
        return _nodes(_outermost(root, bare_type(type_)))
    all_lines = lines(text)
    if CRASH in text and HEADER not in text:
        return _crash(all_lines, type_)
    grouped = "Exception Group" in text or "+--------" in text
    for line in all_lines:
        if line.endswith(HEADER):
            prefix = line[: -len(HEADER)].removesuffix("Exception Group ")
            if grouped and prefix.lstrip(" ") in ("+ ", "| "):
                break
            if prefix.strip():
                all_lines = without_prefix(all_lines, prefix.removesuffix("  + "))
            break
    if grouped:
        _read_margins(all_lines, root)
    else:
        root.feed_all("\n".join(all_lines))
    root.end(is_member=False)
    return _nodes(_outermost(root, bare_type(type_)))


def _read_margins(all_lines: list[str], root: _Section) -> None:
    """Lines with their margins taken off to the section that they belong to. Depth 1 is a group of the text itself,
    depth 2 its members."""
    sections = [root]
    for line in all_lines:
        bare = line.lstrip(" ")
        indent = len(line) - len(bare)
        if bare.startswith("+-") and (separator := _SEPARATOR.fullmatch(line.rstrip())):
            depth = min(indent // 2 + bool(separator[2]), MAX_DEPTH)
            for section in sections[max(depth - 1, 1) :]:
                section.end(is_member=True)
            del sections[max(depth - 1, 1) :]
            if " " in bare.rstrip():
                sections.append(sections[-1].member())
            else:
                sections[-1].leave_group()
        elif bare.startswith("| ") and indent >= 2:
            depth = min(indent // 2, MAX_DEPTH, len(sections))
            sections[max(depth - 1, 0)].feed(bare[2:])
        elif bare.rstrip() == "|" and indent >= 2:
            sections[-1].feed("")
        elif line.startswith("  " + _GROUP_HEADER):
            root.feed(HEADER)
        else:
            root.feed(line)
    for section in sections[1:]:
        section.end(is_member=True)


def _outermost(section: _Section, wanted: str) -> tuple[_Section, int]:
    """The traceback that the record is about: the end of a chain, that of the record's type if several stand in the
    text, else the last."""
    tracebacks = section.tracebacks
    ends = [
        index for index in range(len(tracebacks)) if index + 1 == len(tracebacks) or not tracebacks[index + 1].linked
    ]
    for index in reversed(ends):
        if wanted and tracebacks[index].type and bare_type(tracebacks[index].type or "") == wanted:
            return section, index
    return section, next((index for index in reversed(ends) if tracebacks[index].frames), ends[-1] if ends else -1)


def _nodes(outermost: tuple[_Section, int]) -> Sequence[ExceptionNode]:
    nodes: list[ExceptionNode] = []
    waiting: list[tuple[_Section, int, int | None]] = [(*outermost, None)]
    while waiting and len(nodes) < MAX_EXCEPTIONS:
        section, index, parent = waiting.pop()
        if index < 0:
            continue
        traceback = section.tracebacks[index]
        here = len(nodes)
        nodes.append(ExceptionNode(traceback.type, _message(traceback), parent, tuple(reversed(traceback.frames))))
        for member in reversed(traceback.members):
            waiting.append((member, len(member.tracebacks) - 1, here))
        if traceback.linked:
            waiting.append((section, index - 1, here))
    return nodes


def _message(traceback: _Traceback) -> str | None:
    if traceback.type is None:
        return None
    text = "\n".join(traceback.message).rstrip()
    return text.removesuffix('\n"""')  # the end of a stack that a worker process sent as text


PYTHON = Language(
    name="python",
    aliases=frozenset({"python", "py", "cpython", "pypy"}),
    looks_like=looks_like,
    parse=parse,
    function_key=function_key,
    # Comprehensions are inlined since Python 3.12 and have no frame there.
    enclosed=frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}),
)
