"""``/api/v1/lookup/{support_reference}``: from what a user reads out on the phone to the very event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter

from collector_processor.api import documents as doc
from collector_processor.api.issues import PROBLEMS
from collector_processor.api.problems import Problem, shown_value
from collector_processor.api.store_problems import as_problems
from collector_processor.issues.references import REFERENCE_DAYS, Found, look_up
from collector_processor.issues.store import IssueStore
from collector_processor.sinks.loki_lines import SOURCE
from otel_errors.references import BadReference, parse_reference

ALLOWED: Final = (
    "nine letters and digits such as 1E0-FVE-83B, the last of which checks the others; upper and lower case, blanks "
    "and dashes, O for 0 and I or L for 1 do not matter"
)

PROBLEMS_HERE: Final[dict[int | str, dict[str, Any]]] = dict.fromkeys((400, 404, 503), PROBLEMS[404])

Links = Callable[[Found, str], tuple[str | None, str | None]]
"""(addresses of the trace and of the log line) of an event, by its reference; None without a template."""


def lookup(store: IssueStore, public_url: str, links: Links, *, in_loki: bool) -> APIRouter:
    """``in_loki``: lines of errors are pushed there."""
    router = APIRouter(prefix="/lookup", tags=["events"], responses=PROBLEMS_HERE)

    @router.get("/{support_reference}")
    def find_event(support_reference: str) -> doc.Lookup:
        """The event that a support reference stands for: its issue, ids and time for 90 days, its body while it is
        kept."""
        try:
            reference = parse_reference(support_reference)
        except BadReference as error:
            shown = shown_value(support_reference)
            raise Problem(
                400,
                f"support_reference: {shown!r}: {error}; allowed: {ALLOWED}",
                errors=[{"key": "support_reference", "value": shown, "allowed": ALLOWED}],
            ) from None
        with as_problems():
            found = look_up(store.queries, store.engine, reference)
            detail = store.queries.get_issue(found.issue_id) if found is not None else None
        if found is None or detail is None:
            raise Problem(
                404,
                f"There is no event with the reference {reference}: it was not counted here, or more than "
                f"{REFERENCE_DAYS} days ago, or too many came since",
            )
        trace_url, logs_url = links(found, reference)
        return doc.Lookup.of(
            reference,
            found,
            detail.issue,
            public_url,
            trace_url=trace_url,
            logs_url=logs_url,
            logs_query=f'{{source="{SOURCE}"}} | support_reference="{reference}"' if in_loki else None,
        )

    return router
