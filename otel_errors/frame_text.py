"""The lines of a traceback's frames, as Python prints them, made once for each place in the code.

Finding the source line and the columns under it is nine tenths of the price of a stack's text, and errors come again
from the places that they came from before. A file that changes under a running process keeps the lines that it had when
the place was first seen.
"""

from __future__ import annotations

import sys
import traceback
import weakref
from types import CodeType, TracebackType
from typing import Any, Final, NamedTuple

from otel_errors.safe_text import encodable, text_of

MAX_PLACES: Final = 4096
"""Past that all are forgotten, and made again when they come again."""
_PRINTED_REPEATS: Final = 3
"""The same line after itself is printed that often, then counted. As in the standard library."""

APPLICATION, _AT_THE_HEAD, _EVERYWHERE = 0, 1, 2
# Between the raise and the except clause of a span or hook without being part of the application. With the dot that
# ends the name of a package.
_MACHINERY = (
    "opentelemetry.trace.", "opentelemetry.sdk.", "opentelemetry.util.", "opentelemetry.context.", "otel_errors.",
)  # fmt: skip
_MACHINERY_AT_THE_HEAD = ("contextlib.", "wrapt.")


class Place(NamedTuple):
    """An instruction of a function. Keeps no object of the application alive."""

    code: weakref.ref[CodeType]
    text: str
    file: str
    line: int
    name: str
    """Of the function, as Python prints it."""
    function: str
    """Its qualified name with its module: ``shop.payments.Card.charge``."""
    machinery: int


class FrameLines(list[str]):
    """Stands in for a ``traceback.StackSummary``."""

    def format(self, **options: Any) -> list[str]:
        return self


_places: dict[tuple[int, int, int], Place] = {}
# Since 3.11 the instruction says which line; before, a traceback entry has its own.
_LINE_IS_OF_THE_INSTRUCTION = sys.version_info >= (3, 11)


def places_of(tb: TracebackType | None) -> list[Place]:
    """The frames of ``tb``, the raising one last, without those of OpenTelemetry's SDK and of this library, unless
    they are all there is or they raised it. May raise."""
    found: list[Place] = []
    entry = tb
    clean = True
    while entry is not None:
        place = _known(entry)
        if place is None:
            made, entry = _make(entry)
            found += made
            clean = clean and not any(place.machinery for place in made)
            continue
        if place.machinery:
            clean = False
        found.append(place)
        entry = entry.tb_next
    return found if clean else _without_machinery(found)


def lines_of(places: list[Place]) -> FrameLines:
    """As ``traceback.format_tb`` has them: repeated lines are folded."""
    lines = FrameLines()
    last: Place | None = None
    count = 0
    for place in places:
        if place is not last and (last is None or (place[2:5] != last[2:5])):
            if count > _PRINTED_REPEATS:
                lines.append(_repeated(count - _PRINTED_REPEATS))
            last, count = place, 0
        count += 1
        if count <= _PRINTED_REPEATS:
            lines.append(place.text)
    if count > _PRINTED_REPEATS:
        lines.append(_repeated(count - _PRINTED_REPEATS))
    return lines


def _repeated(more: int) -> str:
    return f"  [Previous line repeated {more} more time{'s' if more > 1 else ''}]\n"


def _without_machinery(places: list[Place]) -> list[Place]:
    own = [index for index, place in enumerate(places) if place.machinery == APPLICATION]
    if not own:
        return places
    first, last = own[0], own[-1]
    # What stands behind the last frame of the application was called by it, and raised.
    return [place for place in places[first:last] if place.machinery != _EVERYWHERE] + places[last:]


def _key(entry: TracebackType) -> tuple[int, int, int]:
    return id(entry.tb_frame.f_code), entry.tb_lasti, 0 if _LINE_IS_OF_THE_INSTRUCTION else entry.tb_lineno


def _known(entry: TracebackType) -> Place | None:
    place = _places.get(_key(entry))
    return place if place is not None and place.code() is entry.tb_frame.f_code else None


def _make(tb: TracebackType) -> tuple[list[Place], TracebackType | None]:
    """The places of ``tb`` and of what follows it, up to the next that is known, which is returned too. In one pass:
    the standard library looks once at each file, not once at each frame."""
    entries = [tb]
    following = tb.tb_next
    while following is not None and _known(following) is None:
        entries.append(following)
        following = following.tb_next
    # A limit, because without one `sys.tracebacklimit` counts, which is about what Python prints.
    summaries = traceback.extract_tb(tb, limit=len(entries))
    if len(_places) + len(entries) > MAX_PLACES:
        _places.clear()
    made: list[Place] = []
    for entry, summary in zip(entries, summaries, strict=True):
        function, machinery = function_of(entry)
        place = Place(
            weakref.ref(entry.tb_frame.f_code),
            encodable(_format(summaries, summary)),
            encodable(summary.filename),
            summary.lineno or 0,
            summary.name,
            function,
            machinery,
        )
        _places[_key(entry)] = place
        made.append(place)
    return made, following


def _format(summaries: traceback.StackSummary, summary: traceback.FrameSummary) -> str:
    if sys.version_info >= (3, 11):
        return summaries.format_frame_summary(summary)
    return "".join(traceback.StackSummary.from_list([summary]).format())


def function_of(entry: TracebackType) -> tuple[str, int]:
    """The qualified name with its module, and whether that is the application's or machinery around it."""
    code = entry.tb_frame.f_code
    function = encodable(getattr(code, "co_qualname", code.co_name))
    module = entry.tb_frame.f_globals.get("__name__")
    if not isinstance(module, str) or not module:
        return function, APPLICATION
    package = f"{text_of(module)[0]}."
    if package.startswith(_MACHINERY):
        machinery = _EVERYWHERE
    else:
        machinery = _AT_THE_HEAD if package.startswith(_MACHINERY_AT_THE_HEAD) else APPLICATION
    return package + function, machinery


def forget() -> None:
    """Every place is made again when it comes again."""
    _places.clear()


def known() -> int:
    """How many places are remembered."""
    return len(_places)
