"""How often the driver provoked each bug, and whether the processor's issues say the same."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from collector_processor.demo.bugs import BY_KEY, Bug
from collector_processor.demo.rest import Issue
from collector_processor.events import bare_type


class Ledger:
    """Counts what was provoked. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: Counter[str] = Counter()
        self._users: dict[str, set[str]] = {}

    def record(self, raised: Mapping[str, int], user: str = "") -> None:
        """Bug key → occurrences that one finished request caused, and who was signed in.

        The shop names its user in checkout alone: a job of the worker knows an order, not a session.
        """
        with self._lock:
            for key, times in raised.items():
                self._events[BY_KEY[key].key] += times
                if user and BY_KEY[key].service == "checkout":
                    self._users.setdefault(key, set()).add(user)

    def expected(self) -> dict[str, int]:
        """Bug key → occurrences, of every bug that was provoked."""
        with self._lock:
            return dict(self._events)

    def users(self, key: str) -> int:
        """How many different users a bug was provoked as; 0 where the shop names none."""
        with self._lock:
            return len(self._users.get(key, ()))

    def compare(self, issues: Iterable[Issue], before: Iterable[Issue] = ()) -> list[str]:
        """A sentence a difference; empty when there is one issue a bug, with exactly its count, and no other issue.

        ``before``: the issues as they stood before the shop was driven. What they count is taken off.
        """
        known = {issue.id: issue.count for issue in before}
        grown = [(issue, issue.count - known.get(issue.id, 0)) for issue in issues]
        grown = [(issue, count) for issue, count in grown if count]
        differences: list[str] = []
        claimed: set[str] = set()
        for key, expected in sorted(self.expected().items()):
            bug = BY_KEY[key]
            found = [(issue, count) for issue, count in grown if _is_of(issue, bug)]
            claimed.update(issue.id for issue, _ in found)
            differences += _differences(bug, expected, found)
            if self.users(key) and [issue.users for issue, _ in found] not in ([], [self.users(key)]) and not known:
                differences.append(f"{key}: {self.users(key)} users were concerned, the issue says {found[0][0].users}")
        differences += [
            f"no bug of the shop: {issue.service_name}: {issue.title} ({issue.culprit}), counted {count}"
            for issue, count in grown
            if issue.id not in claimed
        ]
        return differences


def _is_of(issue: Issue, bug: Bug) -> bool:
    if issue.service_name != bug.service or bug.title not in issue.title:
        return False
    return not bug.type or bare_type(issue.title.partition(":")[0]) == bug.type


def _differences(bug: Bug, expected: int, found: Sequence[tuple[Issue, int]]) -> list[str]:
    if not found:
        return [f"{bug.key}: provoked {expected} times, no issue in {bug.service} with {bug.type or bug.title!r}"]
    if len(found) > 1:
        parts = ", ".join(f"{issue.title} ({issue.culprit}) {count}" for issue, count in found)
        return [f"{bug.key}: provoked {expected} times, {len(found)} issues instead of one: {parts}"]
    issue, count = found[0]
    differences = []
    if count != expected:
        differences.append(f"{bug.key}: provoked {expected} times, counted {count}")
    if bug.culprit not in issue.culprit:
        differences.append(f"{bug.key}: raised in {bug.culprit}, the issue's culprit is {issue.culprit!r}")
    if issue.severity != bug.severity:
        differences.append(f"{bug.key}: severity {bug.severity} was expected, the issue says {issue.severity}")
    return differences
