"""The life of an issue. Pure: a state, something that happens, the next state.

``new`` and ``regressed`` wait for somebody (``unacknowledged_since`` is set); ``acknowledged`` has an answer;
``resolved`` is believed to be mended; ``ignored`` is not to be heard of, for ever, until a date or until N more events.

A *counted event* changes the state only so:
- resolved → regressed, when its time is after the resolution and its release is not older than the one that was newest
  then. "Resolved in the next release" needs a release that is newer. Without a release, time alone decides.
- ignored → regressed, when the date has passed or the number is reached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import msgspec

from otel_errors.semconv import SEVERITIES, Severity

State = Literal["new", "regressed", "acknowledged", "resolved", "ignored"]
STATES: Final[tuple[State, ...]] = ("new", "regressed", "acknowledged", "resolved", "ignored")

Older = Callable[[str, str], "bool | None"]
"""(release, than): True, False, or None when nobody can say."""


class IllegalTransition(Exception):
    """This cannot be done in this state; the text says in which it can."""


class IssueState(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an issue that the life cycle is about. ``*_at`` and ``ignored_until`` in seconds of the processor's
    clock; ``resolved_at`` in nanoseconds, because events are compared with it."""

    state: State
    changed_at: float
    opened_at: float
    """When it last became new or regressed."""
    unacknowledged_since: float | None
    severity: Severity
    severity_set: bool = False
    resolved_at: int | None = None
    resolved_release: str = ""
    in_next_release: bool = False
    ignored_until: float | None = None
    ignored_until_count: int | None = None


def born(severity: Severity, now: float) -> IssueState:
    """An issue that was never seen before."""
    return IssueState(state="new", changed_at=now, opened_at=now, unacknowledged_since=now, severity=severity)


def on_event(issue: IssueState, *, time: int, release: str, count: int, now: float, is_older: Older) -> IssueState:
    """After a counted event at ``time`` (ns). ``count``: of the issue, this event included."""
    if issue.state == "resolved" and _ends_resolution(issue, time, release, is_older):
        return _open(issue, "regressed", now)
    if issue.state == "ignored" and _ends_ignoring(issue, time, count):
        return _open(issue, "regressed", now)
    return issue


def _ends_resolution(issue: IssueState, time: int, release: str, is_older: Older) -> bool:
    if issue.resolved_at is None or time <= issue.resolved_at:
        return False
    if not release or not issue.resolved_release:
        return True
    if issue.in_next_release:
        # only a release that is known to be newer: when nobody can say, the promise "in the next one" still stands
        return is_older(issue.resolved_release, release) is True
    # when nobody can say, an error after the resolution is worth a look
    return is_older(release, issue.resolved_release) is not True


def _ends_ignoring(issue: IssueState, time: int, count: int) -> bool:
    if issue.ignored_until is not None and time > issue.ignored_until * 1e9:
        return True
    return issue.ignored_until_count is not None and count >= issue.ignored_until_count


def raise_severity(issue: IssueState, seen: Severity) -> IssueState:
    """The highest seen, unless a person decided."""
    if issue.severity_set or SEVERITIES.index(seen) >= SEVERITIES.index(issue.severity):
        return issue
    return msgspec.structs.replace(issue, severity=seen)


def set_severity(issue: IssueState, severity: Severity) -> IssueState:
    return msgspec.structs.replace(issue, severity=severity, severity_set=True)


def acknowledge(issue: IssueState, now: float) -> IssueState:
    """Somebody looks after it. Doing so twice changes nothing."""
    if issue.state == "acknowledged":
        return issue
    if issue.state not in ("new", "regressed"):
        raise IllegalTransition("new or regressed")
    return _settle(issue, "acknowledged", now)


def resolve(issue: IssueState, now: float, *, newest_release: str, in_next_release: bool = False) -> IssueState:
    """It is mended, now or with the next release. ``newest_release``: the newest of the service today, or ``""``."""
    if issue.state == "resolved" and issue.in_next_release == in_next_release:
        return issue
    return msgspec.structs.replace(
        _settle(issue, "resolved", now),
        resolved_at=int(now * 1e9),
        resolved_release=newest_release,
        in_next_release=in_next_release,
    )


def ignore(issue: IssueState, now: float, *, until: float | None = None, until_count: int | None = None) -> IssueState:
    """Not to be heard of until the date (seconds) has passed, or the issue's count reached ``until_count``, or ever."""
    ignored = _settle(issue, "ignored", now)
    return msgspec.structs.replace(ignored, ignored_until=until, ignored_until_count=until_count)


def reopen(issue: IssueState, now: float) -> IssueState:
    """Somebody takes the last answer back: a resolved issue is regressed, any other new again."""
    if issue.state in ("new", "regressed"):
        raise IllegalTransition("acknowledged, resolved or ignored")
    return _open(issue, "regressed" if issue.state == "resolved" else "new", now)


def _open(issue: IssueState, state: State, now: float) -> IssueState:
    return msgspec.structs.replace(
        _forget_answer(issue), state=state, changed_at=now, opened_at=now, unacknowledged_since=now
    )


def _settle(issue: IssueState, state: State, now: float) -> IssueState:
    return msgspec.structs.replace(_forget_answer(issue), state=state, changed_at=now, unacknowledged_since=None)


def _forget_answer(issue: IssueState) -> IssueState:
    return msgspec.structs.replace(
        issue,
        resolved_at=None,
        resolved_release="",
        in_next_release=False,
        ignored_until=None,
        ignored_until_count=None,
    )


def ack_seconds(before: IssueState, after: IssueState, now: float) -> float | None:
    """How long it waited for an answer, when ``after`` is the first answer: any state that people choose is one."""
    if before.unacknowledged_since is None or after.unacknowledged_since is not None:
        return None
    return max(0.0, now - before.unacknowledged_since)


def resolve_seconds(before: IssueState, after: IssueState, now: float) -> float | None:
    """From open to resolved, when ``after`` is the resolution."""
    if after.state != "resolved" or before.state == "resolved":
        return None
    return max(0.0, now - before.opened_at)
