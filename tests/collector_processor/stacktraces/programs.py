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

try:
    main()
except BaseException as exc:
    text = "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
    print(json.dumps({"text": text, "nodes": nodes(exc, None, [])}))
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


def run_python(interpreter: str, source: str, directory: Path) -> dict[str, Any]:
    """``source`` defines ``main``, which raises -> the printed text, and the exceptions as Python knows them."""
    program = directory / "program.py"
    program.write_text(source + _RUN, encoding="utf-8")
    done = subprocess.run(
        [interpreter, str(program)], capture_output=True, text=True, timeout=60, check=True, encoding="utf-8"
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


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
