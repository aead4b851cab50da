"""The state machine as tables: what happens, in which state, and what comes of it."""

from __future__ import annotations

import itertools
from functools import partial

import msgspec
import pytest

from collector_processor.issues import lifecycle
from collector_processor.issues.lifecycle import IllegalTransition, IssueState, born
from collector_processor.issues.releases import is_older, newest
from otel_errors.semconv import Severity

T = 1_000_000.0
NS = int(T * 1e9)
SEEN = {"1.0": 1, "1.1": 2, "abc123": 3, "def456": 4, "2.0": 5}
OLDER = partial(is_older, first_seen=SEEN)


def resolved(release: str = "1.1", in_next: bool = False) -> IssueState:
    return lifecycle.resolve(born("high", T - 100), T, newest_release=release, in_next_release=in_next)


def ignored(until: float | None = None, until_count: int | None = None) -> IssueState:
    return lifecycle.ignore(born("high", T - 100), T, until=until, until_count=until_count)


ACKNOWLEDGED = lifecycle.acknowledge(born("high", T - 100), T)

EVENTS: list[tuple[str, IssueState, int, str, int, str]] = [
    # case, issue, seconds after the resolution, release, count, state after
    ("a new issue stays new", born("high", T), 9, "1.1", 5, "new"),
    ("an acknowledged issue stays so", ACKNOWLEDGED, 9, "1.1", 5, "acknowledged"),
    ("the same release, later", resolved(), 1, "1.1", 2, "regressed"),
    ("a newer release, later", resolved(), 1, "2.0", 2, "regressed"),
    ("an older release, later: somebody has not updated", resolved(), 1, "1.0", 2, "resolved"),
    ("an event from before the resolution that comes late", resolved(), -1, "1.1", 2, "resolved"),
    ("an event of the very moment", resolved(), 0, "1.1", 2, "resolved"),
    ("no release in the event: time decides", resolved(), 1, "", 2, "regressed"),
    ("no release in the event, from before", resolved(), -1, "", 2, "resolved"),
    ("no release was known: time decides", resolved(""), 1, "1.0", 2, "regressed"),
    ("a release that nobody can order", resolved("abc123"), 1, "unheard-of", 2, "regressed"),
    ("commit hashes go by when they were seen: older", resolved("def456"), 1, "abc123", 2, "resolved"),
    ("commit hashes go by when they were seen: newer", resolved("abc123"), 1, "def456", 2, "regressed"),
    ("in the next release: the same one does not count", resolved("1.1", True), 1, "1.1", 2, "resolved"),
    ("in the next release: an older one does not", resolved("1.1", True), 1, "1.0", 2, "resolved"),
    ("in the next release: the next one does", resolved("1.1", True), 1, "2.0", 2, "regressed"),
    ("in the next release: the next one, but from before", resolved("1.1", True), -1, "2.0", 2, "resolved"),
    ("in the next release: nobody can order it", resolved("1.1", True), 1, "unheard-of", 2, "resolved"),
    ("in the next release: without a release time decides", resolved("1.1", True), 1, "", 2, "regressed"),
    ("ignored for ever", ignored(), 10**8, "2.0", 10**9, "ignored"),
    ("ignored until a date that has not come", ignored(until=T + 50), 49, "", 2, "ignored"),
    ("ignored until a date that has passed", ignored(until=T + 50), 51, "", 2, "regressed"),
    ("ignored for some events more", ignored(until_count=7), 1, "", 6, "ignored"),
    ("ignored for no more events", ignored(until_count=7), 1, "", 7, "regressed"),
    ("whichever is first: the number", ignored(until=T + 50, until_count=7), 1, "", 7, "regressed"),
    ("whichever is first: the date", ignored(until=T + 50, until_count=7), 51, "", 3, "regressed"),
]


@pytest.mark.parametrize(
    ("issue", "seconds", "release", "count", "after"), [r[1:] for r in EVENTS], ids=[r[0] for r in EVENTS]
)
def test_on_event(issue: IssueState, seconds: int, release: str, count: int, after: str) -> None:
    now = T + 1000
    found = lifecycle.on_event(issue, time=NS + seconds * 10**9, release=release, count=count, now=now, is_older=OLDER)
    assert found.state == after
    if after == issue.state:
        assert found is issue
    else:
        assert (found.changed_at, found.opened_at, found.unacknowledged_since) == (now, now, now)
        assert (found.resolved_at, found.resolved_release, found.ignored_until, found.ignored_until_count) == (
            None,
            "",
            None,
            None,
        )


STATES = {
    "new": born("high", T),
    "regressed": msgspec.structs.replace(born("high", T), state="regressed"),
    "acknowledged": ACKNOWLEDGED,
    "resolved": resolved(),
    "ignored": ignored(),
}
ACTS = {
    "acknowledge": lambda issue: lifecycle.acknowledge(issue, T + 5),
    "resolve": lambda issue: lifecycle.resolve(issue, T + 5, newest_release="1.1"),
    "ignore": lambda issue: lifecycle.ignore(issue, T + 5),
    "reopen": lambda issue: lifecycle.reopen(issue, T + 5),
}
#                      new             regressed       acknowledged    resolved     ignored
ACTS_TABLE = {
    "acknowledge": ("acknowledged", "acknowledged", "acknowledged", None, None),
    "resolve": ("resolved", "resolved", "resolved", "resolved", "resolved"),
    "ignore": ("ignored", "ignored", "ignored", "ignored", "ignored"),
    "reopen": (None, None, "new", "regressed", "new"),
}


@pytest.mark.parametrize(("act", "state"), list(itertools.product(ACTS, STATES)))
def test_acts_of_people(act: str, state: str) -> None:
    expected = ACTS_TABLE[act][list(STATES).index(state)]
    if expected is None:
        with pytest.raises(IllegalTransition):
            ACTS[act](STATES[state])
        return
    after = ACTS[act](STATES[state])
    assert after.state == expected
    assert (after.unacknowledged_since is not None) == (expected in ("new", "regressed"))


def test_doing_it_twice_changes_nothing() -> None:
    assert lifecycle.acknowledge(ACKNOWLEDGED, T + 9) is ACKNOWLEDGED
    issue = resolved()
    assert lifecycle.resolve(issue, T + 9, newest_release="9") is issue
    assert lifecycle.resolve(issue, T + 9, newest_release="9", in_next_release=True).resolved_release == "9"


@pytest.mark.parametrize(
    ("held", "by_person", "seen", "after"),
    [
        ("medium", False, "high", "high"),
        ("medium", False, "low", "medium"),
        ("medium", False, "medium", "medium"),
        ("low", False, "critical", "critical"),
        ("low", True, "critical", "low"),
        ("critical", True, "low", "critical"),
    ],
)
def test_severity_rises_unless_a_person_set_it(
    held: Severity, by_person: bool, seen: Severity, after: Severity
) -> None:
    issue = lifecycle.set_severity(born("high", T), held) if by_person else born(held, T)
    assert lifecycle.raise_severity(issue, seen).severity == after


def test_durations() -> None:
    new = born("high", T)
    acknowledged = lifecycle.acknowledge(new, T + 60)
    done = lifecycle.resolve(acknowledged, T + 300, newest_release="")
    assert lifecycle.ack_seconds(new, acknowledged, T + 60) == 60
    assert lifecycle.resolve_seconds(new, acknowledged, T + 60) is None
    assert lifecycle.ack_seconds(acknowledged, done, T + 300) is None
    assert lifecycle.resolve_seconds(acknowledged, done, T + 300) == 300
    at_once = lifecycle.resolve(new, T + 9, newest_release="")
    assert (lifecycle.ack_seconds(new, at_once, T + 9), lifecycle.resolve_seconds(new, at_once, T + 9)) == (9, 9)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.9.0", "1.10.0"),
        ("v1.2", "v1.2.1"),
        ("1.2", "v1.3"),
        ("1.0.0-alpha", "1.0.0-beta"),
        ("1.0.0-rc.2", "1.0.0-rc.10"),
        ("1.0.0-rc.1", "1.0.0"),
        ("1.0rc1", "1.0"),
        ("2026.11.2", "2026.11.10"),
        ("41", "42"),
        ("shop@1.2.3", "shop@1.2.4"),
        ("registry/shop@1.2.3", "1.2.4"),
        ("1.2.3+build9", "1.2.4+build1"),
    ],
)
def test_versions_are_ordered(older: str, newer: str) -> None:
    assert is_older(older, newer, {}) is True
    assert is_older(newer, older, {}) is False
    assert newest({newer: 1, older: 2}) == newer


@pytest.mark.parametrize(
    ("one", "other"), [("1.2", "1.2.0"), ("abc", "def"), ("1.2.3+a", "1.2.3+b"), ("1.0", "latest")]
)
def test_nobody_can_say(one: str, other: str) -> None:
    assert is_older(one, other, {}) is None
    assert is_older(one, other, {one: 1, other: 2}) is True
    assert is_older(other, one, {one: 1, other: 2}) is False


def test_the_same_release_is_not_older() -> None:
    assert is_older("x", "x", {}) is False
    assert newest({}) == ""


def test_a_long_release_is_read_in_no_time() -> None:
    assert is_older("1" * 100_000 + "x", "1." * 50_000, {}) is None
