"""The stack's text is what Python prints, from frames whose lines are made once."""

from __future__ import annotations

import gc
import sys
import threading
import traceback
import types
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_errors import frame_text
from otel_errors.capture import capture


def text_of(exc: BaseException) -> str:
    return capture(exc, max_stacktrace_bytes=1024 * 1024).stacktrace


def printed(exc: BaseException) -> str:
    return "".join(traceback.format_exception(exc))


def module(source: str, file: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "shop"}
    exec(compile(source, file, "exec"), namespace)
    return namespace


def caught(work: Callable[[], object]) -> BaseException:
    try:
        work()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def recursion(depth: int) -> None:
    if depth:
        recursion(depth - 1)
    raise ValueError("bottom")


def raise_with(cause: bool, context: bool, suppressed: bool) -> None:
    try:
        recursion(2)
    except ValueError as error:
        problem = KeyError("outer")
        if context:
            try:
                raise problem from (error if cause else None)
            except KeyError as again:
                if suppressed:
                    raise LookupError("last") from None
                raise LookupError("last") from (again if cause else None)
        raise problem from (error if cause else None)


def note() -> None:
    error = ValueError("x")
    if sys.version_info >= (3, 11):
        error.add_note("first\nsecond")
    raise error


def group() -> None:
    if sys.version_info < (3, 11):
        pytest.skip("groups came with 3.11")
    members = [caught(lambda depth=number: recursion(depth)) for number in range(20)]
    inner = caught(lambda: (_ for _ in ()).throw(ExceptionGroup("inner", members[:2])))  # noqa: F821
    raise ExceptionGroup("many", [*members, inner]) from ValueError("why")  # noqa: F821


def misspelt() -> None:
    some_name = 1
    print(some_nam, some_name)  # noqa: F821


def long_line() -> None:
    return (
        {"a": 1}
        ["b"]
        + 2
    )  # fmt: skip


SHAPES: list[Callable[[], object]] = [
    *(lambda depth=depth: recursion(depth) for depth in (0, 1, 2, 3, 4, 5, 50)),
    *(
        lambda flags=flags: raise_with(*flags)
        for flags in [(a, b, c) for a in (True, False) for b in (True, False) for c in (True, False)]
    ),
    note,
    group,
    misspelt,
    long_line,
    lambda: compile("def f(:\n", "nowhere.py", "exec"),
    lambda: int("x") + 1,
    lambda: (_ for _ in ()).throw(ValueError("")),
    lambda: exec("raise ValueError('no source')"),
]


@pytest.mark.parametrize("work", SHAPES)
def test_the_text_is_what_python_prints_the_first_time_and_again(work: Callable[[], object]) -> None:
    frame_text.forget()
    for _ in range(3):
        error = caught(work)
        assert text_of(error) == printed(error)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=25))
def test_any_mix_of_repeated_frames(path: list[int]) -> None:
    functions = [lambda rest, number=number: functions[rest[0]](rest[1:]) if rest else 1 / 0 for number in range(6)]
    error = caught(lambda: functions[path[0]](path[1:]))
    assert text_of(error) == printed(error)


def test_a_change_of_the_file_does_not_change_a_place_that_was_seen(tmp_path: Path) -> None:
    file = tmp_path / "changing.py"
    file.write_text("def fail():\n    raise ValueError('as it was')\n")
    fail = module(file.read_text(), str(file))["fail"]
    first = text_of(caught(fail))
    file.write_text("# a line more\n# a line more, and other code\n")
    assert "raise ValueError('as it was')" in first
    assert text_of(caught(fail)) == first


def test_no_code_is_kept_alive_and_another_at_its_address_is_not_mistaken_for_it() -> None:
    frame_text.forget()
    for number in range(200):
        fail = module(f"def fail_{number}():\n    raise ValueError\n", "<made>")[f"fail_{number}"]
        reference = weakref.ref(fail.__code__)
        assert f"in fail_{number}\n" in text_of(caught(fail))
        del fail
        gc.collect(0)
    gc.collect()
    assert reference() is None


def test_the_memory_for_places_is_bounded() -> None:
    frame_text.forget()
    source = "\n".join(f"def fail_{number}():\n    raise ValueError" for number in range(frame_text.MAX_PLACES + 500))
    functions = module(source, "<many>")
    for number in range(frame_text.MAX_PLACES + 500):
        text_of(caught(functions[f"fail_{number}"]))
    assert frame_text.known() <= frame_text.MAX_PLACES


def of_the_sdk(function: Callable[..., Any], name: str = "opentelemetry.sdk.trace") -> Callable[..., Any]:
    return types.FunctionType(
        function.__code__, {**function.__globals__, "__name__": name}, None, None, function.__closure__
    )


@pytest.mark.parametrize("name", ["opentelemetry.sdk.trace", "opentelemetry.trace", "otel_errors.middleware.asgi"])
def test_frames_of_the_sdk_and_ours_are_left_out_wherever_they_stand(name: str) -> None:
    def inner() -> None:
        raise ValueError("x")

    def between() -> None:
        inner()

    hidden = of_the_sdk(between, name)

    def outer() -> None:
        hidden()

    def head() -> None:
        outer()

    error = caught(of_the_sdk(head, name))
    assert [name for name in ("head", "outer", "between", "inner") if f", in {name}\n" in printed(error)] == [
        "head", "outer", "between", "inner",
    ]  # fmt: skip
    assert [name for name in ("head", "outer", "between", "inner") if f", in {name}\n" in text_of(error)] == [
        "outer", "inner",
    ]  # fmt: skip


def test_frames_of_the_sdk_of_a_cause_are_left_out_too() -> None:
    def fail() -> None:
        raise KeyError("cause")

    hidden = of_the_sdk(lambda: fail())

    def work() -> None:
        try:
            hidden()
        except KeyError as error:
            raise LookupError("outer") from error

    error = caught(work)
    assert text_of(error).count('  File "') == printed(error).count('  File "') - 1


def test_frames_of_the_sdk_stay_where_they_raised() -> None:
    def fail() -> None:
        raise ValueError("x")

    raising = of_the_sdk(fail)
    error = caught(lambda: raising())
    assert text_of(error) == printed(error)


def test_only_frames_of_the_sdk() -> None:
    def fail() -> None:
        raise ValueError("x")

    error = caught(of_the_sdk(fail))
    error.__traceback__ = error.__traceback__.tb_next if error.__traceback__ else None
    assert text_of(error) == printed(error)
    assert ", in fail\n" in text_of(error)


def test_a_limit_for_pythons_own_tracebacks_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "tracebacklimit", 1, raising=False)
    frame_text.forget()
    assert text_of(caught(lambda: recursion(2))).count('  File "') == 6


def test_from_many_threads_at_once() -> None:
    frame_text.forget()
    expected = printed(caught(lambda: recursion(1))).splitlines()[3:]
    results: list[list[str]] = []

    def work() -> None:
        for _ in range(50):
            frame_text.forget()
            results.append(text_of(caught(lambda: recursion(1))).splitlines()[3:])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result for result in results if result[-5:] != expected[-5:]] == []
    assert len(results) == 400
