"""Real traces: a program of each toolchain that this machine has, run until it fails."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from collector_processor.stacktraces import StackTrace, parse

JAVA = """public class Shop {
  static void charge(int amount) {
    throw new IllegalStateException("declined");
  }
  public static void main(String[] arguments) {
    try {
      charge(1);
    } catch (IllegalStateException cause) {
      throw new RuntimeException("order failed", cause);
    }
  }
}
"""
RUST = """fn charge(amount: i32) -> i32 {
    let limits: Vec<i32> = Vec::new();
    limits[amount as usize]
}

fn main() {
    println!("{}", charge(3));
}
"""


def failing(directory: Path, *commands: list[str], **environment: str) -> str:
    """What the last command prints to stderr; those before it have to succeed."""
    run = subprocess.CompletedProcess[str]([], 0, "", "")
    for command in commands:
        assert run.returncode == 0, run.stderr
        run = subprocess.run(  # a program that this test wrote
            command,
            cwd=directory,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={**os.environ, "HOME": str(directory), **environment},
        )
    assert run.returncode != 0
    return run.stderr


def needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}, which is not installed")


def places(trace: StackTrace, node: int = 0) -> list[tuple[str | None, str, int | None]]:
    return [
        (frame.function, Path(frame.file or "").name, frame.line)
        for frame in trace.exceptions[node].frames
        if frame.in_app
    ]


@pytest.mark.parametrize("language", ["java", ""])
def test_java(tmp_path: Path, language: str) -> None:
    needs("javac", "java")
    (tmp_path / "Shop.java").write_text(JAVA)
    trace = parse(failing(tmp_path, ["javac", "Shop.java"], ["java", "-cp", ".", "Shop"]), language)
    assert trace.language == "java"
    outer, cause = trace.exceptions
    assert (outer.type, outer.message) == ("java.lang.RuntimeException", "order failed")
    assert (cause.type, cause.message, cause.parent) == ("java.lang.IllegalStateException", "declined", 0)
    assert places(trace) == [("Shop.main", "Shop.java", 9)]
    assert places(trace, 1) == [("Shop.charge", "Shop.java", 3), ("Shop.main", "Shop.java", 7)]


@pytest.mark.long
def test_rust(tmp_path: Path) -> None:
    needs("rustc")
    (tmp_path / "shop.rs").write_text(RUST)
    text = failing(tmp_path, ["rustc", "-g", "shop.rs"], ["./shop"], RUST_BACKTRACE="1", HOME=str(Path.home()))
    for language in ("rust", ""):
        trace = parse(text, language)
        assert trace.language == "rust"
        assert "index out of bounds" in (trace.exceptions[0].message or "")
        assert places(trace)[:2] == [("shop::charge", "shop.rs", 3), ("shop::main", "shop.rs", 7)]
