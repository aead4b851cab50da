"""Go's stack texts: panics with their goroutines, ``runtime/debug.Stack``, and the ``%+v`` of pkg/errors."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import ExceptionNode, Frame
from collector_processor.stacktraces import in_app
from collector_processor.stacktraces.language import Language
from collector_processor.stacktraces.text import lines, remembered

MAX_FRAMES = 1024
MAX_LINE = 2048

_PLACE = re.compile(r"(.{1,1024}\.(?:go|s|c|cc|cpp|h)|_cgo_\w+):([0-9]{1,9})(?: \+0x[0-9a-f]+)?(?: [a-z]+=0x.*)?$")
_HEAD = re.compile(r"(?:^|.{0,256} )(panic|fatal error): (.*)$|^(panic) in .{0,512}: (.*)$")
_SERVING = re.compile(r"http: panic serving [^ ]{1,64}: (.*)$")
_GIN = re.compile(r"(\S.{0,1024}\.(?:go|s)):([0-9]{1,9}) \(0x[0-9a-f]+\)\s*$")
_CLOSURE = re.compile(r"(?:\.func[0-9]+|\.gowrap[0-9]+|-fm|-range[0-9]+|\.[0-9]+|\.deferwrap[0-9]+)+$")
_GENERIC = re.compile(r"\[[^\]]{0,512}\]")


@remembered
def function_key(function: str) -> str:
    """Without the path of the package, type parameters, and the numbers of closures."""
    return _GENERIC.sub("", _CLOSURE.sub("", function.rpartition("/")[2]))


def _function(line: str) -> str | None:
    """``pkg.(*T).f(0x1, {0x2, 0x3})`` and ``created by pkg.f in goroutine 1`` without what is not the name."""
    name = line.strip()
    if name.startswith("created by "):
        return name[11:].partition(" in goroutine ")[0]
    if name.endswith(")"):
        depth = 0
        for index in range(len(name) - 1, -1, -1):
            depth += (name[index] == ")") - (name[index] == "(")
            if depth == 0:
                name = name[:index]
                break
    return name if name and " " not in name and ("." in name or name == "panic") else None


def _announces(line: str) -> bool:
    return "panic" in line[:512] or "fatal error: " in line[:512]


def looks_like(text: str) -> bool:
    if ".go:" not in text and ".s:" not in text:
        return False
    return "goroutine " in text or any(
        _PLACE.match(line[:MAX_LINE].strip()) or _GIN.match(line[:MAX_LINE]) for line in lines(text)[:256]
    )


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    """One node: a panic has no causes. The goroutine that panicked stands first; frames of the others, and of what
    runs because of the panic, are not the application's own for this error."""
    all_lines = lines(text)
    frames: list[Frame] = []
    header: list[str] = []
    name: str | None = None
    message: str | None = None
    goroutines = 0
    previous = ""
    place: re.Match[str] | None = None
    for line in all_lines:
        short = line[:MAX_LINE].removeprefix("  | ")  # the margin of cockroachdb/errors
        if place is not None:  # file:line (0xpc), the function on the next line
            function = short.strip().partition(": ")[0]
            frames.append(Frame(function or None, None, place[1], int(place[2]), None, in_app.go(place[1], function)))
            place = None
            continue
        bare = short.strip()
        if bare.startswith("goroutine ") and bare.endswith("]:") and bare[10:11].isdecimal():
            goroutines += 1
        found = _PLACE.match(bare) if (":" in short and short[:1].isspace()) or short[:1] == "/" else None
        if found is not None and len(frames) < MAX_FRAMES:
            function_ = _function(previous)
            if function_ is not None:
                own = goroutines < 2 and not previous.startswith("created by ")
                file = found[1].strip()
                frames.append(Frame(function_, None, file, int(found[2]), None, own and in_app.go(file, function_)))
        elif len(frames) < MAX_FRAMES:
            place = _GIN.match(short) if " (0x" in short else None
        if not frames and not goroutines:
            said = (_HEAD.match(short) or _SERVING.search(short)) if _announces(short) else None
            if said is not None and name is None:
                name = "panic" if said.re is _SERVING else said[1] or said[3]
                message = said[1] if said.re is _SERVING else said[2] or said[4] or ""
            header.append(line)
        previous = short
    if not frames:
        return []
    if name is None and any("WARNING: DATA RACE" in line[:MAX_LINE] for line in header):
        name, message = "DATA RACE", None
    panicked = next((i for i, frame in enumerate(frames) if frame.function == "panic"), 0)
    frames[:panicked] = [Frame(f.function, None, f.file, f.line, None, False) for f in frames[:panicked]]
    if name is None and not goroutines:
        message = "\n".join(header[:-1]).strip() or None  # the last line is the first frame's function
    elif name is None:
        message = "\n".join(header).strip() or None
    return [ExceptionNode(name or type_ or None, message, None, tuple(frames))]


GO = Language(
    name="go",
    aliases=frozenset({"go", "golang"}),
    looks_like=looks_like,
    parse=parse,
    function_key=function_key,
)
