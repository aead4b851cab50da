"""Python texts that no interpreter prints any more, or that were cut on the way."""

from __future__ import annotations

import pytest

from collector_processor.stacktraces import parse

WHOLE = """Traceback (most recent call last):
  File "/app/a.py", line 1, in outer
    inner()
    ~~~~~^^
  File "/app/b.py", line 22, in inner
    raise ValueError("bad")
ValueError: bad"""

FUNCTIONS = ["inner", "outer"]


def functions(text: str, **known: str) -> list[str | None]:
    return [frame.function for frame in parse(text, "python", **known).exceptions[0].frames]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("whole", WHOLE),
        ("header twice", "Traceback (most recent call last):\n" + WHOLE),
        ("type in front", "ValueError: bad\n" + WHOLE),
        ("type in front only", "ValueError: bad\n" + "\n".join(WHOLE.split("\n")[1:-1])),
        ("head cut off", "\n".join(WHOLE.split("\n")[1:])),
        ("tail cut off", WHOLE.rpartition("\n")[0]),
        (
            "cut by our library",
            WHOLE.replace("last):\n", "last):\n  [... 9 characters, the first ones left out ...]\n"),
        ),
        ("a log around it", f"starting\nERROR: x\n{WHOLE}\n\ndone\nINFO: bye"),
        ("another trace before", WHOLE.replace("inner", "other").replace("ValueError", "OSError") + "\n\n" + WHOLE),
    ],
)
def test_frames_of(name: str, text: str) -> None:
    trace = parse(text, "python", type="ValueError", message="bad")
    assert [frame.function for frame in trace.exceptions[0].frames] == FUNCTIONS, name
    assert trace.exceptions[0].type == "ValueError"
    assert trace.exceptions[0].message == "bad"


def test_frame_says_file_line_and_whose_code_it_is() -> None:
    frame = parse(WHOLE).exceptions[0].frames[0]
    assert (frame.file, frame.line, frame.column, frame.module, frame.in_app) == ("/app/b.py", 22, None, None, True)


def test_repeated_lines_are_not_made_up() -> None:
    repeated = '  File "/app/b.py", line 22, in inner\n    inner()\n'
    text = WHOLE.replace(repeated[:3], repeated[:3], 0).replace(
        '  File "/app/b.py"', repeated * 3 + "  [Previous line repeated 99999999 more times]\n" + '  File "/app/b.py"'
    )
    assert functions(text) == ["inner"] * 4 + ["outer"]


def test_the_record_fills_what_the_text_lost() -> None:
    cut = WHOLE[: WHOLE.index("raise")]
    exception = parse(cut, "python", type="shop.Declined", message="no funds").exceptions[0]
    assert (exception.type, exception.message) == ("shop.Declined", "no funds")


def test_of_several_stacks_the_one_that_the_record_names() -> None:
    other = WHOLE.replace("inner", "later").replace("ValueError", "OSError")
    assert functions(f"{WHOLE}\n{other}", type="ValueError") == ["inner", "outer"]
    assert functions(f"{WHOLE}\n{other}") == ["later", "outer"]


def test_the_stack_of_a_worker_process_is_the_cause() -> None:
    text = f'''concurrent.futures.process._RemoteTraceback:{" "}
"""
{WHOLE}
"""

The above exception was the direct cause of the following exception:

{WHOLE.replace("inner", "result")}'''
    trace = parse(text, "python", type="ValueError", message="bad")
    assert [[frame.function for frame in node.frames] for node in trace.exceptions] == [["result", "outer"], FUNCTIONS]
    assert trace.exceptions[1].message == "bad"


def test_a_group_without_its_head() -> None:
    text = """  |   File "/app/g.py", line 3, in run
  |     raise ExceptionGroup("g", found)
  | ExceptionGroup: g (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/g.py", line 9, in task
    |     raise ValueError(1)
    | ValueError: 1
    +------------------------------------"""
    trace = parse(text)
    assert [(node.type, node.parent) for node in trace.exceptions] == [("ExceptionGroup", None), ("ValueError", 0)]
    assert trace.exceptions[1].frames[0].function == "task"


def test_members_that_python_did_not_print() -> None:
    text = """  + Exception Group Traceback (most recent call last):
  |   File "/app/g.py", line 3, in run
  | ExceptionGroup: g (17 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: 1
    +---------------- ... ----------------
    | and 16 more exceptions
    +------------------------------------"""
    assert [node.type for node in parse(text).exceptions if node.type] == ["ExceptionGroup", "ValueError"]
