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
        "goroutine 1 [running]:",
        "main.(*T).f(0x1, {0x2})",
        "\t/app/a.go:12 +0x1d",
        "/app/a.go:12 (0x4a1)",
        "panic: bad",
        "created by main.g in goroutine 1",
        "thread 'main' panicked at src/main.rs:4:5:",
        "thread 'main' panicked at 'bad', src/main.rs:4:5",
        "stack backtrace:",
        "   1: app::f::h0123456789abcdef",
        "             at ./src/main.rs:4:5",
        "    #0 0x55 in f(int, int) /app/a.cc:3:4",
        "    #1 0x56 in g (/lib/libc.so.6+0x1) (BuildId: 0a)",
        "#2  0x57 in h (x=1) at a.c:3",
        "#3  h () from /lib/libc.so.6",
        " 0# f(int) at /app/a.cpp:3",
        "4   App   0x0000000100000f10 f() + 12 (a.swift:3)",
        "0 [ra] 0x0000000100000f10 f() + 12 in App at /app/a.swift:3:4",
        "./app(f+0x1)[0x55]",
        "app/a.swift:3: Fatal error: bad",
        'Exception in thread "main" a.b.CError: bad',
        "\tat app//a.b.C.lambda$f$0(C.java:12) ~[a.jar:1.0]",
        "\tat a.b.C.f(C.kt:12)",
        "\tat a.b.C$.f(C.scala:12)",
        "Caused by: a.b.D: worse",
        "\tSuppressed: a.b.E: also",
        "\t... 12 more",
        "System.AggregateException: bad ---> A.B: worse",
        "   at A.B.<F>d__1.MoveNext() in /app/a.cs:line 3",
        "   --- End of inner exception stack trace ---",
        " ---> (Inner Exception #1) A.C: bad<---",
        "PHP Fatal error:  Uncaught A\\B: bad in /app/a.php:3",
        "exception 'A' with message 'bad' in /app/a.php:3",
        "#0 /app/a.php(3): A->f()",
        "#1 [internal function]: {closure}()",
        "#2 {main}",
        "Next A: worse in /app/a.php on line 3",
        "#0      A.f.<anonymous closure> (package:app/a.dart:3:4)",
        "package:app/a.dart 3:4  A.f",
        "** (ArgumentError) bad",
        "    (app 1.0.0) lib/a.ex:3: A.f/1",
        '{a,f,[1,2],[{file,"a.erl"},{line,3}]}',
        "a.rb:3:in 'A#f': bad (ArgumentError)",
        "\tfrom a.rb:3:in `block in f'",
        "a.b(uri:classloader:/a.rb:3)",
        "\x00\ud800",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(PIECES, max_size=25).map("\n".join),
    st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=15).map("\\n".join),
    st.lists(PIECES, max_size=15).map(lambda lines: "\r\n".join("app 12 | " + line for line in lines)),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    TEXTS,
    st.sampled_from(["", "webjs", "\x00", *(language.name for language in LANGUAGES)]),
    st.text(max_size=20),
    TEXTS,
)
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


@settings(max_examples=60, deadline=None, derandomize=True)
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


def test_a_module_alone_is_no_frame() -> None:
    """The one text of a million made by fuzzing that broke a rule: a frame of nothing."""
    (node,) = parse("E: x\n\tat a.B.c(B.java:1)\n\tat a.b/()\n\tat a.B.d(B.java:2)", "java").exceptions
    assert [frame.function for frame in node.frames] == ["a.B.c", "a.B.d"]
