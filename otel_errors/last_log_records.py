"""What was logged before an error, by the same work, for those who switch that on (``OTEL_ERRORS_LAST_LOG_RECORDS``).

Kept in the scope: a request sees its own lines, a nested ``scope()`` those before it too. On the error they are a JSON
list, the oldest first::

    [{"time": "2026-11-25T09:15:02.114Z", "level": "INFO", "logger": "shop", "message": "charging 1250"}]
"""

from __future__ import annotations

import json
import logging
from typing import Final

from otel_errors import active
from otel_errors.details import one_line, safe_text_value
from otel_errors.guard import guarded
from otel_errors.log_lines import message_of, timestamp_of
from otel_errors.safe_text import text_of
from otel_errors.scope import change

MAX_CHARACTERS: Final = 8192
"""Of all on one error."""
MAX_MESSAGE_CHARACTERS: Final = 512
_NOT_OF_THE_APPLICATION: Final = ("otel_errors.internal", "opentelemetry")


def note(record: logging.LogRecord) -> None:
    """``record`` becomes the last one of the work at hand, as text: its arguments are not kept alive. Never raises."""
    with guarded("last log records") as go:
        reporter = active.instrumented() if go else None
        kept = reporter.settings.last_log_records if reporter is not None else 0
        if kept <= 0 or record.name.startswith(_NOT_OF_THE_APPLICATION):
            return
        text = record_text(record)
        change(lambda now: now._replace(log_records=(*now.log_records, text)[-kept:]))


def record_text(record: logging.LogRecord) -> str:
    """A JSON object."""
    return json.dumps(
        {
            "time": timestamp_of(record.created),
            "level": text_of(record.levelname)[0][:32],
            "logger": text_of(record.name)[0][:128],
            "message": one_line(safe_text_value(message_of(record), MAX_MESSAGE_CHARACTERS)),
        },
        ensure_ascii=False,
    )


def records_text(records: tuple[str, ...], max_characters: int | None) -> str:
    """The JSON list of the last ones that fit; ``""`` when none does."""
    left = MAX_CHARACTERS if max_characters is None else min(MAX_CHARACTERS, max_characters)
    left -= len("[]")
    fitting: list[str] = []
    for text in reversed(records):
        left -= len(text) + 2
        if left < 0:
            break
        fitting.append(text)
    return f"[{', '.join(reversed(fitting))}]" if fitting else ""
