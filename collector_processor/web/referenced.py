"""A support reference on the pages: the search box leads to its event, the issue page shows it, kept or not."""

from __future__ import annotations

from typing import Any, Final

from collector_processor.api.lookup import Links
from collector_processor.issues.references import Found, look_up
from collector_processor.issues.store import IssueStore
from collector_processor.settings import LinkSettings
from collector_processor.web.links import filled
from otel_errors.references import BadReference, parse_reference

LOGS_MARGIN_SECONDS: Final = 3600
"""A sender's clock may be wrong; the log line stands under the time that it said, the look-up under the bounded one."""


def links_of(settings: LinkSettings) -> Links:
    """Where an event is found in the trace and log stores, as the templates in ``links.*`` say."""

    def links(found: Found, reference: str) -> tuple[str | None, str | None]:
        values = {
            "trace_id": found.trace_id,
            "span_id": found.occurrence.event.span_id if found.occurrence is not None else "",
            "service_name": found.service_name,
            "event_id": found.event_id,
            "support_reference": reference,
            "from_ms": str(int((found.time - LOGS_MARGIN_SECONDS) * 1000)),
            "to_ms": str(int((found.time + LOGS_MARGIN_SECONDS) * 1000)),
        }
        return filled(settings.trace, **values), filled(settings.logs, **values)

    return links


def reference_or_none(text: str) -> str | None:
    try:
        return parse_reference(text)
    except BadReference:
        return None


def event_href(store: IssueStore, searched: str, root: str) -> str | None:
    """The address of the very event, when what was searched for is the reference of one that is known."""
    reference = reference_or_none(searched)
    found = look_up(store.queries, store.engine, reference) if reference is not None else None
    return f"{root}issues/{found.issue_id}?reference={reference}" if found is not None else None


def search_hint(searched: str) -> str:
    """What to tell about a reference that led nowhere; ``""`` when it was no reference."""
    try:
        reference = parse_reference(searched)
    except BadReference as error:
        looks_like_one = error.reason == "check" and any(character.isdigit() for character in searched)
        return f"If it is a support reference: {error}." if looks_like_one else ""
    return f"No event with the support reference {reference} is known, or it is too long ago."


def referenced(
    store: IssueStore, links: Links, issue_id: str, asked: str
) -> tuple[Found | None, dict[str, Any] | None]:
    """The event that the page of an issue was asked for by a reference, and what the page says of it; (None, None) when
    it was asked for nothing."""
    reference = reference_or_none(asked)
    if reference is None:
        return None, None
    found = look_up(store.queries, store.engine, reference)
    if found is None or found.issue_id != issue_id:
        return None, {"reference": reference, "known": False}
    trace_href, logs_href = links(found, reference)
    return found, {
        "reference": reference,
        "known": True,
        "kept": found.occurrence is not None,
        "time": found.time,
        "event_id": found.event_id,
        "trace_id": found.trace_id,
        "trace_href": trace_href,
        "logs_href": logs_href,
    }
