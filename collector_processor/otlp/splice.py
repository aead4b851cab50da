"""Write back what the processor found out: redacted texts in every carrier, and our attributes on every error event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from collector_processor.events import ErrorEvent
from collector_processor.otlp.carrier_redaction import RequestRedaction
from collector_processor.otlp.carriers import FoundError, Part
from collector_processor.otlp.values import set_attributes, to_dict
from otel_errors.semconv import FINGERPRINT, ISSUE_URL, REDACTED, SEVERITY


def splice(parts: Iterable[Part], events: Sequence[ErrorEvent], redaction: RequestRedaction, public_url: str) -> None:
    """Change the request that ``parts`` were found in, in place.

    ``events``: one for each error event of the parts, in order. ``public_url``: without a slash at its end.
    Afterwards no carrier holds what the redactor takes out, and each error event has ``otel_errors.fingerprint``,
    ``.issue.url``, ``.severity`` and ``.redacted`` (pieces taken out of that record), each once, whatever came in.
    """
    following = iter(events)
    resource = None
    for part in parts:
        redaction.service = part.service
        if part.resource is not resource:
            resource = part.resource
            redaction.resource(resource)
        redaction.scope(part.scope)
        for carrier in part.schemas:
            redaction.schema(carrier)
        for span, errors in part.spans:
            redaction.span(span)
            for position, event in enumerate(span.events):
                count = redaction.event(event)
                if position in errors:
                    _write(errors[position], next(following), count, public_url)
        for found in part.records:
            count = redaction.record(found.record)  # type: ignore[arg-type]
            _write(found, next(following), count, public_url)


def learn(part: Part, redaction: RequestRedaction) -> None:
    """Tell ``redaction`` what the carriers of ``part`` show to be secret, before any of them is redacted."""
    for span, errors in part.spans:
        redaction.enter(span, span.trace_id)
        redaction.learn({"": span.status.message})
        first = next(iter(errors.values()), None)
        redaction.learn(to_dict(span.attributes) if first is None else first.raw.span_attributes)
        for found in errors.values():
            redaction.learn(found.raw.attributes)
    for found in part.records:
        redaction.enter(found.record, found.raw.trace_id)
        redaction.learn(found.raw.attributes)
        redaction.learn({"": found.raw.body})


def issue_url(public_url: str, fingerprint: str) -> str:
    """The page that follows a fingerprint to its issue, through merges."""
    return f"{public_url}/f/{fingerprint}"


def _write(found: FoundError, event: ErrorEvent, redacted: int, public_url: str) -> None:
    set_attributes(
        found.record.attributes,
        {
            FINGERPRINT: event.fingerprint,
            ISSUE_URL: issue_url(public_url, event.fingerprint),
            SEVERITY: event.severity,
            REDACTED: redacted,
        },
    )
