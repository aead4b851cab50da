"""Local variables and source lines of the application's own frames, for those who switch that on.

A JSON list, the frame that raised first, outwards::

    [{"function": "shop.payments.charge", "file": "/srv/shop/payments.py", "line": 41,
      "locals": {"amount": 1250, "card": "<shop.cards.Card>", "api_key": "[redacted]"},
      "source": {"first_line": 40, "lines": ["def charge(amount, card):", "    raise Declined(card)"]}}]

Values are those of ``otel_errors.plain_values``; what stands under the key of a secret, or reads like one, is taken out
by ``otel_errors.details``.
"""

from __future__ import annotations

import json
import linecache
import os
import sysconfig
from collections import deque
from types import FrameType, FunctionType, ModuleType, TracebackType
from typing import Any, Final

from otel_errors.context_text import context_text
from otel_errors.details import safe_text_value
from otel_errors.frame_text import APPLICATION, function_of
from otel_errors.plain_values import PlainValues
from otel_errors.safe_text import text_of

MAX_FRAMES: Final = 8
"""The nearest ones to the raise."""
MAX_CHARACTERS: Final = 16 * 1024
MAX_LOCALS_CHARACTERS: Final = 4096
"""Of one frame."""
MAX_LOCALS: Final = 64
MAX_LINE_CHARACTERS: Final = 200

_LIBRARIES: Final = tuple(
    {
        os.path.join(path, "")
        for path in map(sysconfig.get_paths().get, ("stdlib", "platstdlib", "purelib", "platlib"))
        if path
    }
)


def frames_text(tb: TracebackType | None, *, variables: bool, source_lines: int, max_characters: int | None) -> str:
    """``""`` when no frame is the application's own, or none fits. May raise."""
    kept: deque[TracebackType] = deque(maxlen=MAX_FRAMES)
    while tb is not None:
        if _is_in_app(tb):
            kept.append(tb)
        tb = tb.tb_next
    left = MAX_CHARACTERS if max_characters is None else min(MAX_CHARACTERS, max_characters)
    left -= len("[]")
    texts: list[str] = []
    for entry in reversed(kept):
        text = _text(entry, variables, source_lines)
        if len(text) + 2 > left:
            break  # half of a JSON text is none
        texts.append(text)
        left -= len(text) + 2
    return f"[{', '.join(texts)}]" if texts else ""


def _text(entry: TracebackType, variables: bool, source_lines: int) -> str:
    frame = entry.tb_frame
    facts: dict[str, Any] = {
        "function": function_of(entry)[0],
        "file": text_of(frame.f_code.co_filename)[0],
        "line": entry.tb_lineno,
    }
    parts = [json.dumps(facts, ensure_ascii=False)[1:-1]]
    if variables:
        parts.append(f'"locals": {context_text(_variables(frame), MAX_LOCALS_CHARACTERS)}')
    if source_lines:
        source = _source(entry, source_lines)
        if source is not None:
            parts.append(f'"source": {json.dumps(source, ensure_ascii=False)}')
    return f"{{{', '.join(parts)}}}"


def _variables(frame: FrameType) -> dict[str, Any]:
    values = PlainValues()
    of_a_module = frame.f_code.co_name == "<module>"
    found: dict[str, Any] = {}
    for name, value in list(frame.f_locals.items()):
        if len(found) >= MAX_LOCALS:
            break
        # Of the interpreter, of pytest's rewritten assertions; and what a module is made of, not what it works with.
        if type(name) is not str or name.startswith(("__", "@", ".")):
            continue
        if of_a_module and isinstance(value, (ModuleType, FunctionType, type)):
            continue
        found[name] = values.of(value)
    return found


def _source(entry: TracebackType, around: int) -> dict[str, Any] | None:
    frame = entry.tb_frame
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    first = max(1, entry.tb_lineno - around)
    shown = lines[first - 1 : entry.tb_lineno + around]
    if not shown:
        return None
    return {
        "first_line": first,
        "lines": [safe_text_value(text_of(line)[0].rstrip("\r\n"), MAX_LINE_CHARACTERS) for line in shown],
    }


def _is_in_app(entry: TracebackType) -> bool:
    file = entry.tb_frame.f_code.co_filename
    if function_of(entry)[1] != APPLICATION or file.startswith("<frozen "):
        return False
    folded = file.replace("\\", "/")
    if "/site-packages/" in folded or "/dist-packages/" in folded:
        return False
    return not file.startswith(_LIBRARIES)
