"""What Node prints of an error (``util.inspect``, ``console.error``, an uncaught one): its stack, then its properties
in braces.

``[cause]: `` and ``[errors]: [`` among them are exceptions of the chain; any other property may be an error too, whose
frames must not become another's. Who owns a line is told by its indentation alone: a property stands deeper than the
header of its error. "caused by: " at a line's start is how several logging libraries write a cause.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from collector_processor.events import Frame
from collector_processor.stacktraces.language import MAX_EXCEPTIONS

MAX_FRAMES = 1024

_PROPERTY = re.compile(r"(\[?[\w$'\"-]+\]?): (.*)")
_ELIDED = re.compile(r"\.\.\. ([0-9]{1,6}) lines matching cause stack trace \.\.\.")
_CAUSED_BY = re.compile(r"caused by: (.*)", re.IGNORECASE)


class PrintedError:
    """An error of the text. ``parent`` is an index into what ``read`` gives; None for the outermost."""

    __slots__ = ("elided", "frames", "header", "parent")

    def __init__(self, header: list[str], parent: int | None) -> None:
        self.header = header
        self.parent = parent
        self.frames: list[Frame] = []
        self.elided: tuple[int, int] | None = None


class _Scope:
    """What owns the lines that are indented deeper than its own: an error (``number``), a list of errors, or a
    property without interest."""

    __slots__ = ("error", "indent", "is_list", "number")

    def __init__(self, indent: int, error: PrintedError | None, number: int, *, is_list: bool = False) -> None:
        self.indent = indent
        self.error = error
        self.number = number
        self.is_list = is_list


def read(all_lines: list[str], first: int, read_frame: Callable[[str], Frame | None]) -> list[PrintedError]:
    """The errors, outermost first, depth first. ``first``: the line after the outermost's header."""
    outermost = PrintedError([line.rstrip().removesuffix(" {") for line in all_lines[:first]], None)
    errors = [outermost]
    scopes = [_Scope(0, outermost, 0)]
    complete = True  # the line before ended what it began: the next is no continuation of a message
    for line in all_lines[first:]:
        bare = line.strip()
        if not bare:
            continue
        indent = len(line) - len(line.lstrip(" "))
        scope = scopes[-1]
        frame = read_frame(line)
        if frame is not None:
            if scope.error is not None and len(scope.error.frames) < MAX_FRAMES:
                scope.error.frames.append(frame)
        elif match := _ELIDED.fullmatch(bare):
            if scope.error is not None:
                scope.error.elided = (len(scope.error.frames), int(match[1]))
        elif bare[0] in "}]":
            while len(scopes) > 1 and (scopes[-1].indent > indent or (scopes[-1].indent == indent and bare[0] == "]")):
                scopes.pop()
        elif match := _CAUSED_BY.fullmatch(bare):
            del scopes[1:]
            scopes.append(_begin(errors, [match[1]], len(errors) - 1, indent))
        elif (
            not complete
            and not scope.is_list
            and indent >= scope.indent
            and (scope.error is None or not scope.error.frames)
        ):
            if scope.error is not None and len(scope.error.header) < MAX_FRAMES:
                scope.error.header.append(bare)
        else:
            while len(scopes) > 1 and scopes[-1].indent >= indent:
                scopes.pop()
            scope = scopes[-1]
            match = _PROPERTY.fullmatch(bare)
            if scope.is_list:
                scopes.append(_begin(errors, [bare.removesuffix(" {").removesuffix(",")], scope.number, indent))
            elif indent == 0:
                break  # another text begins
            elif match is not None:
                scopes.append(_property(errors, scope, match, indent))
        if len(errors) > MAX_EXCEPTIONS:
            del errors[MAX_EXCEPTIONS:]
            break
        complete = bare.endswith((",", "{", "["))
    for number, error in enumerate(errors):
        if error.elided is not None:
            _put_back(error, next((other for other in errors if other.parent == number), None))
    return errors


def _property(errors: list[PrintedError], owner: _Scope, match: re.Match[str], indent: int) -> _Scope:
    key, value = match[1].strip("[]'\""), match[2]
    if owner.error is not None and key == "errors" and value.startswith("["):
        return _Scope(indent, None, owner.number, is_list=True)
    if owner.error is not None and key == "cause":
        return _begin(errors, [value.removesuffix(" {").removesuffix(",")], owner.number, indent)
    return _Scope(indent, None, owner.number)


def _begin(errors: list[PrintedError], header: list[str], parent: int, indent: int) -> _Scope:
    errors.append(PrintedError(header, parent))
    return _Scope(indent, errors[-1], len(errors) - 1)


def _put_back(error: PrintedError, cause: PrintedError | None) -> None:
    """Node leaves out the frames that stand in the cause as well; they follow, there, the frame before the gap."""
    at, count = error.elided or (0, 0)
    if cause is not None and at and error.frames[at - 1] in cause.frames:
        start = cause.frames.index(error.frames[at - 1]) + 1
        error.frames[at:at] = cause.frames[start : start + count]
