"""Sentences about an issue: its state, its activity. Plain text; templates escape it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from collector_processor.events import ErrorEvent
from collector_processor.issues.rows import ActivityRow, IssueDetail
from collector_processor.web.times import ago, utc

_DONE: Final[dict[str, Callable[[ActivityRow], str]]] = {
    "created": lambda row: "First seen",
    "regressed": lambda row: "It came back" if row.before == "resolved" else f"It is open again, was {row.before}",
    "acknowledged": lambda row: f"{row.actor} acknowledged it",
    "resolved": lambda row: f"{row.actor} resolved it",
    "ignored": lambda row: f"{row.actor} ignored it",
    "reopened": lambda row: f"{row.actor} reopened it",
    "severity": lambda row: f"{row.actor} set the severity from {row.before} to {row.after}",
    "assigned": lambda row: (
        f"{row.actor} assigned it to {row.after}" if row.after else f"{row.actor} took it from {row.before}"
    ),
    "team": lambda row: (
        f"{row.actor} gave it to the team {row.after}"
        if row.after
        else f"{row.actor} took it from the team {row.before}"
    ),
    "merged": lambda row: f"{row.actor} merged {row.after} into it",
    "merged_into": lambda row: f"{row.actor} merged it into {row.after}",
}


def activity_text(row: ActivityRow) -> str:
    """What happened, as a sentence without an end; an action that this version does not know by its name."""
    told = _DONE.get(row.action)
    return told(row) if told is not None else f"{row.actor}: {row.action} {row.before} {row.after}".strip()


def state_line(detail: IssueDetail, now: float) -> str:
    """Since when it is in its state, and what ends it."""
    issue = detail.issue
    since = ago(issue.changed_at, now)
    if issue.state == "resolved":
        if detail.in_next_release:
            return f"resolved {since}, in the release after {detail.resolved_release or 'the ones seen so far'}"
        return f"resolved {since}" + (
            f", newest release then {detail.resolved_release}" if detail.resolved_release else ""
        )
    if issue.state == "ignored":
        ends = []
        if detail.ignored_until is not None:
            ends.append(f"until {utc(detail.ignored_until)}")
        if detail.ignored_until_count is not None:
            ends.append(f"until it has occurred {detail.ignored_until_count:,} times")
        return f"ignored {since}" + (", " + " or ".join(ends) if ends else ", for good")
    if issue.unacknowledged_since is not None:
        return f"waiting for an answer since {utc(issue.unacknowledged_since)}"
    return f"{issue.state} {since}"


def occurrence_facts(event: ErrorEvent) -> list[tuple[str, str]]:
    """Names and values worth a line each; what is unknown has none."""
    handled = {True: "yes", False: "no", None: ""}[event.handled]
    facts = (
        ("Environment", event.environment),
        ("Release", event.release),
        ("Service", "/".join(part for part in (event.service_namespace, event.service_name) if part)),
        ("Severity", event.severity),
        ("Handled", handled),
        ("Mechanism", event.mechanism),
        ("User", event.user),
        ("Error code", event.error_code),
        ("Reference", event.support_reference),
        ("Language", event.language),
        ("Came as", {"span_event": "span event", "log": "log record"}[event.signal]),
        ("Event id", event.event_id),
        ("Redacted", f"{event.redacted:,} pieces of text" if event.redacted else ""),
    )
    return [(name, value) for name, value in facts if value]
