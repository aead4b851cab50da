"""The road of an exception: seen already? which records carry it? then emit. Everything that reports goes through
here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from opentelemetry import trace
from opentelemetry._logs import Logger

from otel_errors.active import Reporter
from otel_errors.admission import admitted
from otel_errors.capture import CapturedException
from otel_errors.config import SignalMode
from otel_errors.describe import describe, describe_message
from otel_errors.emit import Occurrence, add_span_event, emit_log_record, severity_number
from otel_errors.not_errors import leaves_of
from otel_errors.safe_text import type_name
from otel_errors.seen import Sighting, seen
from otel_errors.semconv import ERROR_TYPE, EXCEPTION_EVENT_NAME

DROPPED: Final = ""
"""In the place of an event id: not in the sample, past the rate, or not wanted by ``before_send``."""
AddToSpan = Callable[[Mapping[str, Any], CapturedException], None]


class Carriers(NamedTuple):
    span_event: bool
    log_record: bool


def carriers(
    mode: SignalMode,
    *,
    recording: bool,
    can_log: bool,
    handled: bool = True,
    fatal: bool = False,
    earlier: Sighting | None = None,
) -> Carriers:
    """Which records an error gets now.

    The first time: as the mode says; without a recording span a log record in every mode, else it would be lost, and
    without a logger a span event in every mode, for the same reason. Later, under the same event id: what the mode
    wants and is not there yet; and a log record when the error turns out to be worse than it was reported, because what
    was recorded or logged as handled was raised again, or ends the process.
    """
    if earlier is None:
        on_span = recording and mode.span_events
        log_record = can_log and (mode.log_records or not on_span)
        return Carriers(on_span or (recording and not log_record), log_record)
    on_span = recording and mode.span_events and not earlier.on_span
    missing = mode.log_records and not earlier.logged
    worse = (fatal and not earlier.fatal) or (earlier.handled and not handled and not on_span)
    return Carriers(on_span, can_log and (missing or worse))


def report(
    reporter: Reporter,
    exc: BaseException,
    occurrence: Occurrence,
    *,
    span: trace.Span | None = None,
    add_to_span: AddToSpan | None = None,
    may_hold: bool = True,
) -> str | None:
    """Record ``exc`` where the mode wants it and it is not yet. Returns its event id, None when nothing could
    carry it, or ``DROPPED`` when it was left out on purpose.

    ``span`` can take an event if it is recording; without it only a log record is possible. May raise: callers guard.
    """
    _name_the_failure(span, exc, occurrence)
    own = occurrence.origin.span.get_span_context()
    _recognise_group(exc)
    sighting, first = seen.claim(
        exc,
        lambda: Sighting(occurrence.mechanism, occurrence.handled, occurrence.severity, own if own.is_valid else None),
        may_hold=may_hold,
    )
    if first and not admitted(reporter.settings, sighting.event_id):
        sighting.dropped = True
    if sighting.dropped:
        return DROPPED
    scope = seen.scope_of(exc)
    if scope is not None:
        occurrence = replace(occurrence, origin=replace(occurrence.origin, scope=scope))
    try:
        done = _emit(reporter, exc, occurrence, sighting, first, span, add_to_span)
    except BaseException:
        if first:
            seen.forget(exc)
        raise
    if first and not done:
        seen.forget(exc)
        return None
    return DROPPED if sighting.dropped else sighting.event_id


def _name_the_failure(span: trace.Span | None, exc: BaseException, occurrence: Occurrence) -> None:
    """``error.type`` of each span that the error leaves, unless the instrumentation or the application named it."""
    if span is None or occurrence.mechanism != "span" or not span.is_recording():
        return
    if ERROR_TYPE not in (getattr(span, "attributes", None) or {}):
        span.set_attribute(ERROR_TYPE, type_name(exc))


def _recognise_group(exc: BaseException) -> None:
    """A group of nothing but errors that were reported is their failure once more, not another: it goes on under the
    first one's event id."""
    leaves = leaves_of(exc)
    if leaves and seen.get(exc) is None:
        known = [sighting for leaf in leaves if (sighting := seen.get(leaf)) is not None]
        if len(known) == len(leaves):
            seen.claim(exc, lambda: known[0])


def report_message(reporter: Reporter, text: str, occurrence: Occurrence, event_id: str, span: trace.Span) -> bool:
    """Record an error that is not an exception. False when nothing could carry it."""
    logger = reporter.logger()
    recording = span.is_recording()
    where = carriers(reporter.settings.mode, recording=recording, can_log=_can_log(reporter, logger, occurrence))
    if not admitted(reporter.settings, event_id):
        return False
    limit = value_limit(
        reporter.settings.sdk_value_characters,
        span if where.span_event else None,
        logger if where.log_record else None,
    )
    attributes = describe_message(reporter, text, occurrence, event_id, limit)
    if attributes is None:
        return False
    if where.span_event:
        add_span_event(span, attributes, occurrence)
    if where.log_record:
        emit_log_record(logger, attributes, occurrence, None)
    return where.span_event or where.log_record


def _emit(
    reporter: Reporter,
    exc: BaseException,
    occurrence: Occurrence,
    sighting: Sighting,
    first: bool,
    span: trace.Span | None,
    add_to_span: AddToSpan | None,
) -> bool:
    logger = reporter.logger()
    where = carriers(
        reporter.settings.mode,
        recording=span is not None and span.is_recording(),
        can_log=_can_log(reporter, logger, occurrence),
        handled=occurrence.handled,
        fatal=occurrence.fatal,
        earlier=None if first else sighting,
    )
    if not (where.span_event or where.log_record):
        return False
    limit = value_limit(
        reporter.settings.sdk_value_characters,
        span if where.span_event else None,
        logger if where.log_record else None,
    )
    occurrence, captured, attributes = describe(reporter, exc, occurrence, sighting.event_id, limit)
    if attributes is None:
        sighting.dropped = True
        return True
    if where.span_event and span is not None:
        if add_to_span is not None:
            add_to_span(attributes, captured)
        else:
            add_span_event(span, attributes, occurrence)
        sighting.on_span = True
    if where.log_record:
        emit_log_record(logger, attributes, occurrence, sighting.span_context)
        sighting.logged = True
        sighting.fatal = sighting.fatal or occurrence.fatal
    sighting.handled = sighting.handled and occurrence.handled
    return True


def _can_log(reporter: Reporter, logger: Logger, occurrence: Occurrence) -> bool:
    if logger.enabled(
        context=occurrence.origin.context, severity_number=severity_number(occurrence), event_name=EXCEPTION_EVENT_NAME
    ):
        return True
    reporter.warn_once_of_missing_logs()
    return False


def value_limit(environment: int | None, span: trace.Span | None, logger: object | None) -> int | None:
    """The smallest limit for an attribute's value that the SDK will apply, set by environment or in code. None:
    there is none."""
    found = (
        environment,
        # Private, so absence is normal: then the environment's limit is what is known.
        getattr(getattr(span, "_limits", None), "max_attribute_length", None),
        getattr(getattr(logger, "_log_record_limits", None), "max_log_record_attribute_length", None),
    )
    return min((limit for limit in found if isinstance(limit, int)), default=None)
