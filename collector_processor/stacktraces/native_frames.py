"""One line of a native stack: sanitizers, gdb, lldb, Valgrind, glibc, glog, Boost, LLVM's and Chromium's
handlers, Android's tombstones, Apple's crash reports, Swift's own backtraces.

A frame that was not symbolised has the module for a file and no function: an address says no place.
"""

from __future__ import annotations

import re

from collector_processor.events import Frame
from collector_processor.stacktraces import in_app
from collector_processor.stacktraces.position import position
from collector_processor.stacktraces.text import remembered

MAX_LINE = 2048

_STACKED = re.compile(
    r"#[0-9]{1,5}(?:\.[0-9]{1,3})?\s+(?:(0x[0-9a-fA-F]{1,16}|\(null\))(?: in)?(?: +|$)|(pc) [0-9a-f]{6,16} +)?"
)
_NUMBERED = re.compile(r"[0-9]{1,4}# +")
_SWIFT = re.compile(r"[0-9]{1,4} {1,64}(?:\[[^\]]{0,64}\] {1,64}){0,4}0x[0-9a-f]{6,16} ")
_GLOG = re.compile(r"@ +0x[0-9a-f]{4,16} +(?:\(unknown\) +|[0-9]{1,8} +)?(\S.*)$")
_OFFSET = re.compile(r"\+0x[0-9a-f]{1,16}$")
_LLDB = re.compile(r"(?:\* )?frame #[0-9]{1,5}: 0x[0-9a-f]{4,16} ([^`\s]{1,256})`(.{1,1024})$")
_LLDB_ARGUMENTS = re.compile(r"\((?:[A-Za-z_]\w*=.*)?\)$")
_APPLE = re.compile(r"[0-9]{1,4} +")
_ADDRESS = re.compile(r" (0x[0-9a-fA-F]{5,16}) ")
_GDB_ARGUMENTS = re.compile(r" \((?=[A-Za-z_][\w.@]*=|\)|\.\.\.)")
_GLIBC = re.compile(r"(\S[^()\[\]]{0,512})(\(([\w.$@]{0,512})(?:[+-]0x[0-9a-f]+)?\))? ?\[0x[0-9a-f]{1,16}\]")
_VALGRIND = re.compile(
    r"(?:==[0-9]{1,9}== +)?(?:at|by) 0x[0-9A-Fa-f]{4,16}: (.{1,1024}) \((?:in )?([^()]{1,1024}?)(?::([0-9]{1,9}))?\)$"
)
_PATH = re.compile(r" (?=/|\.{1,2}/|[A-Za-z]:[\\/])")
_FUCHSIA = re.compile(r"<{1,2}([^<>]{0,256})>{1,2}\+0x[0-9a-f]+$")
_SOURCE = re.compile(r"(\S+) (\S+\.(?:cc?|cpp|cxx|h|mm?|swift|rs))$")
_NO_NAMES = frozenset({"", "<null>", "<null> <null>"})


@remembered
def read_frame(line: str) -> Frame | None:
    text = line.strip() if len(line) <= MAX_LINE else ""
    if not text:
        return None
    if text[0] == "#":
        head = _STACKED.match(text)
        if head is None:
            return None
        rest = text[head.end() :].partition(" (BuildId: ")[0].rstrip()
        if head[2]:
            return _tombstone(rest)
        return _gdb(rest, head[1]) or _sanitizer(rest, head[1])
    if text[0].isdecimal():
        text = text.replace("\t", " ")
        head = _NUMBERED.match(text)
        if head is not None:
            return _boost(text[head.end() :])
        head = _SWIFT.match(text)
        return (_swift(text[head.end() :]) if head is not None else None) or _apple(text)
    if text[0] in "=ab":
        checked = _VALGRIND.match(text)
        if checked is not None:
            return _frame(checked[1].replace("???", ""), checked[2], int(checked[3]) if checked[3] else None)
    if text[0] in "*f":
        debugged = _LLDB.match(text)
        return _lldb(debugged[1], debugged[2]) if debugged is not None else None
    if text[0] == "@":
        logged = _GLOG.match(text)
        return _frame(logged[1].replace("(unknown)", ""), "") if logged is not None else None
    found = _GLIBC.fullmatch(text)
    if found is None or not (found[2] or "/" in found[1]):
        return None
    return _frame(found[3] or "", found[1])


def _sanitizer(rest: str, address: str | None) -> Frame | None:
    """``f(int) /app/a.c:3:4``, ``f (/lib/libc.so.6+0x123)``, ``f(int) [a.cc:3:4]``, ``f``: what has neither an address
    nor a place is no frame."""
    rest, module = _module(rest)
    if rest.endswith("]"):
        front, _, place = rest[:-1].rpartition(" [")
        placed = position(place) if front else None
        if placed is not None:
            return _frame(front, *placed)
    placed = position(rest)
    if placed is not None:
        path = _PATH.search(placed[0])
        at = path.start() if path is not None else placed[0].rfind(" ")
        if at > 0:
            return _frame(placed[0][:at].strip(), placed[0][at + 1 :], placed[1], placed[2])
    if address is None and not module:
        return None
    if module or rest.startswith("("):
        return _frame("" if rest.startswith("(") else _OFFSET.sub("", rest), module or rest.strip("()"))
    path = _PATH.search(rest)
    if path is not None:  # cut off before the line
        return _frame(rest[: path.start()], rest[path.end() :])
    source = _SOURCE.match(rest)
    return _frame(source[1], source[2]) if source is not None else _frame(rest, "")


def _module(rest: str) -> tuple[str, str]:
    """(what stands before, the module at the end): ``(/lib/libc.so.6+0x12)``, Fuchsia's ``<<application>>+0x12``."""
    if rest.endswith(")"):
        front, _, module = rest[:-1].rpartition("(")
        module, offset, _ = module.rpartition("+0x")
        return (front.strip(), module) if offset and module else (rest, "")
    fuchsia = _FUCHSIA.search(rest, max(0, len(rest) - 300)) if "+0x" in rest else None
    if fuchsia is None:
        return rest, ""
    module = fuchsia[1]
    return rest[: fuchsia.start()].strip(), "" if module == "application" else module


def _tombstone(rest: str) -> Frame | None:
    """``/system/lib64/libc.so (abort+164)``: the module, what is called."""
    module, _, called = rest.partition(" (")
    return _frame(called.removesuffix(")").rpartition("+")[0], module.strip())


def _gdb(rest: str, address: str | None) -> Frame | None:
    """``f (x=1) at a.c:3`` or ``f () from /lib/libc.so.6``."""
    if rest == "<signal handler called>":
        return _frame(rest, "")
    called, _, place = rest.rpartition(" at ")
    placed = position(place) if called.endswith(")") or address else None
    if placed is not None and called and _GDB_ARGUMENTS.search(called) is None:
        return _frame(called, placed[0], placed[1], placed[2])  # lldb, which prints no arguments
    if placed is None and not (address and called.endswith(")")):  # newer ones say "at" of a library as well
        called, _, place = rest.rpartition(" from ")
        if not called.endswith(")"):
            called, place = rest if address else "", ""
    arguments = _GDB_ARGUMENTS.search(called)
    if arguments is None or arguments.start() == 0:
        return None
    function = called[: arguments.start()].strip()
    return _frame(function, place) if placed is None else _frame(function, placed[0], placed[1])


def _lldb(module: str, rest: str) -> Frame | None:
    """``Cart::total(this=0x0) at cart.cpp:42:5`` or ``start + 2360`` of a module."""
    called, _, place = rest.rpartition(" at ")
    placed = position(place) if called else None
    if placed is None:
        return _frame(_without_offset(rest) or rest, module)
    called = _without_offset(called) or called
    return _frame(_LLDB_ARGUMENTS.sub("", called) or called, *placed)


def _boost(rest: str) -> Frame | None:
    """``f(int) at a.cpp:3`` or ``f(int) in ./program``."""
    if rest.endswith("]"):
        rest = rest.rpartition(" [0x")[0]
    function, _, place = rest.rpartition(" at ")
    placed = position(place) if function else None
    if placed is not None:
        return _frame(function, placed[0], placed[1])
    if function and place == ":0":
        return _frame(function, "")
    function, _, module = rest.rpartition(" in ")
    return _frame(function, module) if function and module else None


def _swift(rest: str) -> Frame | None:
    """``closure #1 in f() + 12 in App at /app/a.swift:3:4``."""
    front, _, place = rest.rpartition(" at ")
    placed = position(place) if front else None
    generated = bool(front) and place.startswith("/<")
    function, _, module = (front if placed is not None or generated else rest).rpartition(" in ")
    if not function or not module or " " in module:
        return None
    function = _without_offset(function) or function
    if placed is not None:
        return _frame(function, *placed)
    return _frame(function, place if generated else module)


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
    return _frame(function, *placed) if placed is not None else _frame(function, module)


def _without_offset(called: str) -> str | None:
    """``f() + 12`` -> ``f()``; None without an offset."""
    function, _, offset = called.rpartition(" + ")
    return function if function and offset.isdecimal() else None


def _frame(function: str, file: str, row: int | None = None, column: int | None = None) -> Frame | None:
    if function in _NO_NAMES or function.startswith("0x"):
        function = ""
    if not function and not file:
        return None
    return Frame(function or None, None, file or None, row, column, in_app.native(function, file))
