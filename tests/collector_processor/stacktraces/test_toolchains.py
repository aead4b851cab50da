"""Real traces: a program of each toolchain that this machine has, run until it fails.

``sources/`` holds the programs. Each says in its comments what its stack has to be: ``<<1.0 Shop.pay @12>>`` on a line
is frame 0 of exception 1, in that function, on that line, in column 12 (``@-``: the language prints no line here).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from collector_processor.stacktraces import StackTrace, parse

SOURCES = Path(__file__).parent / "sources"
_MARK = re.compile(r"<<(\d+)\.(\d+) (.*?)(?: @(\d+|-))?>>(?=\s|\*/|$)")
_RUBY_CLASS = re.compile(r"(?<=^)[A-Z][\w:]*[#.](?=\S)")


class Program(NamedTuple):
    language: str
    source: str
    commands: tuple[tuple[str, ...], ...]
    """The last one fails and prints the stack to standard error."""
    exceptions: tuple[tuple[str | None, str], ...]
    """Type, and what the message begins with."""
    environment: dict[str, str] = {}  # noqa: RUF012  # never changed


PROGRAMS = {
    "java": Program(
        "java",
        "Shop.java",
        (("javac", "Shop.java"), ("java", "-cp", ".", "Shop")),
        (
            ("Shop$Declined", "declined\nby the bank"),
            ("java.lang.IllegalStateException", "till jammed"),
            ("java.lang.IllegalArgumentException", "too much: 2"),
        ),
    ),
    "rust": Program(
        "rust",
        "shop.rs",
        (("rustc", "-g", "shop.rs"), ("./shop",)),
        (("panic", "index out of bounds: the len is 1 but the index is 7"),),
        {"RUST_BACKTRACE": "1"},
    ),
    "rust, all frames": Program(
        "rust",
        "shop.rs",
        (("rustc", "-g", "shop.rs"), ("./shop",)),
        (("panic", "index out of bounds: the len is 1 but the index is 7"),),
        {"RUST_BACKTRACE": "full"},
    ),
    "C++ with AddressSanitizer": Program(
        "native",
        "shop.cc",
        (("g++", "-g", "-O1", "-fno-omit-frame-pointer", "-fsanitize=address", "shop.cc", "-o", "shop"), ("./shop",)),
        ((None, ""),),
        {"ASAN_OPTIONS": "detect_leaks=0"},
    ),
    "ruby": Program(
        "ruby",
        "shop.rb",
        (("ruby", "shop.rb"),),
        (("Shop::Declined", "declined\nby the bank"), ("TypeError", "nil can't be coerced into Integer")),
    ),
    "php": Program(
        "php",
        "shop.php",
        (("php", "-d", "display_errors=stderr", "-d", "log_errors=0", "shop.php"),),
        (("Shop\\Declined", "declined"), ("DomainException", "no price in 'list' (1)")),
    ),
    "elixir": Program("elixir", "shop.exs", (("elixir", "shop.exs"),), (("Shop.Declined", "declined"),)),
    "Mono": Program(
        "dotnet",
        "Shop.cs",
        (("mcs", "-debug", "Shop.cs"), ("mono", "--debug", "Shop.exe")),
        (("Shop.Declined", "declined"), ("System.InvalidOperationException", "no price")),
    ),
}
SLOW_PROGRAMS = {
    "go": Program(
        "go",
        "shop.go",
        (("go", "build", "shop.go"), ("./shop",)),
        (("panic", "runtime error: index out of range [5] with length 1"),),
        {"GOFLAGS": "-mod=mod", "GO111MODULE": "off"},
    ),
    "kotlin": Program(
        "kotlin",
        "shop.kt",
        (("kotlinc", "shop.kt", "-d", "classes"), ("kotlin", "-cp", "classes", "shop.ShopKt")),
        (("shop.Declined", "declined"), ("java.lang.IllegalArgumentException", "too much")),
    ),
    "scala": Program(
        "scala",
        "shop.scala",
        (("scalac", "shop.scala", "-d", "classes"), ("scala", "-cp", "classes", "shop.Main")),
        (("shop.Declined", "declined"), ("java.lang.IllegalArgumentException", "too much")),
    ),
}


def needs(*programs: str) -> None:
    for program in programs:
        if not program.startswith("./") and shutil.which(program) is None:
            pytest.skip(f"needs {program}, which is not installed")


def failing(directory: Path, *commands: tuple[str, ...], **environment: str) -> str:
    """What the last command prints to standard error; those before it have to succeed."""
    needs(*(command[0] for command in commands))
    run = subprocess.CompletedProcess[str]([], 0, "", "")
    for command in commands:
        assert run.returncode == 0, run.stderr
        run = subprocess.run(  # a program that stands in this directory
            command,
            cwd=directory,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            encoding="utf-8",
            env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
        )
    assert run.returncode != 0
    return run.stderr


def copied(source: str, directory: Path) -> str:
    (directory / "classes").mkdir()
    (directory / source).write_text(text := (SOURCES / source).read_text(encoding="utf-8"), encoding="utf-8")
    return text


Place = tuple[str | None, int | None, int | None]


def expected(source: str) -> list[list[Place]]:
    """By exception: function, line, and column where the source asks for one."""
    found: dict[tuple[int, int], Place] = {}
    for number, line in enumerate(source.split("\n"), start=1):
        for node, index, function, column in _MARK.findall(line):
            row = None if column == "-" else number
            found[int(node), int(index)] = (function, row, int(column) if column.isdecimal() else None)
    nodes = sorted({node for node, _ in found})
    return [[found[key] for key in sorted(found) if key[0] == node] for node in nodes]


def own_frames(trace: StackTrace, source: str) -> list[list[Place]]:
    """What the trace says of the program's own file, by exception."""
    return [
        [(frame.function, frame.line, frame.column) for frame in node.frames if Path(frame.file or "").name == source]
        for node in trace.exceptions
    ]


def without_versions(frames: list[list[Place]], language: str) -> list[list[Place]]:
    """Ruby 3.4 puts the class in front of the method, Rust a hash behind it when it prints all."""

    def name(function: str | None) -> str | None:
        if language == "ruby":
            return _RUBY_CLASS.sub("", function or "")
        return re.sub(r"::h[0-9a-f]{16}$|\[[0-9a-f]{16}\]", "", function or "") if language == "rust" else function

    return [[(name(function), line, column) for function, line, column in node] for node in frames]


def check(program: Program, directory: Path) -> None:
    source = copied(program.source, directory)
    text = failing(directory, *program.commands, **program.environment)
    wanted = expected(source)
    for told in (program.language, ""):
        trace = parse(text, told)
        assert trace.language == program.language, text
        got = own_frames(trace, program.source)
        if program.language != "rust":  # the only one here that prints columns
            assert all(column is None for node in got for _, _, column in node)
        assert without_versions(got, program.language) == wanted, text
        assert len(trace.exceptions) == len(program.exceptions)
        for node, (type_, message) in zip(trace.exceptions, program.exceptions, strict=True):
            assert type_ is None or node.type == type_
            assert (node.message or "").startswith(message)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str, tmp_path: Path) -> None:
    check(PROGRAMS[name], tmp_path)


@pytest.mark.long  # half a minute where nothing of the language is built yet
@pytest.mark.parametrize("name", SLOW_PROGRAMS)
def test_slow_program(name: str, tmp_path: Path) -> None:
    check(SLOW_PROGRAMS[name], tmp_path)


@pytest.mark.parametrize("debugger", ["gdb", "valgrind"])
def test_c_under_a_debugger(debugger: str, tmp_path: Path) -> None:
    """Both print to what they like: the program itself prints nothing."""
    needs("gcc", debugger)
    source = copied("shop.c", tmp_path)
    commands = {
        "gdb": ("gdb", "-batch", "-nx", "-ex", "run", "-ex", "bt", "./shop"),
        "valgrind": ("valgrind", "-q", "./shop"),
    }
    subprocess.run(("gcc", "-g", "-O0", "shop.c", "-o", "shop"), cwd=tmp_path, check=True, timeout=120)
    run = subprocess.run(
        commands[debugger],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "DEBUGINFOD_URLS": ""},
    )
    text = run.stdout + run.stderr
    if "ptrace" in text and "Operation not permitted" in text:
        pytest.skip("needs a kernel that lets a debugger trace")
    for told in ("native", ""):
        trace = parse(text, told)
        assert trace.language == "native"
        assert own_frames(trace, "shop.c") == expected(source), text


def test_c_and_glibc(tmp_path: Path) -> None:
    """glibc knows the module and the exported names, no lines."""
    needs("gcc")
    copied("backtrace.c", tmp_path)
    text = failing(tmp_path, ("gcc", "-g", "-rdynamic", "backtrace.c", "-o", "shop"), ("./shop",))
    for told in ("native", ""):
        trace = parse(text, told)
        frames = trace.exceptions[0].frames
        assert trace.language == "native"
        assert [(frame.function, frame.file, frame.line) for frame in frames[:3]] == [
            (name, "./shop", None) for name in ("charge", "pay", "main")
        ]
