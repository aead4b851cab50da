"""What our library adds to an error for those who ask: local variables and source lines of frames, and what was logged
before (``otel_errors.frame_details``, ``otel_errors.last_log_records``). Read for the page; anybody may send anything
under these names. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from otel_errors.semconv import FRAMES, LAST_LOG_RECORDS

MAX_FRAMES: Final = 20
MAX_RECORDS: Final = 200
MAX_VALUE: Final = 500

T = TypeVar("T")


class SourceLines(msgspec.Struct, frozen=True):
    first_line: int
    lines: list[str]


class FrameDetails(msgspec.Struct, frozen=True):
    function: str = ""
    file: str = ""
    line: int = 0
    locals: dict[str, Any] = {}
    source: SourceLines | None = None

    @property
    def variables(self) -> list[tuple[str, str]]:
        """Name and value as text."""
        return [(name, _text(value)) for name, value in self.locals.items()]

    @property
    def numbered(self) -> list[tuple[int, str, bool]]:
        """Number, text, and whether it is the line that the frame was at."""
        if self.source is None:
            return []
        first = self.source.first_line
        return [(first + index, text, first + index == self.line) for index, text in enumerate(self.source.lines)]


class LoggedLine(msgspec.Struct, frozen=True):
    time: str = ""
    level: str = ""
    logger: str = ""
    message: str = ""


class Surroundings(msgspec.Struct, frozen=True):
    frames: list[FrameDetails]
    """The one that raised first."""
    logged: list[LoggedLine]
    """The oldest first."""
    other: dict[str, str]
    """The attributes that are none of the two, and those that cannot be read."""


def surroundings(attributes: Mapping[str, str]) -> Surroundings:
    """Does not raise."""
    frames = _read(attributes.get(FRAMES), list[FrameDetails])
    logged = _read(attributes.get(LAST_LOG_RECORDS), list[LoggedLine])
    read = {key for key, found in ((FRAMES, frames), (LAST_LOG_RECORDS, logged)) if found}
    other = {key: text for key, text in attributes.items() if key not in read}
    return Surroundings((frames or [])[:MAX_FRAMES], (logged or [])[-MAX_RECORDS:], other)


def _read(text: str | None, kind: type[T]) -> T | None:
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError):  # somebody else's, or redaction took a number out
        return None


def _text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "…"
