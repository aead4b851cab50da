"""Everything that is said of an error, as the attributes of whatever carries it, with the names of
``otel_errors.semconv``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from otel_errors import semconv
from otel_errors.active import Reporter
from otel_errors.admission import last_word
from otel_errors.app_errors import BaseAppError
from otel_errors.capture import CapturedException, capture
from otel_errors.config import Settings
from otel_errors.context_text import MAX_CHARACTERS, context_text
from otel_errors.current_request import current_request
from otel_errors.emit import Occurrence
from otel_errors.guard import tell_failure
from otel_errors.origin import Origin
from otel_errors.references import reference_of
from otel_errors.release import missing_attributes
from otel_errors.scope import with_tags
from otel_errors.span_facts import flags_of, request_of
from otel_errors.stack_text import traceback_of
from otel_errors.user_identity import user_attributes

AttributeValue = str | bool | int
DETAILS = "details"
"""The context that an error's own facts are."""


def describe(
    reporter: Reporter, exc: BaseException, occurrence: Occurrence, event_id: str, max_characters: int | None
) -> tuple[Occurrence, CapturedException, Mapping[str, Any] | None]:
    """``exc`` read once; the attributes are None when ``before_send`` does not want it. ``max_characters`` is the SDK's
    limit for an attribute's value. May raise: callers guard."""
    settings = reporter.settings
    captured = capture(exc, max_stacktrace_bytes=settings.max_stacktrace_bytes, max_characters=max_characters)
    if occurrence.severity is None and captured.severity is not None:
        # What the exception says of itself decides the severity number too.
        occurrence = replace(occurrence, severity=captured.severity)
    attributes = {
        **_of_the_exception(captured),
        **_of_the_occurrence(occurrence, event_id, reporter, max_characters),
        **_of_an_app_error(exc, max_characters),
        **_of_the_frames(exc, settings, max_characters),
    }
    return occurrence, captured, last_word(settings, attributes, exc)


def describe_message(
    reporter: Reporter, text: str, occurrence: Occurrence, event_id: str, max_characters: int | None
) -> Mapping[str, Any] | None:
    """The same of an error that is not an exception."""
    message = text if max_characters is None else text[:max_characters]
    attributes = {
        semconv.EXCEPTION_MESSAGE: message,
        **_of_the_occurrence(occurrence, event_id, reporter, max_characters),
    }
    return last_word(reporter.settings, attributes, None)


def _of_the_exception(captured: CapturedException) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {
        semconv.EXCEPTION_TYPE: captured.type,
        semconv.EXCEPTION_MESSAGE: captured.message,
        semconv.EXCEPTION_STACKTRACE: captured.stacktrace,
        semconv.CODE_FUNCTION_NAME: captured.function,
        semconv.CODE_FILE_PATH: captured.file,
        semconv.CODE_LINE_NUMBER: captured.line,
        semconv.ERROR_CODE: captured.error_code,
    }
    return {key: value for key, value in attributes.items() if value or key == semconv.EXCEPTION_MESSAGE}


def _of_an_app_error(exc: BaseException, max_characters: int | None) -> dict[str, AttributeValue]:
    """The facts that an error of ``otel_errors.app_errors`` was raised with, whoever handles it."""
    try:
        if not isinstance(exc, BaseAppError) or not exc.details:
            return {}
        limit = MAX_CHARACTERS if max_characters is None else min(max_characters, MAX_CHARACTERS)
        return {semconv.CONTEXT_PREFIX + DETAILS: context_text(exc.details, limit)}
    except Exception:  # a subclass that never called __init__
        return {}


def _of_the_occurrence(
    occurrence: Occurrence, event_id: str, reporter: Reporter, max_characters: int | None
) -> dict[str, AttributeValue]:
    origin = occurrence.origin
    attributes: dict[str, AttributeValue] = {
        semconv.EVENT_ID: event_id,
        semconv.SUPPORT_REFERENCE: reference_of(event_id),
        semconv.HANDLED: occurrence.handled,
        semconv.MECHANISM: occurrence.mechanism,
        semconv.THREAD_ID: origin.thread_id,
        semconv.THREAD_NAME: origin.thread_name,
        **user_attributes(origin.scope.user, reporter.settings),
    }
    if origin.task_name:
        attributes[semconv.TASK_NAME] = origin.task_name
    if occurrence.severity is not None:
        attributes[semconv.SEVERITY] = occurrence.severity
    for key, value in with_tags(origin.scope.tags, occurrence.tags).items():
        attributes[semconv.TAG_PREFIX + key] = value
    for key, value in origin.scope.contexts.items():
        attributes[semconv.CONTEXT_PREFIX + key] = value
    attributes.update(_found_around(origin, reporter, max_characters))
    return attributes


def _found_around(origin: Origin, reporter: Reporter, max_characters: int | None) -> dict[str, AttributeValue]:
    """What the process, the spans and the frameworks know."""
    found: dict[str, AttributeValue] = {}
    try:
        found.update(missing_attributes(reporter.settings.release, reporter.providers()))
        found.update(request_of(origin) or (current_request() if origin.live else {}))
        for key, value in flags_of(origin).items():
            found[semconv.FEATURE_FLAG_PREFIX + key] = value
        if origin.scope.log_records:
            from otel_errors.last_log_records import records_text

            text = records_text(origin.scope.log_records, max_characters)
            if text:
                found[semconv.LAST_LOG_RECORDS] = text
    except Exception:
        # The recursion limit, no memory: as in the capture of the exception, the error is worth having with less.
        pass
    return found


def _of_the_frames(exc: BaseException, settings: Settings, max_characters: int | None) -> dict[str, AttributeValue]:
    if not (settings.locals or settings.source_lines):
        return {}
    try:
        from otel_errors.frame_details import frames_text

        text = frames_text(
            traceback_of(exc),
            variables=settings.locals,
            source_lines=settings.source_lines,
            max_characters=max_characters,
        )
    except Exception as error:  # the error itself is worth having without them
        tell_failure("frame details", error)
        return {}
    return {semconv.FRAMES: text} if text else {}
