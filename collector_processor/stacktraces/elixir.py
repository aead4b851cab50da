"""Elixir's and Erlang's stack texts: ``Exception.format``, log reports, and Erlang's terms and shell."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import ExceptionNode, Frame
from collector_processor.stacktraces import in_app
from collector_processor.stacktraces.language import Language
from collector_processor.stacktraces.text import lines, remembered

MAX_FRAMES = 1024
MAX_LINE = 2048

_ELIXIR = re.compile(
    r"\s*(?:\(([\w.]{1,64})(?: [^()\s]{1,64})?\) )?([^\s():]{1,512}\."
    r"(?:exs?|erl|eex|heex|leex)):([0-9]{1,9}): (.{1,512})$"
)
_SHELL = re.compile(
    r"\s*(?:\*\*\* )?(?:in function|in call from) {1,2}(\S{1,512}) \(([^\s():,]{1,512}), line ([0-9]{1,9})\)"
)
_TERM = re.compile(
    r"\{('?[\w.@]+'?),('?[^\s,(){}\[\]]{1,256}'?),([0-9]{1,3}|\[[^\[\]]{0,512}\]),\s*\[\{file,\"([^\"]{1,512})\"\},\{line,([0-9]{1,9})\}"
)
_HEAD = re.compile(r"\*\* \((?:EXIT from [^)]*\) .*?\()?([\w.:]{1,256})\)(?: (.*))?$")
_ERLANG_HEAD = re.compile(r"\*\* exception (error|exit|throw): (.*)$")
_FN = re.compile(r"(?:anonymous fn/[0-9]+ in )|-(?:fun|inlined|lc\$\^)[^/]*/[0-9]+-[0-9]*-?")


@remembered
def function_key(function: str) -> str:
    """An anonymous function counts as the one it was written in."""
    return _FN.sub("", function).strip("-")


def read_frames(line: str) -> list[Frame]:
    if len(line) > MAX_LINE * 8:
        return []
    found = _ELIXIR.match(line[:MAX_LINE])
    if found is not None:
        application = found[1] or ""
        return [Frame(found[4].strip(), None, found[2], int(found[3]), None, in_app.elixir(application, found[4]))]
    found = _SHELL.match(line[:MAX_LINE])
    if found is not None:
        return [Frame(found[1], None, found[2], int(found[3]), None, in_app.elixir("", found[1]))]
    frames = []
    for term in _TERM.finditer(line) if "{file," in line else ():
        arity = term[3] if term[3].isdigit() else str(term[3].count(",") + (term[3] != "[]"))
        function = f"{term[1]}:{term[2]}/{arity}"
        frames.append(Frame(function, None, term[4], int(term[5]), None, in_app.elixir("", function)))
    return frames


def looks_like(text: str) -> bool:
    if not any(hint in text for hint in (".ex", ".erl", "{file,")):
        return False
    return any(read_frames(line) for line in lines(text)[:256])


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    header: list[str] = []
    frames: list[Frame] = []
    for line in lines(text):
        found = read_frames(line)
        frames += found[: MAX_FRAMES - len(frames)]
        if not frames:
            header.append(line)
    if not frames:
        return []
    name: str | None = None
    message: str | None = None
    for index, line in enumerate(header):
        stars = line.find("** ", 0, MAX_LINE)
        if stars < 0:
            continue
        said = _HEAD.match(line, stars, MAX_LINE) or _ERLANG_HEAD.match(line, stars, MAX_LINE)
        if said is not None:
            name, message = said[1], "\n".join([said[2] or "", *header[index + 1 :]]).rstrip()
            break
    else:
        message = "\n".join(header).strip() or None
    return [ExceptionNode(name or type_ or None, message, None, tuple(frames))]


ELIXIR = Language(
    name="elixir",
    aliases=frozenset({"elixir", "erlang", "beam"}),
    looks_like=looks_like,
    parse=parse,
    function_key=function_key,
)
