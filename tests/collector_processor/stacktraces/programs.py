"""Programs that raise, run by real interpreters, and what the interpreters themselves say about it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

_RUN = """
import json, sys, traceback

def nodes(exc, parent, found):
    here = len(found)
    frames = [[f.name, f.filename, f.lineno] for f in reversed(traceback.extract_tb(exc.__traceback__))]
    found.append({"type": type(exc).__name__, "message": str(exc), "parent": parent, "frames": frames})
    cause = exc.__cause__
    if cause is None and not exc.__suppress_context__:
        cause = exc.__context__
    if cause is not None:
        nodes(cause, here, found)
    for member in getattr(exc, "exceptions", ()):
        nodes(member, here, found)
    return found

found = {}
for name, path in json.load(sys.stdin).items():
    space = {"__name__": "__main__"}
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), path, "exec"), space)
    try:
        space["main"]()
    except BaseException as exc:
        text = "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
        found[name] = {"text": text, "nodes": nodes(exc, None, [])}
print(json.dumps(found))
"""


def pythons() -> list[str]:
    """Every Python from 3.8 on that pyenv keeps here, else the one that runs the tests."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {}
    for binary in versions.glob("3.*/bin/python"):
        number = tuple(int(part) for part in binary.parents[1].name.split(".")[:2] if part.isdigit())
        if number >= (3, 8):
            found[number] = str(binary)
    return [found[number] for number in sorted(found)] or [sys.executable]


def run_python(interpreter: str, sources: dict[str, str], directory: Path) -> dict[str, dict[str, Any]]:
    """Each source defines ``main``, which raises -> by name: the text, and the exceptions as Python knows them."""
    paths = {}
    for number, (name, source) in enumerate(sources.items()):
        path = directory / f"program{number}.py"
        path.write_text(source, encoding="utf-8")
        paths[name] = str(path)
    runner = directory / "runner.py"
    runner.write_text(_RUN, encoding="utf-8")
    done = subprocess.run(
        [interpreter, str(runner)],
        input=json.dumps(paths),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        encoding="utf-8",
    )
    results: dict[str, dict[str, Any]] = json.loads(done.stdout)
    assert set(results) == set(sources)
    return results


def node() -> str | None:
    return shutil.which("node")


def run_node(source: str, directory: Path, *, name: str = "program.js") -> str:
    """The standard output of a Node program."""
    program = directory / name
    program.write_text(source, encoding="utf-8")
    binary = node()
    assert binary is not None
    done = subprocess.run([binary, str(program)], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout
