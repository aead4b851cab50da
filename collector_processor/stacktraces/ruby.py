"""Ruby's stack texts: ``Exception#full_message`` in both orders, ``backtrace.join``, and Rails' logs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import ExceptionNode, Frame
from collector_processor.stacktraces import in_app
from collector_processor.stacktraces.header import split_header
from collector_processor.stacktraces.language import MAX_EXCEPTIONS, Language
from collector_processor.stacktraces.text import lines, remembered

MAX_FRAMES = 1024
MAX_LINE = 2048
MAX_MESSAGE_LINES = 64
"""Of a message, in which its type is looked for."""

_FRAME = re.compile(
    r"\s*(?:[0-9]{1,6}: )?(?:from )?"
    r"(<internal:[^<>\s]{1,512}>|\(eval at [^()\n]{1,1024}\)|(?:[A-Za-z]:)?[^:\s][^:\n]{0,1024}):([0-9]{1,9})"
    r"(?::in [`'](.{0,512}?)['`]|(?::in (?![`'])(\S{1,512}))?)(?:: (.*))?$"
)
_JRUBY = re.compile(r"([\w$.<>]{1,512})\(((?:uri:)?[^():]{1,512}(?::[^():]{1,512})?):([0-9]{1,9})\)$")
_TYPED = re.compile(r"(.*) \(([A-Z]\w*(?:::\w+)*)\)$", re.DOTALL)
_PARENTHESISED = re.compile(r"\s*([A-Z]\w*(?:::\w+)*) \((.*)\):$")
_COMPILED = re.compile(r"_{1,3}[0-9]{4,64}_[0-9]{1,64}$")
"""What Rails calls a template's method, ``_app_views_orders_show_html_erb__123_456``: its numbers are a process's."""
_DECORATION = re.compile(r"(?:rescue in |ensure in |block (?:\([0-9]+ levels\) )?in )+")


@remembered
def function_key(function: str) -> str:
    """A block counts as its method, and a method by its name: the class in front of it came with Ruby 3.4."""
    name = _DECORATION.sub("", function)
    if name.startswith("_app_"):
        name = _COMPILED.sub("", name)
    if name.startswith("<"):
        return name
    return name.rpartition("#")[2] if "#" in name else name.rpartition(".")[2] or name


@remembered
def read_frame(line: str) -> tuple[Frame, str] | None:
    """(frame, what follows it: the message on the first line)."""
    if len(line) > MAX_LINE or ":" not in line:
        return None
    found = _FRAME.match(line.rstrip("\r"))
    if found is None:
        java = _JRUBY.match(line.strip())
        if java is None or not (java[2].endswith((".rb", ".java")) or "/" in java[2]):
            return None
        return Frame(java[1], None, java[2], int(java[3]), None, in_app.ruby(java[2])), ""
    function = found[3] if found[3] is not None else found[4]
    file = found[1]
    if function is None and not file.endswith((".rb", ".rake", ".ru", ".erb", ".haml", ".slim")) and "/" not in file:
        return None
    if "://" in line or file.endswith((".go", ".py", ".js", ".ts", ".ex", ".erl", ".dart", ".rs", ".java")):
        return None
    return Frame(function, None, file, int(found[2]), None, in_app.ruby(file)), found[5] or ""


def looks_like(text: str) -> bool:
    if ":in `" not in text and ":in '" not in text and ".rb:" not in text:
        return False
    return any(read_frame(line) is not None for line in lines(text)[:256])


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    """A frame with a message behind it begins an exception; a cause's stands after its outer one's frames."""
    all_lines = lines(text)
    if any(line.startswith("Traceback") and "most recent call last" in line for line in all_lines[:3]):
        all_lines = all_lines[::-1]
    headers: list[list[str]] = [[]]
    frames: list[list[Frame]] = [[]]
    below: list[list[str]] = [[]]
    """What follows the first line's message: its other lines, and the marked source."""
    said: list[str | None] = [None]
    for line in all_lines:
        read = read_frame(line)
        if read is None:
            if not frames[-1]:
                headers[-1].append(line)
            elif len(frames[-1]) == 1 and said[-1] is not None:
                below[-1].append(line)
            continue
        frame, message = read
        begins = bool(message) and not line.lstrip().startswith("from ")
        if begins and frames[-1] and len(frames) < MAX_EXCEPTIONS:
            headers.append([])
            frames.append([])
            below.append([])
            said.append(None)
        if begins and said[-1] is None and not frames[-1]:
            said[-1] = message
        if len(frames[-1]) < MAX_FRAMES:
            frames[-1].append(frame)
    if not any(frames):
        return []
    nodes: list[ExceptionNode] = []
    for index, own in enumerate(frames):
        name, text_ = _header(headers[index], said[index], below[index], type_ if index == 0 else "")
        nodes.append(ExceptionNode(name, text_, index - 1 if index else None, tuple(own)))
    return nodes


def _header(header: list[str], said: str | None, below: list[str], type_: str) -> tuple[str | None, str | None]:
    """``message (Type)``, whose message may go on below, before the type or behind it."""
    if said is not None:
        message = [said]
        for index, line in enumerate([said, *below]):
            message[index:] = [line]
            typed = _TYPED.match("\n".join(message)) if line.endswith(")") else None
            if typed is not None:
                return typed[2], "\n".join([typed[1], *below[index:]]).rstrip()
            if index == MAX_MESSAGE_LINES:
                break
        return type_ or None, "\n".join([said, *below]).rstrip()
    for line in header:
        found = _PARENTHESISED.match(line[:MAX_LINE])
        if found is not None:
            return found[1], found[2]
    return split_header(header, type_)


RUBY = Language(
    name="ruby",
    aliases=frozenset({"ruby", "rb", "jruby"}),
    looks_like=looks_like,
    parse=parse,
    function_key=function_key,
)
