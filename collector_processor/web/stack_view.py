"""A stack as a reader wants it: exceptions as nested sections, own frames in the open, runs of library frames folded
away. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

import msgspec

from collector_processor.events import ExceptionNode, Frame

MAX_EXCEPTIONS: Final = 50
MAX_FRAMES: Final = 400
"""Of one exception; a stack overflow has thousands that repeat. The raw text below the frames has them all."""
MAX_DEPTH: Final = 12
"""Of nested sections; deeper ones are shown at this depth."""


class ShownFrame(msgspec.Struct, frozen=True):
    """A frame and how many times it stands in a row: of a recursion one line is enough."""

    frame: Frame
    times: int
    source: str = ""
    """The address of its line in the repository, http or https; ``""`` when that is not known."""


class FrameRun(msgspec.Struct, frozen=True):
    """Neighbouring frames that are shown alike."""

    frames: tuple[ShownFrame, ...]
    folded: bool
    """Frames of libraries and of the runtime: behind a summary that tells their number."""


class ExceptionView(msgspec.Struct, frozen=True):
    """One exception with what caused it, or what it groups."""

    type: str
    message: str
    runs: tuple[FrameRun, ...]
    left_out: int
    """Frames past the limit."""
    children: tuple[ExceptionView, ...]


class StackView(msgspec.Struct, frozen=True):
    exceptions: tuple[ExceptionView, ...]
    """Outermost; usually one."""
    left_out: int
    """Exceptions past the limit."""

    @property
    def has_frames(self) -> bool:
        return any(_has_frames(one) for one in self.exceptions)


SourceOf = Callable[[Frame], "str | None"]


def _no_source(frame: Frame) -> None:
    return None


def stack_view(nodes: Sequence[ExceptionNode], source_of: SourceOf = _no_source) -> StackView:
    """Sections for ``nodes`` (outermost first, ``parent`` an index into them). A parent that does not come before its
    child counts as none. ``source_of`` gives a frame's address in the repository."""
    kept = nodes[:MAX_EXCEPTIONS]
    children: dict[int | None, list[int]] = {}
    depth: list[int] = []
    parents: list[int | None] = []
    for index, node in enumerate(kept):
        parent = node.parent if node.parent is not None and 0 <= node.parent < index else None
        if parent is not None and depth[parent] >= MAX_DEPTH - 1:
            parent = parents[parent]
        parents.append(parent)
        depth.append(0 if parent is None else depth[parent] + 1)
        children.setdefault(parent, []).append(index)
    views: dict[int, ExceptionView] = {}
    for index in range(len(kept) - 1, -1, -1):  # children stand behind their parents
        views[index] = _view(kept[index], tuple(views[child] for child in children.get(index, ())), source_of)
    return StackView(tuple(views[index] for index in children.get(None, ())), left_out=len(nodes) - len(kept))


def without_repeats(frames: Sequence[Frame]) -> list[ShownFrame]:
    """Equal neighbours put together."""
    return [ShownFrame(frame, sum(1 for _ in equal)) for frame, equal in groupby(frames)]


def frame_runs(frames: Sequence[ShownFrame]) -> tuple[FrameRun, ...]:
    """Neighbours that are alike in ``in_app``, put together. Where no frame is the application's own, none is folded:
    there is nothing to prefer."""
    fold = any(one.frame.in_app for one in frames)
    runs = groupby(frames, key=lambda one: one.frame.in_app)
    return tuple(FrameRun(tuple(run), folded=fold and not in_app) for in_app, run in runs)


def _view(node: ExceptionNode, children: tuple[ExceptionView, ...], source_of: SourceOf) -> ExceptionView:
    frames = without_repeats(node.frames)
    kept = frames if len(frames) <= MAX_FRAMES else [*frames[: MAX_FRAMES // 2], *frames[-MAX_FRAMES // 2 :]]
    shown = [ShownFrame(one.frame, one.times, source_of(one.frame) or "") for one in kept]
    return ExceptionView(
        type=node.type or "",
        message=node.message or "",
        runs=frame_runs(shown),
        left_out=len(node.frames) - sum(one.times for one in shown),
        children=children,
    )


def _has_frames(view: ExceptionView) -> bool:
    return bool(view.runs) or any(_has_frames(child) for child in view.children)
