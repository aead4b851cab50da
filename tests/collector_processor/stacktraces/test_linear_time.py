"""64 KB of anything cost little, and four times as much text costs four times as much, not sixteen.

Times are CPU times of this process, and the bar is another piece of work of the same process: neither a slow machine
nor a loaded one changes what is compared. No line of one measurement is the same as one of another, so that nothing
is remembered.
"""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Callable
from itertools import count

import pytest

from collector_processor.stacktraces import LANGUAGES, parse
from collector_processor.stacktraces.language import Language
from collector_processor.stacktraces.text import MAX_CHARACTERS, MAX_LINES, SHORTENED, lines

LARGE = MAX_CHARACTERS - 16
SMALL = LARGE // 4
GROWTH = 5
"""Of the time for four times the text, and a unit: what a text has once weighs more in a small one."""
MOST = 12
"""Units (``reference``) for the greatest length."""
TRIES = 5
WORD = re.compile("[a-z]+")

NEAR = {
    "python": [
        '  File "',
        '  File "a", line 1',
        "  +-",
        "  + Exception Group Traceback (most recent call last):\n  | ",
        "Traceback (most recent call last):\nValueError: ",
        'Fatal Python error: x\n(most recent call first):\n  File "a", line 1 in ',
    ],
    "javascript": [
        "  at ",
        "at f (eval at ",
        "f@",
        "f@a line 1 > eval",
        "  [cause]: ",
        "x  at f (a:1:2)\n",
        "at f (a:1:2) {\n [errors]: [\n",
    ],
    "rust": [
        "  1:   0x1 - ",
        "   at ",
        "thread 'a' panicked at ",
        "thread 'a' panicked at '",
        "stack backtrace:\n  1: a\n at a:",
    ],
    "go": ["\t/a.go:1 +0x1 a=0x", "\t", "goroutine 1 [", "panic: ", "/a.go:1 (0x", "panic in ", "created by "],
    "java": ["\tat a.b(a.java:1) [", "\tat ", "\tat a.b(a.java:1) ", "Caused by: ", "\tSuppressed: ", "\tat a/"],
    "dotnet": [
        " at A.B() in ",
        " at A.B(",
        " ---> ",
        " at A.B() [0x1] in ",
        "---> (Inner Exception #1) ",
        "  bei A.B() in ",
        "at A.B in ",
        "A:B (",
    ],
    "php": [
        "#0 a(",
        "Stack trace:\n#0 a(1): b\nNext A: ",
        "exception 'A' with message '",
        "#0 a(1): ",
        "Next A: x in ",
        "Stack trace: #0 a(1): b #1 ",
        "[previous exception] [object] (A(code: 0): ",
    ],
    "dart": ["#0   ", "#0 f (", "a.dart 1:1  ", "#0 f (package:a:1", "#0 abs 01234567 ", "a.dart  "],
    "elixir": [
        "  (a 1.0) ",
        "{a,b,1,[{file,",
        "** (EXIT from a) ",
        "a.ex:",
        "in function ",
        "{a,b,[",
        "{A, :b, [",
        '{A, :b, 1, [file: "',
        "    A.b(",
    ],
    "ruby": ["a.rb:1:in 'f': ", "from a.rb:1:in `", "a.b(", "A (", "a.rb:1: x (", "(eval at "],
    "swift": ["#0 ", "#0 0x1 in ", "0 a 0x123456 ", "0 0x123456 f in a at ", "0 a ", "0 [a] [b] 0x123456 f in "],
    "native": [
        "#0 0x1 in f (",
        " 0# ",
        "0# f in a [0x",
        "a(b+0x1) [0x",
        "Fatal error: ",
        "#0 f (x) at ",
        "#0 0x1 f [",
        "==1== at 0x1234: f (",
        "#0 pc 0123456 ",
    ],
}
NEAR["scala"] = NEAR["java"][:2]  # one reader has the three
NEAR["kotlin"] = [*NEAR["scala"], " at 0 a 0x123456 kfun:", "Wrapped by: "]
FRAGMENTS = [
    *(" ", "\t", "(", "[]", "{", ":1", "1:", "a.", "a ", "'", '"', "-", "<", "at ", " in ", " (a:1)", "''', "),
    *(") in :1", " at a:1 ", ".go:1 ", "lambda$", "(eval at ", "{a,b,1,[", " ---> "),
]
LINES = ["\n", "\r", "\\n", "a\n", " \n", "  at \n", "#0 \n", "Caused by: \n", "\tat a.b(a.java:1)\n", "1:\n", "---\n"]

_salt = count()


def near_frames(start: str, fragment: str, width: int) -> Callable[[int], str]:
    def text(size: int) -> str:
        salt = next(_salt)
        body = (start + fragment * (width // len(fragment)))[:width]
        # Whole lines: the beginning of one may be a frame, with which the reading ends early.
        return "\n".join(f"{body}{salt}x{number}" for number in range(size // (width + 12)))

    return text


def one_line(fragment: str) -> Callable[[int], str]:
    return lambda size: (str(next(_salt)) + fragment * (size // len(fragment)))[:size]


def cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def reference() -> float:
    """Some 5 ms on the machine where a stack text of 64 KB may take 60."""
    text = "at shop.payments.charge (payments:12) " * 3300
    return cpu(lambda: [match[0].upper() for match in WORD.finditer(text)])


def held(work: Callable[[str], object], text: Callable[[int], str]) -> str:
    """``""``, or by how much the bars were missed in every one of the tries."""
    small = large = unit = float("inf")
    for _ in range(TRIES):
        texts = text(SMALL), text(LARGE)
        large = min(large, cpu(lambda: work(texts[1])))  # noqa: B023  # called here
        unit = min(unit, UNIT)
        if large < unit:  # nothing that grows faster than the text is this cheap at the greatest length
            return ""
        small = min(small, cpu(lambda: work(texts[0])))  # noqa: B023
        if large <= GROWTH * small + unit and large <= MOST * unit:
            return ""
        unit = min(unit, reference())
    return f"{small * 1000:.1f} ms -> {large * 1000:.1f} ms, {large / unit:.1f} units"


UNIT = min(reference() for _ in range(3))


@pytest.fixture(autouse=True)
def _no_collection() -> object:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def read_by(language: Language) -> Callable[[str], object]:
    return lambda text: (language.looks_like(text), language.parse(text, ""))


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_near_frames_to_their_own_reader(language: Language) -> None:
    missed = {
        (start, fragment): said
        for number, start in enumerate(NEAR[language.name])
        for fragment in FRAGMENTS[number % 3 :: 3]
        if (said := held(read_by(language), near_frames(start, fragment, 2000)))
    }
    assert not missed


@pytest.mark.parametrize("name", [language.name for language in LANGUAGES])
def test_near_frames_told_and_not_told(name: str) -> None:
    missed = {
        (told, start, fragment, width): said
        for told in ("", name)
        for number, start in enumerate(NEAR[name])
        for fragment in FRAGMENTS[number % 8 :: 8]
        for width in (100, 900)
        if (said := held(lambda text, told=told: parse(text, told), near_frames(start, fragment, width)))  # type: ignore[misc]
    }
    assert not missed


@pytest.mark.parametrize("name", ["", *(language.name for language in LANGUAGES)])
def test_one_line_and_many_lines(name: str) -> None:
    missed = {
        fragment: said
        for fragment in ([*FRAGMENTS, *LINES] if not name else [*FRAGMENTS[::3], *LINES[::2]])
        if (said := held(lambda text: parse(text, name, type="Error", message="x"), one_line(fragment)))
    }
    assert not missed


def test_a_text_of_line_ends_keeps_head_and_tail() -> None:
    found = lines("first\n" + "\n" * 60_000 + "last")
    assert len(found) == MAX_LINES
    assert (found[0], found[-1]) == ("first", "last")
    assert SHORTENED in found
    assert len(lines("\n".join(found))) == MAX_LINES
