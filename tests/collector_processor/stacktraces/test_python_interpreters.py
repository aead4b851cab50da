"""Frames, types, messages and chains equal what the interpreter itself says, for every Python that is installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from collector_processor.events import bare_type
from collector_processor.stacktraces import parse
from tests.collector_processor.stacktraces.programs import pythons, run_python

PROGRAMS = {
    "plain": """
class Outer:
    class CardDeclined(Exception): pass
def charge(x):
    raise Outer.CardDeclined("insufficient: funds\\nsecond line")
def main(): charge(
    1)
""",
    "no message": "def main(): raise ValueError\n",
    "direct cause": """
def lookup(): return {}["a"]
def main():
    try: lookup()
    except KeyError as e: raise RuntimeError("outer") from e
""",
    "context of a context": """
def a(): raise KeyError("a")
def b():
    try: a()
    except KeyError: raise ValueError("b")
def main():
    try: b()
    except ValueError: raise TypeError("c")
""",
    "cause that was never raised": 'def main(): raise ValueError("x") from OSError(2, "never raised")\n',
    "suppressed": """
def main():
    try: 1 / 0
    except ZeroDivisionError: raise ValueError("x") from None
""",
    "syntax error": 'def main(): exec("a b")\n',
    "message that looks like a stack": '''
def main():
    raise ValueError("""bad
Traceback (most recent call last):
  File "/evil.py", line 1, in evil
    pwn()
KeyError: 1

The above exception was the direct cause of the following exception:
""")
''',
    "lambda and comprehension": "def main(): return sorted([1, 2], key=lambda x: sum(1 / 0 for _ in [x]))\n",
    "chained calls over lines": """
def f(x): return x
def main():
    return (
        f(
            1
        )
        .upper()
    )
""",
    "unicode names": 'class Fehlér(Exception): pass\ndef größe(): raise Fehlér("zu groß: ö")\ndef main(): größe()\n',
    "library": "import json\ndef main(): json.loads('{bad')\n",
}

GROUPS = {
    "group": """
def one(): raise ValueError("one\\nmore")
def main():
    found = []
    for f in (one, lambda: {}["k"]):
        try: f()
        except Exception as e: found.append(e)
    found.append(TypeError("never raised"))
    raise ExceptionGroup("many", found)
""",
    "nested group with causes": """
def fail(x):
    try: {}[x]
    except KeyError as e: raise ValueError(x) from e
def grouped(*xs):
    found = []
    for x in xs:
        try: fail(x)
        except ValueError as e: found.append(e)
    raise ExceptionGroup("inner", found)
def main():
    found = []
    for call in (lambda: fail("c"), lambda: grouped("a", "b")):
        try: call()
        except Exception as e: found.append(e)
    raise ExceptionGroup("outer", [*found, OSError("last")]) from KeyError("cause")
""",
    "group as a cause": """
def main():
    try: raise ExceptionGroup("g", [ValueError(1), ExceptionGroup("h", [TypeError(2)])])
    except ExceptionGroup as g: raise RuntimeError("after") from g
""",
    "notes": """
def main():
    try: raise ValueError("x")
    except ValueError as e:
        e.add_note("a note")
        e.add_note("another: note")
        raise
""",
}


@pytest.mark.parametrize("interpreter", pythons())
def test_says_what_the_interpreter_says(interpreter: str, tmp_path: Path) -> None:
    programs = dict(PROGRAMS)
    if _version(interpreter) >= (3, 11):
        programs.update(GROUPS)
    for name, result in run_python(interpreter, programs, tmp_path).items():
        expected, text = result["nodes"], result["text"]
        outermost = expected[0]
        for language in ("python", ""):
            trace = parse(text, language, type=outermost["type"], message=outermost["message"])
            assert trace.language == "python", name
            assert [
                [[frame.function, frame.file, frame.line] for frame in node.frames] for node in trace.exceptions
            ] == [node["frames"] for node in expected], f"{interpreter}: {name}\n{text}"
            assert [node.parent for node in trace.exceptions] == [node["parent"] for node in expected], name
            assert [bare_type(node.type or "") for node in trace.exceptions] == [node["type"] for node in expected]
            assert trace.exceptions[0].message == outermost["message"], name
            if name not in ("message that looks like a stack", "syntax error"):
                said = [node.message for node in trace.exceptions[1:]]
                assert said == [node["message"] for node in expected[1:]], name


def _version(interpreter: str) -> tuple[int, ...]:
    code = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return tuple(int(part) for part in done.stdout.split())


@pytest.mark.parametrize("interpreter", pythons()[-1:])
def test_the_same_frames_through_every_wrapping(interpreter: str, tmp_path: Path) -> None:
    text = run_python(interpreter, {"": PROGRAMS["direct cause"]}, tmp_path)[""]["text"]
    plain = parse(text)
    prefixed = "\n".join(f"2026-11-24T10:00:{i:02d}.123Z web.1 | {line}" for i, line in enumerate(text.split("\n")))
    first_only = "2026-11-24 10:00:00 ERROR shop: " + text
    wrappings = {
        "CRLF": text.replace("\n", "\r\n"),
        "escaped": text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"),
        "each line prefixed": prefixed,
        "first line prefixed": first_only,
        "coloured": text.replace("Traceback", "\x1b[1mTraceback\x1b[0m").replace(", line", "\x1b[0m, line\x1b[1;35m"),
    }
    for name, wrapped in wrappings.items():
        got = parse(wrapped)
        assert [node.frames for node in got.exceptions] == [node.frames for node in plain.exceptions], name
        assert [node.type for node in got.exceptions] == [node.type for node in plain.exceptions], name
