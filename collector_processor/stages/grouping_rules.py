"""What a team says about its own code: whose a frame is, and where the caller tells two bugs apart.

A pattern with ``*`` or ``?`` is compared with the whole file (slashes forward) and with the whole qualified function.
Any other is a place in the code: a run of whole directories (``acme_platform``, ``libs/shared``), or the beginning of a
qualified name (``com.acme.platform``, ``github.com/acme/kit``), up to one of its separators.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import translate

from collector_processor.events import ExceptionNode, Frame
from collector_processor.settings import GroupingSettings


class GroupingRules:
    """Compared by identity, so that it can stand in the key of a cache. Any texts will do; ``settings`` refuses those
    that would match everything."""

    __slots__ = ("_exclude", "_include", "by_caller")

    def __init__(
        self, *, include: Sequence[str] = (), exclude: Sequence[str] = (), group_by_caller: Sequence[str] = ()
    ) -> None:
        """``include``: the application's, whatever the conventions say; ``exclude``: not the application's, and
        stronger. ``group_by_caller``: functions (as ``file:function``, or the function alone) or bare types."""
        self._include = _places(include)
        self._exclude = _places(exclude)
        self.by_caller = _named(group_by_caller)

    def judged(self, nodes: tuple[ExceptionNode, ...]) -> tuple[ExceptionNode, ...]:
        """The nodes with ``in_app`` as these rules have it; the same object when they say nothing."""
        if self._include is None and self._exclude is None:
            return nodes
        return tuple(
            ExceptionNode(node.type, node.message, node.parent, tuple(self._judge(frame) for frame in node.frames))
            for node in nodes
        )

    def _judge(self, frame: Frame) -> Frame:
        own = frame.in_app
        if not own and self._include is not None and self._include(frame):
            own = True
        if own and self._exclude is not None and self._exclude(frame):
            own = False
        if own == frame.in_app:
            return frame
        return Frame(frame.function, frame.module, frame.file, frame.line, frame.column, own)


def _places(patterns: Sequence[str]) -> Callable[[Frame], bool] | None:
    if not patterns:
        return None
    globs = [translate(text.replace("\\", "/")) for text in patterns if _is_glob(text)]
    plain = [re.escape(text.replace("\\", "/").strip("/")) for text in patterns if not _is_glob(text)]
    whole = re.compile("|".join(globs), re.DOTALL) if globs else None
    place = "|".join(plain)
    directory = re.compile(rf"(?:^|/)(?:{place})(?:/|$)") if plain else None
    beginning = re.compile(rf"(?:{place})(?:[./:$\\\[]|->|$)") if plain else None

    def matches(frame: Frame) -> bool:
        file, function = (frame.file or "").replace("\\", "/"), frame.function or ""
        if whole is not None and (whole.match(file) or (function and whole.match(function))):
            return True
        if directory is None or beginning is None:
            return False
        return directory.search(file) is not None or beginning.match(function.replace("\\", "/")) is not None

    return matches


def _named(patterns: Sequence[str]) -> Callable[[str, str], bool] | None:
    if not patterns:
        return None
    told = re.compile("|".join(translate(text) for text in patterns))

    def matches(key: str, bare_type: str) -> bool:
        file, _, function = key.partition(":")
        names = (key, f"{file.rpartition('/')[2]}:{function}", function, bare_type)
        return any(told.match(name) is not None for name in names if name)

    return matches


def _is_glob(text: str) -> bool:
    return "*" in text or "?" in text


DEFAULT_RULES = GroupingRules()


def rules_of(settings: GroupingSettings) -> GroupingRules:
    """The rules that the settings say."""
    return GroupingRules(
        include=settings.in_app.include, exclude=settings.in_app.exclude, group_by_caller=settings.group_by_caller
    )
