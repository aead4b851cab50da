"""The application's own calls. They work without the instrumentor; nothing that they are given makes them raise."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Mapping

from otel_errors import active, origin
from otel_errors.emit import Occurrence
from otel_errors.guard import guarded, log
from otel_errors.report import report, report_message
from otel_errors.safe_text import text_of
from otel_errors.semconv import SEVERITIES, Severity
from otel_errors.stack_text import MAX_MESSAGE_CHARACTERS


def capture_exception(
    exc: BaseException | None,
    *,
    handled: bool,
    severity: Severity | None,
    tags: Mapping[str, str] | None,
    mechanism: str = "capture_exception",
) -> str | None:
    with guarded("capture_exception") as go:
        reporter = active.for_explicit_calls() if go else None
        error: object = exc if exc is not None else sys.exc_info()[1]
        if reporter is None or error is None:
            return None
        if not isinstance(error, BaseException):
            log.warning("capture_exception: %.80r is not an exception; nothing is recorded", text_of(error)[0])
            return None
        where = origin.here()
        occurrence = Occurrence(mechanism, bool(handled), where, severity=_severity(severity), tags=_tags(tags))
        return report(reporter, error, occurrence, span=where.span) or None
    return None


def capture_message(text: str, *, severity: Severity | None, tags: Mapping[str, str] | None) -> str | None:
    with guarded("capture_message") as go:
        reporter = active.for_explicit_calls() if go else None
        message = text_of(text)[0][:MAX_MESSAGE_CHARACTERS]
        if reporter is None or not message:
            return None
        where = origin.here()
        occurrence = Occurrence("capture_message", True, where, severity=_severity(severity), tags=_tags(tags))
        event_id = uuid.uuid4().hex
        return event_id if report_message(reporter, message, occurrence, event_id, where.span) else None
    return None


def _severity(wish: object) -> Severity | None:
    if wish is None:
        return None
    for word in SEVERITIES:
        if wish == word:
            return word
    log.warning("severity: %.80r: one of %s is needed; the processor decides instead", wish, ", ".join(SEVERITIES))
    return None


def _tags(tags: object) -> Mapping[str, str]:
    if tags is None or isinstance(tags, Mapping):
        return tags or {}
    log.warning("tags: %.80r: a mapping of names to texts is needed; they are left out", text_of(tags)[0])
    return {}
