"""One line of a JavaScript stack: V8's (Chrome, Node, Edge, Hermes), SpiderMonkey's (Firefox) and JavaScriptCore's
(Safari).

A frame needs a location: a bare name is none. Of evaluated code the location is the place in a file that evaluated it.
"""

from __future__ import annotations

import re

from collector_processor.events import Frame
from collector_processor.stacktraces import in_app
from collector_processor.stacktraces.position import position
from collector_processor.stacktraces.text import remembered

MAX_LINE = 4096
"""A longer line is no frame: a data URL, or a message."""

MAX_EVALS = 8
"""Of evaluations within evaluations."""

_PLAIN = re.compile(r"    at ([\w.$]{1,256}) \((/[\w./@\-]{1,512}):([0-9]{1,9}):([0-9]{1,9})\)\Z")
"""What most lines are: the rest of the reader says the same of it, in more steps."""
_NO_FILE = re.compile(r"index [0-9]+\Z|unknown location\Z")
_NATIVE = frozenset({"native", "native code", "[native code]", "<anonymous>"})
_WASM = re.compile(r"(.*?):?(wasm-function\[[0-9]+\])(?::0x[0-9a-fA-F]+)?\Z")
_EVAL_ORIGIN = re.compile(r" line ([0-9]{1,9})(?: > [^:]*)?(?: > (?:eval|Function))(?::[0-9]+){0,2}\Z")

_RECEIVER = re.compile(
    r"(?:async |new |get |set |static )*"
    r"(?:(?:Object|Function|Module|global|globalThis|window|process|exports|module\.exports|null|undefined)\.(?=.))*"
)
_NAMELESS = frozenset(
    {"", "<anonymous>", "anonymous", "eval", "eval code", "(anonymous function)", "Anonymous function", "?"}
)


_RUST_HASH = re.compile(r"::h[0-9a-f]{16}$")


@remembered
def function_key(function: str) -> str:
    """Without ``async``, ``new``, ``[as alias]``, the receivers that engine versions print or not, and Firefox's async
    cause before ``*``."""
    name = function.rpartition("*")[2]
    if name.endswith("]"):
        name = name.partition(" [as ")[0]
    name = name[_RECEIVER.match(name).end() :]  # type: ignore[union-attr]  # every part is optional: it always matches
    while name.endswith("/<"):
        name = name[:-2]
    if "::h" in name:
        name = _RUST_HASH.sub("", name)  # of a function in WebAssembly
    return "" if name in _NAMELESS or name.endswith(".<anonymous>") or name.isdecimal() else name


@remembered
def read_frame(line: str) -> Frame | None:
    """A V8 line: ``at fn (location)``, ``at location``, ``at async fn (eval at …)``; None for anything else."""
    function: str | None
    plain = _PLAIN.match(line)
    if plain is not None:
        function, file, row, column = plain.groups()
        return Frame(function, None, file, int(row), int(column), in_app.javascript(file))
    text = line.strip()
    if text.startswith("eval at "):
        text = text[5:]
    if not text.startswith("at ") or len(text) > MAX_LINE:
        return None
    text = text[3:].rstrip("{, ").strip()
    function = None
    location = text
    if text.endswith(")"):
        opening = _opening(text)
        if opening < 0:
            return None
        function, location = text[:opening].strip(), text[opening + 1 : -1]
    elif " (" in text and ")" not in text and position(text):  # the closing parenthesis was cut off
        function, _, location = text.partition(" (")
    elif text.startswith("async "):
        location = text[6:]
    if function and function.endswith("-extension:") and location.startswith("//"):  # f@safari-extension:(//…)
        function, _, scheme = function.rpartition("@")
        location = scheme + location
    located = _location(location)
    if located is None or (function is None and located[1] is None and located[3] is None):
        return None
    file, row, column, wasm = located
    return Frame(function or wasm, None, file, row, column, file is not None and in_app.javascript(file))


@remembered
def read_at_frame(line: str) -> Frame | None:
    """A line of SpiderMonkey or JavaScriptCore: ``fn@location``, or a location alone; None for anything else."""
    text = line.strip()
    if not text or len(text) > MAX_LINE:
        return None
    if text == "[native code]":
        return Frame(None, None, text)
    function, location = "", text
    if "@" in text:
        # Quoted names hold an @ of their own: obj["@fn"]@http://…
        start = text.find('"') if '"' in text.partition("@")[0] else -1
        closing = text.find('"', start + 1) if start >= 0 else -1
        at = text.find("@", closing + 1)
        if at < 0:
            return None
        function, location = text[:at], text[at + 1 :]
        if function.endswith(")"):  # Firefox up to 13 and Opera print arguments
            opening = _opening(function)
            function = function[:opening] if opening >= 0 and " " not in function[:opening] else function
    elif " " in text:
        return None
    if location == "[native code]":
        return Frame(function or None, None, location)
    evaluated = location.find(" line ")
    origin = _EVAL_ORIGIN.match(location, evaluated) if evaluated >= 0 else None
    if origin is not None:
        file = location[:evaluated]
        return Frame(function or None, None, file, int(origin[1]), None, in_app.javascript(file))
    located = _location(location)
    if located is None or (located[1] is None and located[3] is None) or not located[0]:
        return None
    file_name, row, column, wasm = located
    return Frame(function or wasm, None, file_name, row, column, in_app.javascript(file_name or ""))


def _opening(text: str) -> int:
    """Where the parenthesis opens that the last character closes; -1 without one. File names may hold pairs of their
    own."""
    if text.count("(") == 1:
        return text.find("(")
    depth = 0
    for index in range(len(text) - 1, -1, -1):
        character = text[index]
        if character == ")":
            depth += 1
        elif character == "(":
            depth -= 1
            if depth == 0:
                return index
    return -1


def _location(location: str) -> tuple[str | None, int | None, int | None, str | None] | None:
    """File, line, column and WebAssembly function of a V8 location; of evaluated code, the place in a file that
    evaluated it."""
    for _ in range(MAX_EVALS):
        if not location.startswith("eval at "):
            break
        closing = location.rfind(")")
        opening = _opening(location[: closing + 1]) if closing >= 0 else -1
        if opening < 0:
            return None
        location = location[opening + 1 : closing]
        if not location.startswith("eval at ") and position(location) is None:
            return location, None, None, None
    location = location.removeprefix("address at ").removeprefix("async ")
    if "wasm-function[" in location:
        wasm = _WASM.match(location)
        if wasm is not None:
            return wasm[1] or None, None, None, wasm[2]
    placed = position(location)
    if placed is not None:
        return (*placed, None)
    if _NO_FILE.match(location):
        return None, None, None, None
    if location in _NATIVE:
        return location, None, None, None
    return None
