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
_LONGEST_CALL = 512
"""Characters of a call that are kept: a clause that did not match is printed with its arguments, a server's state."""

_ELIXIR = re.compile(
    r"\s*(?:\(([\w.]{1,64})(?: [^()\s]{1,64})?\) )?([^\s():]{1,512}\."
    r"(?:exs?|erl|eex|heex|leex)|iex|nofile):([0-9]{1,9}): (.+)$"
)
_SHELL = re.compile(
    r"\s*(?:\*\*\* )?(?:in function|in call from) {1,2}(\S{1,512}) \(([^\s():,]{1,512})(?:, line |:)([0-9]{1,9})\)"
)
_TERM = re.compile(
    r"\{('?[\w.@]+'?),\s{0,128}('?[^\s,(){}\[\]]{1,256}'?),\s{0,128}([0-9]{1,3}|\[[^\[\]]{0,512}\]),\s{0,128}"
    r"\[(?:\{file,\s{0,128}\"([^\"]{1,512})\"\},\s{0,128}\{line,([0-9]{1,9})\}|\])"
)
"""A frame of a stack that was printed as a term, ``{Module,Function,Arity,[{file,…},{line,…}]}``; over lines."""
_ELIXIR_TERM = re.compile(
    r"\{(:?[\w.]{1,256}), :(\S{1,256}), (?:([0-9]{1,3})|\[(.{0,512}?)\]),\s{0,128}"
    r"\[file: ~?c?[\"']([^\"']{1,512})[\"'], line: ([0-9]{1,9})"
)
"""The same as Elixir prints it: ``{Mod, :fun, 1, [file: ~c"lib/a.ex", line: 3]}``."""
_UNMATCHED = re.compile(
    r"no function clause matching\s+('?[\w.@]{1,128}'?:'?[\w@]{1,128}'?\(.{0,8192}\))\s+"
    r"\(([^\s():,]{1,512})(?:, line |:)([0-9]{1,9})\)\s*\Z",
    re.DOTALL,
)
"""The raising frame, which Erlang's shell prints in the message alone, with its arguments."""
_REASON = re.compile(r"\{(\w{1,64}),\s{0,128}\[\{")
_NOWHERE = re.compile(
    r" {4,8}(?:\([\w.]{1,64}(?: [^()\s]{1,64})?\) (\S.{0,512}/[0-9]{1,3})"
    r"|((?:[A-Z][\w.]{0,256}|:[a-z]\w{0,128})\.[a-z_]\w{0,128}[?!]?\(.{0,512}\)))$"
)
"""A frame without a place: its application was not compiled with one, or there is no such function."""
_HEAD = re.compile(r"\*\* \((?:EXIT from [^)]*\) .*?\()?([\w.:]{1,256})\)(?: (.*))?$")
_ERLANG_HEAD = re.compile(r"\*\* exception (error|exit|throw): (.*)$")
_FN = re.compile(r"(?:anonymous fn/[0-9]+ in )|-(?:fun|inlined|lc\$\^)[^/]*/[0-9]+-[0-9]*-?")


_CALL = re.compile(r"(:?[A-Za-z_][\w.@]{0,256}[.:]'?[a-z_]\w{0,128}[?!]?'?)\(")
_LIFTED = re.compile(r"[\"']-([\w?!]{1,128}/[0-9]{1,3})-[^\"']{0,128}[\"']/[0-9]{1,3}")
"""``Enum."-each/2-lists^foreach/1-0-"/2``, ``shop:'-charge/2-fun-0-'/1``."""


@remembered
def function_key(function: str) -> str:
    """An anonymous function counts as the one it was written in, and so does what the compiler made of a loop. A call
    that is printed with its arguments counts as ``Shop.Cart.add/2``: they are another's data each time."""
    called = _CALL.match(function)
    if called is not None:
        arity = _arity(function[called.end() : -1]) if function.endswith(")") else None
        return called[1] if arity is None else f"{called[1]}/{arity}"
    return _FN.sub("", _LIFTED.sub(r"\1", function)).strip("-")


def _arity(arguments: str) -> int | None:
    """How many values ``nil, %{id: 1}`` are; None when it is cut off within one."""
    count, depth, quoted, escaped = int(bool(arguments.strip())), 0, False, False
    for character in arguments:
        if escaped or character == "\\":
            escaped = not escaped
        elif character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and depth == 0:
            count += 1
    return None if depth or quoted else count


@remembered
def read_frame(line: str) -> Frame | None:
    """A line of ``Exception.format`` or of Erlang's shell; None for anything else."""
    found = _ELIXIR.match(line[:MAX_LINE])
    if found is not None:
        application, called = found[1] or "", found[4][:_LONGEST_CALL].strip()
        return Frame(called, None, found[2], int(found[3]), None, in_app.elixir(application, called))
    if len(line) > MAX_LINE:
        return None
    found = _SHELL.match(line)
    if found is not None:
        return Frame(found[1], None, found[2], int(found[3]), None, in_app.elixir("", found[1]))
    found = _NOWHERE.match(line)
    if found is None:
        return None
    function = found[1] or found[2]
    application = line.strip()[1:].partition(" ")[0].rstrip(")") if found[1] else ""
    return Frame(function, None, None, None, None, in_app.elixir(application, function))


def read_terms(text: str) -> list[Frame]:
    """The frames of a stack that was printed as a term."""
    frames = []
    for term in _TERM.finditer(text):
        arity = term[3] if term[3].isdigit() else str(term[3].count(",") + (term[3] != "[]"))
        function = f"{term[1]}:{term[2]}/{arity}"
        row = int(term[5]) if term[5] else None
        frames.append(Frame(function, None, term[4], row, None, in_app.elixir("", function)))
        if len(frames) == MAX_FRAMES:
            break
    for term in _ELIXIR_TERM.finditer(text) if not frames and "[file: " in text else ():
        arity = term[3] or str(term[4].count(",") + bool(term[4].strip()))
        function = f"{term[1]}.{term[2]}/{arity}"
        frames.append(Frame(function, None, term[5], int(term[6]), None, in_app.elixir("", function)))
        if len(frames) == MAX_FRAMES:
            break
    return frames


def looks_like(text: str) -> bool:
    if ("{file," in text or "[file: " in text) and read_terms(text):
        return True
    return (".ex" in text or ".erl" in text) and any(read_frame(line) for line in lines(text)[:256])


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    header: list[str] = []
    frames: list[Frame] = []
    terms = False
    for line in lines(text):
        terms = terms or "{file," in line or "[file: " in line
        frame = read_frame(line)
        if frame is not None and len(frames) < MAX_FRAMES:
            frames.append(frame)
        if not frames and not terms:
            header.append(line)
    name: str | None = None
    if not frames and ("{file," in text or "[file: " in text):
        text = "\n".join(lines(text))
        frames = read_terms(text)
        reason = _REASON.search(text)
        name = reason[1] if reason is not None else None
    above = "\n".join(header)[-4 * MAX_LINE :]
    unmatched = _UNMATCHED.match(above, at) if (at := above.find("no function clause matching")) >= 0 else None
    if unmatched is not None and unmatched[2].endswith(".erl"):
        called = " ".join(unmatched[1].split())[:_LONGEST_CALL]
        frames.insert(0, Frame(called, None, unmatched[2], int(unmatched[3]), None, in_app.elixir("", called)))
    if not frames:
        return []
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
        message = "\n".join(header).strip() or None if name is None else None
    return [ExceptionNode(name or type_ or None, message, None, tuple(frames))]


ELIXIR = Language(
    name="elixir",
    aliases=frozenset({"elixir", "erlang", "beam"}),
    looks_like=looks_like,
    parse=parse,
    function_key=function_key,
)
