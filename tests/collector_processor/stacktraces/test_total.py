"""Any text in, no exception out, and never more than the bounds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from collector_processor.stacktraces import LANGUAGES, parse
from collector_processor.stacktraces.language import MAX_EXCEPTIONS
from collector_processor.stacktraces.text import MAX_CHARACTERS, bounded, cut_message

PIECES = st.sampled_from(
    [
        "Traceback (most recent call last):",
        "  + Exception Group Traceback (most recent call last):",
        "  | Exception Group Traceback (most recent call last):",
        '  File "/app/a.py", line 3, in f',
        '  File "/app/a.py", line 3',
        '  |   File "/app/a.py", line 3, in f',
        "    source()",
        "ValueError: bad",
        "  | ValueError: bad",
        "The above exception was the direct cause of the following exception:",
        "During handling of the above exception, another exception occurred:",
        "  +-+---------------- 1 ----------------",
        "    +---------------- 2 ----------------",
        "    +------------------------------------",
        "",
        "  [Previous line repeated 9999999999 more times]",
        "Error: x",
        "    at f (/app/a.js:1:2) {",
        "    at async Promise.all (index 0)",
        "    at eval (eval at f (eval at g (a.js:1:2), <anonymous>:1:1), <anonymous>:3:4)",
        "    at f (wasm://wasm/a1:wasm-function[3]:0x12),",
        "  [cause]: Error: y",
        "  [errors]: [",
        "  ]",
        "}",
        "f@http://h/a.js line 3 > eval:1:2",
        "@[native code]",
        "    ... 7 lines matching cause stack trace ...",
        "caused by: Error: z",
        "\ue000message\ue000",
        "\x00\ud800",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(PIECES, max_size=25).map("\n".join),
    st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=15).map("\\n".join),
    st.lists(PIECES, max_size=15).map(lambda lines: "\r\n".join("app 12 | " + line for line in lines)),
)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from(["", "python", "nodejs", "webjs", "java", "\x00"]), st.text(max_size=20), TEXTS)
def test_any_text(text: str, language: str, type_: str, message: str) -> None:
    trace = parse(text, language, type=type_, message=message)
    assert len(trace.exceptions) <= MAX_EXCEPTIONS
    for index, node in enumerate(trace.exceptions):
        assert (node.parent is None) == (index == 0)
        assert node.parent is None or 0 <= node.parent < index
        for frame in node.frames:
            assert frame.function is not None or frame.file is not None
    if trace.exceptions and message:
        assert trace.exceptions[0].message == message


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.text(max_size=10))
def test_every_reader_alone(text: str, type_: str) -> None:
    for language in LANGUAGES:
        language.looks_like(text)
        for node in language.parse(text, type_):
            for frame in node.frames:
                assert isinstance(language.function_key(frame.function or ""), str)


def test_a_long_text_loses_its_middle_once() -> None:
    text = "Traceback (most recent call last):\n" + '  File "/app/a.py", line 3, in f\n    f()\n' * 9000 + "E: x"
    short = bounded(text)
    assert len(short) <= MAX_CHARACTERS < len(text)
    assert bounded(short) == short
    trace = parse(text)
    assert trace.exceptions[0].type == "E"
    assert {frame.line for frame in trace.exceptions[0].frames} == {3}


def test_a_message_that_is_a_stack_is_a_message() -> None:
    message = 'bad\n  File "/evil.py", line 1, in evil\nThe above exception was the direct cause of the following'
    text = f'Traceback (most recent call last):\n  File "/app/a.py", line 3, in f\n    x\nE: {message}'
    assert [frame.function for frame in parse(text, type="E", message=message).exceptions[0].frames] == ["f"]
    assert message not in cut_message(text, message)
    script = f"Error: {message}\n    at evil (/evil.js:1:1)\n    at f (/app/a.js:3:4)"
    frames = (
        parse(script, "nodejs", type="Error", message=message + "\n    at evil (/evil.js:1:1)").exceptions[0].frames
    )
    assert [frame.function for frame in frames] == ["f"]


def test_deep_groups_and_long_chains_end() -> None:
    deep = "  + Exception Group Traceback (most recent call last):\n  | ExceptionGroup: g\n"
    for depth in range(1, 400):
        pad = "  " * depth
        deep += f"{pad}+-+---------------- 1 ----------------\n{pad}  | ExceptionGroup: g{depth}\n"
    assert 1 < len(parse(deep, "python").exceptions) <= MAX_EXCEPTIONS
    link = (
        'Traceback (most recent call last):\n  File "a.py", line 1, in f\nE: x\n\n'
        "During handling of the above exception, another exception occurred:\n\n"
    )
    assert len(parse(link * 500 + link[:70], "python").exceptions) == MAX_EXCEPTIONS
    nested = "Error: a\n    at f (a.js:1:1) {\n" + "".join(f"{'  ' * d}[cause]: Error: b\n" for d in range(1, 500))
    assert len(parse(nested, "nodejs").exceptions) <= MAX_EXCEPTIONS
