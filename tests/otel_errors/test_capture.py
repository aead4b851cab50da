"""An exception object becomes texts, whatever the object does."""

from __future__ import annotations

import sys
import traceback
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_errors.capture import CapturedException, capture
from otel_errors.safe_text import text_of
from otel_errors.stack_text import HEADER, MAX_MESSAGE_CHARACTERS, shorten

LIMIT = 64 * 1024


class Shop:
    class DeclinedError(Exception):
        pass


def raised(exc: BaseException) -> BaseException:
    try:
        raise exc
    except BaseException as error:
        return error


def taken(exc: BaseException, limit: int = LIMIT, characters: int | None = None) -> CapturedException:
    return capture(exc, max_stacktrace_bytes=limit, max_characters=characters)


def test_the_type_is_qualified_and_builtins_are_bare() -> None:
    assert taken(Shop.DeclinedError("x")).type == f"{__name__}.Shop.DeclinedError"
    assert taken(ValueError("x")).type == "ValueError"


def test_the_text_is_what_python_prints_and_the_site_is_the_raising_frame() -> None:
    def charge() -> None:
        try:
            raise KeyError("card")
        except KeyError as error:
            raise ValueError("declined") from error

    with pytest.raises(ValueError, match="declined") as info:
        charge()
    captured = taken(info.value)
    assert captured.stacktrace == "".join(traceback.format_exception(info.value))
    assert captured.message == "declined"
    assert captured.file == __file__
    assert captured.line > 0
    assert captured.function.startswith(f"{__name__}.")
    assert captured.function.endswith("charge")


def test_never_raised_has_no_site() -> None:
    captured = taken(ValueError("x"))
    assert (captured.function, captured.file, captured.line) == ("", "", 0)
    assert captured.stacktrace == "ValueError: x\n"


class RaisingStr(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


class ExitingStr(Exception):
    def __str__(self) -> str:
        raise SystemExit(3)


class NoText(Exception):
    def __str__(self) -> str:
        return 3  # type: ignore[return-value]  # noqa: PLE0307


class OddText(str):
    __slots__ = ()

    def __len__(self) -> int:
        raise RuntimeError("no")

    def isascii(self) -> bool:
        raise RuntimeError("no")


class OddStr(Exception):
    def __str__(self) -> str:
        return OddText("odd")


class Masked(Exception):
    __traceback__ = property(lambda self: 1 / 0)  # type: ignore[assignment]
    __cause__ = property(lambda self: 1 / 0)  # type: ignore[assignment]


class OddMeta(type):
    def __getattribute__(cls, name: str) -> Any:
        if name in ("__qualname__", "__module__", "__name__"):
            raise RuntimeError("no")
        return super().__getattribute__(name)


class OddName(Exception, metaclass=OddMeta):
    pass


class NoModule(Exception):
    __module__ = None  # type: ignore[assignment]


def circle() -> BaseException:
    one, two = raised(ValueError("one")), raised(ValueError("two"))
    one.__cause__, two.__cause__ = two, one
    return one


def long_chain(length: int) -> BaseException:
    top: BaseException = raised(ValueError("first"))
    for number in range(length):
        following = raised(KeyError(number))
        following.__context__ = top
        top = following
    return top


def deep() -> BaseException:
    def down() -> None:
        down()

    try:
        down()
    except RecursionError as error:
        return error
    raise AssertionError


def wide_group() -> BaseException:
    if sys.version_info < (3, 11):
        pytest.skip("groups came with 3.11")
    return raised(ExceptionGroup("many", [raised(ValueError(str(number))) for number in range(3000)]))  # noqa: F821


@pytest.mark.parametrize(
    "make",
    [
        lambda: raised(RaisingStr("x")),
        lambda: raised(ExitingStr("x")),
        lambda: raised(NoText("x")),
        lambda: raised(OddStr("x")),
        lambda: raised(Masked("x")),
        lambda: raised(OddName("x")),
        lambda: raised(NoModule("x")),
        lambda: raised(ValueError(RaisingStr())),
        lambda: raised(SyntaxError("bad", (RaisingStr(), "line", object(), None))),
        lambda: raised(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")),
        lambda: raised(ValueError("x" * 10_000_000)),
        lambda: raised(ValueError("ä" * 1_000_000)),
        lambda: raised(ValueError("lone \ud800 surrogate")),
        lambda: raised(ValueError("nul \x00")),
        circle,
        lambda: long_chain(5000),
        deep,
        wide_group,
    ],
)
def test_hostile_objects(make: Any) -> None:
    captured = taken(make())
    assert captured.type
    for text in (captured.type, captured.message, captured.stacktrace):
        text.encode()  # protobuf refuses lone surrogates
    assert 0 < len(captured.stacktrace.encode()) <= LIMIT
    assert len(captured.message) <= MAX_MESSAGE_CHARACTERS + 1


def test_a_giant_message_leaves_the_frames_in_the_text() -> None:
    captured = taken(raised(ValueError("x" * 10_000_000)))
    assert captured.stacktrace.startswith(HEADER)
    assert "in raised" in captured.stacktrace


def test_nothing_is_done_with_what_is_cut_off_of_a_giant_message() -> None:
    giant = "x" * 10_000_000
    error = raised(ValueError(giant))
    error.__cause__ = raised(KeyError("y"))
    error.__context__ = raised(LookupError(giant))
    if hasattr(error, "add_note"):
        error.add_note(giant)
    taken(error)  # the lines of the places are made now
    tracemalloc.start()
    try:
        captured = taken(error)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A copy of it anywhere, and the work of making that, would be 10,000,000.
    assert peak < 1_000_000
    assert captured.message == "x" * MAX_MESSAGE_CHARACTERS + "…"
    assert f"\nValueError: {captured.message}\n" in captured.stacktrace


def test_a_long_chain_keeps_the_nearest() -> None:
    text = taken(long_chain(5000)).stacktrace
    assert text.rstrip().endswith("KeyError: 4999")
    assert "KeyError: 4992\n\nDuring handling of the above" in text
    assert "KeyError: 4991" not in text


def test_at_the_recursion_limit() -> None:
    """The stack is full when capture is called; it may know little, it may not raise."""
    results = []

    def down() -> None:
        try:
            down()
        except RecursionError as error:
            if not results:
                results.append(taken(error))
            raise

    with pytest.raises(RecursionError):
        down()
    assert results[0].type == "RecursionError"


def test_shortening_keeps_the_tail_and_whole_frames() -> None:
    def down(depth: int) -> None:
        if depth == 0:
            raise LookupError("at the bottom")
        over(depth)

    def over(depth: int) -> None:
        down(depth - 1)  # two alternating frames: Python does not fold them

    with pytest.raises(LookupError) as info:
        down(150)
    captured = taken(info.value, limit=4096)
    lines = captured.stacktrace.splitlines()
    assert len(captured.stacktrace) <= 4096
    assert lines[0] + "\n" == HEADER
    assert "left out" in lines[1]
    assert lines[2].startswith('  File "')
    assert lines[-1] == "LookupError: at the bottom"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(1, 400), st.none() | st.integers(1, 400))
def test_shorten_is_within_both_limits_and_ends_like_the_text(text: str, size: int, characters: int | None) -> None:
    short = shorten(text, size, characters)
    assert len(short.encode()) <= size
    assert characters is None or len(short) <= characters
    if short == text:
        return
    tail = short.split("left out ...]\n")[-1]
    assert text.endswith(tail)


messages = st.text(alphabet=st.characters(), max_size=40)


@given(
    st.recursive(
        messages | st.binary(max_size=5) | st.none() | st.integers(), lambda inner: st.lists(inner, max_size=3)
    )
)
def test_any_argument(argument: Any) -> None:
    for kind in (ValueError, KeyError, OSError, UnicodeError, StopIteration, KeyboardInterrupt, Shop.DeclinedError):
        captured = taken(raised(kind(argument)))
        captured.stacktrace.encode()
        assert captured.message == text_of(kind(argument))[0]


@given(messages, st.integers(1024, 4096), st.integers(1, 3000))
def test_any_limit(message: str, size: int, characters: int) -> None:
    captured = taken(raised(ValueError(message * 50)), limit=size, characters=characters)
    assert len(captured.message) <= characters
    assert len(captured.stacktrace) <= characters
    assert len(captured.stacktrace.encode()) <= size


def test_text_of_an_exact_string_is_that_string() -> None:
    assert text_of("abc") == ("abc", True)
    assert text_of("a\ud800") == ("a?", True)
    assert text_of(RaisingStr())[1] is False
