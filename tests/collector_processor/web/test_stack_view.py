from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector_processor.events import ExceptionNode, Frame
from collector_processor.web.stack_view import MAX_DEPTH, ExceptionView, frame_runs, stack_view, without_repeats


def depth_of(view: ExceptionView) -> int:
    return 1 + max((depth_of(child) for child in view.children), default=0)


def count_of(view: ExceptionView) -> int:
    return 1 + sum(count_of(child) for child in view.children)


def test_library_frames_between_own_ones_are_folded() -> None:
    own = [Frame(function=f"own {n}", in_app=True) for n in range(2)]
    library = [Frame(function=f"library {n}") for n in range(3)]
    runs = frame_runs(without_repeats([*library[:2], *own, library[2]]))
    assert [(len(run.frames), run.folded) for run in runs] == [(2, True), (2, False), (1, True)]


def test_a_recursion_is_one_line() -> None:
    walk, call = Frame(function="walk", line=14, in_app=True), Frame(function="call", in_app=True)
    (view,) = stack_view([ExceptionNode(type="RecursionError", frames=(*[walk] * 900, call, walk))]).exceptions
    assert [(one.frame.function, one.times) for one in view.runs[0].frames] == [("walk", 900), ("call", 1), ("walk", 1)]
    assert view.left_out == 0


def test_without_an_own_frame_nothing_is_folded() -> None:
    runs = frame_runs(without_repeats([Frame(function="a"), Frame(function="b")]))
    assert [(len(run.frames), run.folded) for run in runs] == [(2, False)]


def test_causes_stand_under_what_they_caused() -> None:
    view = stack_view(
        [ExceptionNode(type="Outer"), ExceptionNode(type="Cause", parent=0), ExceptionNode(type="Root", parent=1)]
    )
    (outer,) = view.exceptions
    assert outer.children[0].children[0].type == "Root"
    assert not view.has_frames


def test_a_group_keeps_the_order_of_its_parts() -> None:
    nodes = [ExceptionNode(type="Group")] + [ExceptionNode(type=f"Part {n}", parent=0) for n in range(3)]
    assert [part.type for part in stack_view(nodes).exceptions[0].children] == ["Part 0", "Part 1", "Part 2"]


def test_a_stack_overflow_is_shown_by_both_ends() -> None:
    frames = tuple(Frame(function=f"f{n}", in_app=True) for n in range(5_000))
    (view,) = stack_view([ExceptionNode(type="RecursionError", frames=frames)]).exceptions
    assert view.left_out == 4_600
    assert view.runs[0].frames[0].frame.function == "f0"
    assert view.runs[-1].frames[-1].frame.function == "f4999"


def test_a_long_chain_is_not_nested_without_end() -> None:
    view = stack_view([ExceptionNode(parent=n - 1 if n else None) for n in range(50)])
    assert depth_of(view.exceptions[0]) == MAX_DEPTH
    assert count_of(view.exceptions[0]) == 50


@given(st.lists(st.one_of(st.none(), st.integers(min_value=-3, max_value=80)), max_size=80))
def test_any_parents_give_each_exception_once(parents: list[int | None]) -> None:
    view = stack_view([ExceptionNode(parent=parent) for parent in parents])
    assert sum(count_of(one) for one in view.exceptions) + view.left_out == len(parents)
    assert all(depth_of(one) <= MAX_DEPTH for one in view.exceptions)
