"""Type and message of the lines that stand before a stack's first frame, in languages that head a stack with
``Type: message``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.events import bare_type
from collector_processor.stacktraces.text import LOG_LEVELS

MAX_SEGMENTS = 6
"""Of a line between colons: what a log puts before the type has a few."""
MAX_HEADER_LINES = 64
_TYPE = re.compile(r"[A-Za-z_][\w$`+\\]*(?:(?:\.|::|/)[\w$`+\\]+)*")
_ANNOUNCED = tuple(
    f"{word} {noun}" for word in ("Unhandled", "Uncaught", "Fatal") for noun in ("Exception", "exception")
)
"""What stands before a type and is none."""
_ANNOUNCING = tuple(word + "." for word in _ANNOUNCED)
"""What .NET says before a type, whatever its name."""
_NAMED = ("Error", "Exception", "Throwable", "Failure", "Fault", "Timeout", "Interrupt")


def split_header(header: Sequence[str], type_: str) -> tuple[str | None, str | None]:
    """(type, message): the first line that has the record's type or one that is named like an error, else the first
    line of the form ``qualified.Name: message``. What precedes the type on its line is a log's."""
    wanted = bare_type(type_)
    lines_ = [line for line in header[-MAX_HEADER_LINES:] if line.strip()]
    weak: tuple[str, str] | None = None
    for index, line in enumerate(lines_):
        rest = line.strip()
        for segment in range(MAX_SEGMENTS):
            said, colon, message = rest.partition(":")
            name = said.rstrip().rpartition(" ")[2]
            if name.startswith("0x") or name.endswith(")"):  # System.Web.HttpException (0x80004005)
                name = said.partition(" (")[0].rpartition(" ")[2]
            if _TYPE.fullmatch(name[:256]) and name not in LOG_LEVELS and not said.endswith(_ANNOUNCED):
                whole = "\n".join([message.removeprefix(" "), *lines_[index + 1 :]]).rstrip()
                sure = said[: -len(name)].rstrip(" ").endswith(_ANNOUNCING)
                if sure or (wanted and bare_type(name) == wanted) or name.endswith(_NAMED):
                    return name, whole
                if weak is None and segment == 0 and said == name and "." in name and not message[:1].isdigit():
                    weak = (name, whole)
            if not colon:
                break
            rest = message
    if weak is not None:
        return weak
    return None, "\n".join(lines_).strip() or None
