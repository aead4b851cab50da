"""Symbolised stacks of Swift, Objective-C, C and C++: sanitizers, gdb, glibc, Boost, Apple's crash reports, Swift's
own backtraces."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import ExceptionNode, Frame
from collector_processor.stacktraces import in_app
from collector_processor.stacktraces.header import split_header
from collector_processor.stacktraces.language import Language
from collector_processor.stacktraces.position import position
from collector_processor.stacktraces.text import lines, remembered

MAX_FRAMES = 1024
MAX_LINE = 2048

_STACKED = re.compile(r"#[0-9]{1,5} +(0x[0-9a-f]{1,16} in )?")
_NUMBERED = re.compile(r"[0-9]{1,4}# +")
_SWIFT = re.compile(r"[0-9]{1,4} (?:\[[^\]]{0,64}\] )?(?:\[[^\]]{0,16}\] )?0x[0-9a-f]{6,16} ")
_APPLE = re.compile(r"[0-9]{1,4} +")
_ADDRESS = re.compile(r" (0x[0-9a-fA-F]{6,16}) ")
_GDB_NAME = re.compile(r"[\w:~<>,*&\[\] ]{1,512}")
_GLIBC = re.compile(r"(\S[^()\[\]]{0,512})\(([\w.$@]{1,512})\+0x[0-9a-f]+\) ?\[0x[0-9a-f]{1,16}\]")
_FATAL = re.compile(r"(Fatal error|Assertion failed|Precondition failed): ?(.*)$")


@remembered
def function_key(function: str) -> str:
    """Without parameters, and without what template arguments an instance has."""
    return "" if function.startswith("0x") or function == "<unavailable>" else function.partition("(")[0] or function


@remembered
def read_frame(line: str) -> Frame | None:
    text = line.strip() if len(line) <= MAX_LINE else ""
    if not text:
        return None
    if text[0] == "#":
        head = _STACKED.match(text)
        if head is None:
            return None
        rest = text[head.end() :]
        return _gdb(rest) or (_sanitizer(rest) if head[1] else None)
    if text[0].isdecimal():
        head = _NUMBERED.match(text)
        if head is not None:
            return _boost(text[head.end() :])
        head = _SWIFT.match(text)
        return (_swift(text[head.end() :]) if head is not None else None) or _apple(text)
    found = _GLIBC.fullmatch(text)
    return _frame(found[2], found[1]) if found is not None else None


def _sanitizer(rest: str) -> Frame | None:
    """``f(int) /app/a.c:3:4`` or ``f (/lib/libc.so.6+0x123) (BuildId: 12)``."""
    if rest.endswith(")"):
        rest = rest.partition(" (BuildId: ")[0]
        function, _, module = rest[:-1].rpartition(" (")
        module, offset, _ = module.rpartition("+0x")
        return _frame(function, module) if function and offset and module and rest.endswith(")") else None
    placed = position(rest)
    if placed is None:
        return None
    path = placed[0].find(" /")
    path = path if path > 0 else placed[0].rfind(" ")
    if path <= 0:
        return None
    return _frame(placed[0][:path].strip(), placed[0][path + 1 :], placed[1], placed[2])


def _gdb(rest: str) -> Frame | None:
    """``f (x=1) at a.c:3`` or ``f () from /lib/libc.so.6``."""
    called, _, place = rest.rpartition(" at ")
    placed = position(place) if called.endswith(")") else None
    if placed is None:
        called, _, place = rest.rpartition(" from ")
        if not called.endswith(")"):
            return None
    function = called.partition("(")[0].strip()
    if _GDB_NAME.fullmatch(function) is None:
        return None
    return _frame(function, place) if placed is None else _frame(function, placed[0], placed[1])


def _boost(rest: str) -> Frame | None:
    """``f(int) at a.cpp:3`` or ``f(int) in ./program``."""
    if rest.endswith("]"):
        rest = rest.rpartition(" [0x")[0]
    function, _, place = rest.rpartition(" at ")
    placed = position(place) if function else None
    if placed is not None:
        return _frame(function, placed[0], placed[1])
    function, _, module = rest.rpartition(" in ")
    return _frame(function, module) if function and module else None


def _swift(rest: str) -> Frame | None:
    """``closure #1 in f() + 12 in App at /app/a.swift:3:4``."""
    front, _, place = rest.rpartition(" at ")
    placed = position(place) if front else None
    function, _, module = (front if placed is not None else rest).rpartition(" in ")
    if not function or not module or " " in module:
        return None
    function = _without_offset(function) or function
    return _frame(function, *placed) if placed is not None else _frame(function, module)


def _apple(text: str) -> Frame | None:
    """``4   App   0x000000010 f() + 12 (a.swift:3)``: module, address, what is called."""
    head = _APPLE.match(text)
    address = _ADDRESS.match(text, text.find(" 0x")) if head is not None and " 0x" in text else None
    if head is None or address is None:
        return None
    module, called = text[head.end() : address.start()].strip(), text[address.end() :].strip()
    placed = None
    if called.endswith(")"):
        front, _, place = called[:-1].rpartition(" (")
        placed = position(place) if front else None
        called = front if placed is not None else called
    function = _without_offset(called)
    if not module or (function is None and placed is None):
        return None
    function = function or called
    if placed is not None:
        return _frame(function, placed[0], placed[1])
    return _frame(address[1] if function.startswith("0x") else function, module)


def _without_offset(called: str) -> str | None:
    """``f() + 12`` -> ``f()``; None without an offset."""
    function, _, offset = called.rpartition(" + ")
    return function if function and offset.isdecimal() else None


def _frame(function: str, file: str, row: int | None = None, column: int | None = None) -> Frame:
    return Frame(function, None, file, row, column, in_app.native(function, file))


def read(text: str) -> Sequence[Frame]:
    """The frames of the first stack of the text; a crash report has one for each thread."""
    frames: list[Frame] = []
    for line in lines(text):
        frame = read_frame(line)
        if frame is not None and len(frames) < MAX_FRAMES:
            frames.append(frame)
        elif frames and not line.strip():
            break
    return frames


def looks_like(text: str) -> bool:
    return ("0x" in text or "#0" in text or "0# " in text) and bool(read(text[:32_768]))


def parse(text: str, type_: str) -> Sequence[ExceptionNode]:
    frames = read(text)
    if not frames:
        return []
    header: list[str] = []
    for line in lines(text):
        if read_frame(line) is not None:
            break
        fatal = _FATAL.search(line[:MAX_LINE])
        if fatal is not None:
            return [ExceptionNode(type_ or fatal[1], fatal[2], None, tuple(frames))]
        header.append(line)
    name, message = split_header(header, type_)
    return [ExceptionNode(name, message, None, tuple(frames))]


NATIVE = Language(
    name="native",
    aliases=frozenset({"native", "c", "cpp", "c++"}),
    looks_like=looks_like,
    parse=parse,
    function_key=function_key,
)
SWIFT = Language(
    name="swift",
    aliases=frozenset({"swift", "objc", "objective-c", "swift-objc"}),
    looks_like=lambda text: (
        looks_like(text)
        and any(
            word in text for word in (".swift", "swift-", "libswift", "Binary Images:", "libdyld", "CoreFoundation")
        )
    ),
    parse=parse,
    function_key=function_key,
)
