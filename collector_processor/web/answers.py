"""The buttons of an issue's page, and what pressing one does."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import Request

from collector_processor.api.asked import seconds_of
from collector_processor.api.problems import Problem, shown_value
from collector_processor.issues.lifecycle import State
from collector_processor.issues.store import IssueStore

ACTOR: Final = "web page"
"""Who acts, in the activity, as long as nobody logs in."""

MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
ACTIONS: Final = ("acknowledge", "resolve", "resolve_next", "ignore", "reopen", "assign", "set_severity", "merge")

_LABELS: Final = {"acknowledge": "Acknowledge", "resolve": "Resolve", "ignore": "Ignore", "reopen": "Reopen"}
_BUTTONS: Final[dict[State, tuple[str, ...]]] = {
    "new": ("acknowledge", "resolve", "ignore"),
    "regressed": ("acknowledge", "resolve", "ignore"),
    "acknowledged": ("resolve", "ignore", "reopen"),
    "resolved": ("reopen",),
    "ignored": ("resolve", "reopen"),
}


def answers_for(state: State) -> dict[str, Any]:
    """Which buttons an issue in this state has, for the template."""
    names = _BUTTONS[state]
    return {
        "actions": [{"name": name, "label": _LABELS[name]} for name in names],
        "can_ignore": "ignore" in names,
        "can_resolve_next": "resolve" in names,
    }


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of a posted form; of a name that comes twice the last. 415 for another media type, 422 for what is no
    form."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != MEDIA_TYPE:
        raise Problem(415, f"Content-Type: {shown_value(media_type)!r}: a form comes as {MEDIA_TYPE}")
    try:
        text = (await request.body()).decode("ascii")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=20, encoding="utf-8", errors="strict"))
    except ValueError:
        raise Problem(422, "The body is not a form: percent-encoded UTF-8, at most 20 fields") from None


def answer(store: IssueStore, issue: str, fields: dict[str, str]) -> None:
    """Do what the pressed button says. Raises ``Problem`` for a field that makes no sense, and what the commands
    raise."""
    action = fields.get("action", "")
    commands = store.commands
    if action == "acknowledge":
        commands.acknowledge(issue, actor=ACTOR)
    elif action in ("resolve", "resolve_next"):
        commands.resolve(issue, actor=ACTOR, in_next_release=action == "resolve_next")
    elif action == "ignore":
        commands.ignore(issue, actor=ACTOR, until=_until(fields), for_events=_events(fields))
    elif action == "reopen":
        commands.reopen(issue, actor=ACTOR)
    elif action == "assign":
        commands.assign(issue, fields.get("assignee", "").strip(), actor=ACTOR)
    elif action == "set_severity":
        commands.set_severity(issue, fields.get("severity", ""), actor=ACTOR)
    elif action == "merge":
        # The page's issue becomes part of the named one; its address leads there from then on.
        commands.merge(fields.get("into", "").strip(), [issue], actor=ACTOR)
    else:
        raise Problem.bad_value("action", action, "one of " + ", ".join(ACTIONS))


def _until(fields: dict[str, str]) -> float | None:
    """``2026-12-24T08:00`` of a ``datetime-local`` field, in UTC as its label says."""
    value = fields.get("ignore_until", "").strip()
    if not value:
        return None
    try:
        return seconds_of(value)
    except ValueError as error:
        raise Problem.bad_value("ignore_until", value, str(error)) from None


def _events(fields: dict[str, str]) -> int | None:
    value = fields.get("ignore_events", "").strip()
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 13):
        raise Problem.bad_value("ignore_events", value, "a whole number from 1 to 10^12")
    return int(value)
