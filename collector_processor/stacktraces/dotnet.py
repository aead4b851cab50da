"""The stack texts of .NET and Mono: inner exceptions printed inside of the outer, async methods, aggregates."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import ExceptionNode, Frame
from collector_processor.stacktraces import in_app
from collector_processor.stacktraces.header import split_header
from collector_processor.stacktraces.language import MAX_EXCEPTIONS, Language
from collector_processor.stacktraces.position import position
from collector_processor.stacktraces.text import lines, remembered

MAX_FRAMES = 1024
MAX_LINE = 4096

_AT = re.compile(r"(at|bei|à|en|in|em|場所|在|於|위치:?|в|w|v|vid|ved|bij) ")
"""``at`` in the languages that Windows' .NET speaks, and below it ``in``, ``line`` and ``inner exception``."""
_IN = re.compile(r"\)(?: \[0x[0-9a-fA-F]+\]| \+ 0x[0-9a-f]+)? (?:in|dans|en|na|場所|位置|於|파일|в|w|v|i) ")
_BARE = re.compile(r"at ([^\s.]\S{0,512}\.[^\s.]\S{0,256}) in (\S.{0,1024}):line ([0-9]{1,9})$")
_LINE = re.compile(r": ?[^\W\d_]{1,12} ([0-9]{1,9})\.?$")
_LOCAL_LINE = re.compile(r": ?[^\W\d_]{1,12} [0-9]{1,9}\.?$", re.MULTILINE)
_INNER = re.compile(r"inner exception|intern|內部|内部|내부|внутренн|wewn|vnitř", re.IGNORECASE)
_UNITY = re.compile(
    r"([A-Za-z_][\w.`+<>/]{0,512}:[\w.<>|`]{1,256}) ?\([^()]{0,512}\)(?: \(at (.{1,512}):([0-9]{1,9})\))?$"
)
_MEMBER = re.compile(r"\(Inner Exception #[0-9]+\) ")
_LOCAL_FUNCTION = re.compile(r"<(\w[\w.]*|<\w+>\$)>g__(\w+)\|[0-9_]+")
_FSHARP_CLOSURE = re.compile(r"@[0-9]+(?:-[0-9]+)*(?:\.Invoke\w*$|(?=\.|$))")
"""``parse@14-1.Invoke``: what F# makes of a closure has its line for a name."""
_STATE_MACHINE = re.compile(
    r"<([\w.]+|<\w+>\$[\w.]*)>[dbc](?:__[\w|]*(?:\.MoveNext)?|\.MoveNext)|<>c(?:__DisplayClass[0-9_]+)?[.+]?"
)
_ARITY = re.compile(r"`[0-9]+(?:\[[^\]]{0,512}\])*|\[[^\]]{0,256}\]")


@remembered
def function_key(function: str) -> str:
    """An async method or lambda counts as the method that it was written in, a local function by its own
    name in it; generic arity does not count."""
    name = _ARITY.sub("", function)
    if ">g__" in name:
        name = _LOCAL_FUNCTION.sub(r"\1.\2", name)
    name = _STATE_MACHINE.sub(lambda found: found[1] or "", name).replace("..", ".")
    if ">d." in name:  # an async lambda's: <>c.<<Charge>b__2_0>d.MoveNext
        name = _STATE_MACHINE.sub(lambda found: found[1] or "", name)
    if "@" in name:
        name = _FSHARP_CLOSURE.sub("", name)
    return "lambda_method" if name.startswith("lambda_method") else name


@remembered
def read_frame(line: str) -> Frame | None:
    """``at Type.Method(args) in file:line 3``, in any of .NET's languages; None for anything else."""
    text = line.strip()
    if len(text) > MAX_LINE:
        return None
    if "(" not in text:
        return _bare(text) if ":line " in text else None
    at = _AT.match(text)
    if at is None:
        return _unity(text) if ":" in text else None
    numbered = _LINE.search(text, max(0, len(text) - 32))
    placed = position(f"{text[: numbered.start()]}:{numbered[1]}" if numbered is not None else text)
    place = _IN.search(placed[0]) if placed is not None else None
    if at[1] != "at" and (not line[0].isspace() or not (place or text.endswith(")"))):
        return None  # a sentence
    called = text[at.end() : place.start() + 1] if place else text[at.end() :]
    if place is None and not called.rstrip().endswith(")"):
        called = called.partition(") [")[0] + ")"
    wrapper = called.startswith("(wrapper ")
    opening = called.find("(", called.find(") ") if wrapper else 0)
    function = called[:opening].strip()
    named = "." in function or function.startswith("lambda_method")
    if not wrapper and (not named or " " in function.replace(", ", ",")):
        return None
    if place is None or placed is None:
        return Frame(function, None, None, None, None, in_app.dotnet(function))
    file = placed[0][place.end() :]
    return Frame(function, None, None if file.startswith("<") else file, placed[1], None, in_app.dotnet(function))


def _bare(text: str) -> Frame | None:
    """``at Type.Method in file:line 3``, as code that was compiled ahead of time prints it."""
    found = _BARE.match(text)
    if found is None:
        return None
    return Frame(found[1], None, found[2], int(found[3]), None, in_app.dotnet(found[1]))


def _unity(text: str) -> Frame | None:
    """``Type:Method (args) (at Assets/A.cs:3)``, as Unity's log prints it."""
    found = _UNITY.match(text)
    if found is None:
        return None
    row = int(found[3]) if found[3] else None
    return Frame(found[1], None, found[2], row, None, in_app.dotnet(found[1]))


def looks_like(text: str) -> bool:
    if "at " not in text and "(" not in text:
        return False
    markers = ("--- End of ", ":line ", "] in <", " ---> ")
    if any(marker in text for marker in markers) or _LOCAL_LINE.search(text) is not None:
        return any(read_frame(line) is not None for line in lines(text)[:512])
    return any(_signature(line) for line in lines(text)[:64])


def _signature(line: str) -> bool:
    """``at N.T.M(String name, Int32& count)``: arguments by type, which no other language prints."""
    frame = read_frame(line)
    if frame is None:
        return False
    inside = line.partition("(")[2].rpartition(")")[0]
    return inside == "" or all(" " in part.strip() for part in inside.split(","))


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    headers: list[list[str]] = [[]]
    frames: list[list[Frame]] = [[]]
    parents: list[int | None] = [None]
    open_ = [0]
    for line in lines(text):
        stripped = line.strip()
        if stripped.startswith("[ERROR] FATAL UNHANDLED EXCEPTION: ") and frames[0]:
            break  # Mono prints it all once more
        if stripped.startswith("--- ") and _INNER.search(stripped[:128]):
            if len(open_) > 1:
                open_.pop()
            continue
        frame = read_frame(line.removesuffix("<---") if stripped.endswith("<---") else line)
        if frame is not None:
            if len(frames[open_[-1]]) < MAX_FRAMES:
                frames[open_[-1]].append(frame)
            if stripped.endswith("<---") and len(open_) > 1:
                open_.pop()
            continue
        if stripped.startswith("--- "):
            continue
        parts = (" " + line).split(" ---> ", MAX_EXCEPTIONS) if "---> " in line else [line]
        if not frames[open_[-1]] and parts[0].strip():
            headers[open_[-1]].append(parts[0].strip())
        for part in parts[1:]:
            member = _MEMBER.match(part)
            if member is not None:
                del open_[1:]
            if len(headers) < MAX_EXCEPTIONS:
                headers.append([part[member.end() if member else 0 :]])
                frames.append([])
                parents.append(open_[-1])
                open_.append(len(headers) - 1)
        if stripped.endswith("<---") and len(open_) > 1:
            open_.pop()
    if not any(frames):
        return []
    nodes: list[ExceptionNode] = []
    for header, own, parent in zip(headers, frames, parents, strict=True):
        name, message = split_header(header, type_ if parent is None else "")
        nodes.append(ExceptionNode(name, message, parent, tuple(own)))
    return nodes


DOTNET = Language(
    name="dotnet",
    aliases=frozenset({"dotnet", ".net", "csharp", "c#", "fsharp", "vb"}),
    looks_like=looks_like,
    parse=parse,
    function_key=function_key,
)
