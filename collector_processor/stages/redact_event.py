"""Take out of an ``ErrorEvent`` what must not be kept: every text of it, each under the key that it came under."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from collector_processor.events import ErrorEvent
from collector_processor.stages.pseudonym import pseudonym
from otel_errors import semconv

Redact = Callable[[str, str | None], tuple[str, int]]
"""(text, key) → the clean text and how many pieces were taken out of it."""

KEYS: Final[dict[str, str | None]] = {
    "service_name": semconv.SERVICE_NAME,
    "service_namespace": semconv.SERVICE_NAMESPACE,
    "release": semconv.SERVICE_VERSION,
    "environment": semconv.DEPLOYMENT_ENVIRONMENT_NAME,
    "type": semconv.EXCEPTION_TYPE,
    "message": semconv.EXCEPTION_MESSAGE,
    "stacktrace": semconv.EXCEPTION_STACKTRACE,
    "language": None,
    "mechanism": semconv.MECHANISM,
    "error_code": semconv.ERROR_CODE,
    "support_reference": semconv.SUPPORT_REFERENCE,
    "raise_site": None,
    "culprit": None,
    "title": None,
}
"""Field → attribute key. The ids of trace and span are hexadecimal by then, fingerprint and digests are ours."""

_CUT_WORD: Final = re.compile(r"(?:[0-9A-Z]{2,6}[ -]){0,8}\S{1,300}…\Z")
"""The last word before a cut, and groups of a number in front of it: ``4111 1111 11…``."""


def redacted_event(event: ErrorEvent, redact: Redact, pseudonym_key: bytes) -> ErrorEvent:
    """A copy of ``event`` that may be written; ``redacted`` is raised by the number of pieces taken out."""
    changes: dict[str, object] = {}
    total = 0
    for field, key in KEYS.items():
        text = getattr(event, field)
        if not text:
            continue
        clean, count = _clean(text, key, redact)
        total += count
        if clean != text:
            changes[field] = clean
    if event.event_id:
        _, count = redact(event.event_id, semconv.EVENT_ID)
        if count:
            # A replacement word in its place would make one error of all of them.
            changes["event_id"] = pseudonym(pseudonym_key, event.event_id)
            total += count
    changes["tags"], count = _clean_map(event.tags, semconv.TAG_PREFIX, redact)
    total += count
    changes["attributes"], count = _clean_map(event.attributes, "", redact)
    total += count
    return msgspec.structs.replace(event, redacted=event.redacted + total, **changes)


def _clean_map(values: dict[str, str], prefix: str, redact: Redact) -> tuple[dict[str, str], int]:
    clean_values: dict[str, str] = {}
    total = 0
    for name, text in values.items():
        clean_name, in_name = redact(name, None)
        clean, in_text = _clean(text, prefix + name, redact)
        clean_values[clean_name] = clean
        total += in_name + in_text
    return clean_values, total


def _clean(text: str, key: str | None, redact: Redact) -> tuple[str, int]:
    clean, count = redact(text, key)
    if clean.endswith("…"):
        # Normalising cut it, and half an address at the cut is not recognised as one.
        clean = _CUT_WORD.sub("…", clean)
    return clean, count
