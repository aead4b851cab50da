"""JSON lines in, JSON lines out: what ``fingerprint``, ``parameterize`` and ``redact`` share.

A bad line yields ``{"error": "…"}`` on that line and the rest goes on; the exit status says nothing about single lines.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, TextIO

_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "a boolean"),  # before numbers: a bool is an int
    ((int, float), "a number"),
    (str, "a text"),
    (list, "an array"),
    (dict, "an object"),
)


class BadLine(ValueError):
    """A line that cannot be processed; its text is the error that the line yields."""


def process_lines(
    process: Callable[[dict[str, Any]], dict[str, Any]], source: BinaryIO | None = None, sink: TextIO | None = None
) -> None:
    """Run ``process`` over each object of ``source`` (stdin), a result a line to ``sink`` (stdout), flushed per line
    when it is a terminal or pipe."""
    lines = source if source is not None else sys.stdin.buffer
    out = sink if sink is not None else sys.stdout
    for line in lines:
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode("utf-8-sig"))  # json's own guess takes some bytes for UTF-16
            if not isinstance(record, dict):
                raise BadLine(f"a JSON object is needed, got {kind(record)}")
            result = process(record)
        except BadLine as error:
            result = {"error": str(error)}
        except UnicodeDecodeError as error:
            result = {"error": f"not UTF-8: byte {error.start} is {line[error.start]:#04x}"}
        except (ValueError, RecursionError) as error:
            result = {"error": f"not a JSON object: {error}"}
        out.write(json.dumps(result, ensure_ascii=False).encode("utf-8", "replace").decode() + "\n")
        out.flush()


def text_field(record: dict[str, Any], name: str, *, required: bool = False) -> str:
    """The text under ``name``; absent or null is ``""`` unless required; anything else is a ``BadLine`` that names the
    key and the kind of value: what a line for ``redact`` holds must not be printed again."""
    value = record.get(name)
    if value is None:
        if required:
            raise BadLine(f"{name}: missing; a text is needed")
        return ""
    if not isinstance(value, str):
        raise BadLine(f"{name}: a text is needed, got {kind(value)}")
    return value


def kind(value: object) -> str:
    """What JSON calls a value of this kind, with its article."""
    for types, name in _KINDS:
        if isinstance(value, types):
            return name
    return "null"
