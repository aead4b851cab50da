"""Newer rules of grouping come: both versions are computed for a while, and nothing splits or pages again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from collector_processor.events import ErrorEvent
from collector_processor.issues.store import IssueStore
from collector_processor.stages import fingerprint as fingerprinting
from collector_processor.stages.fingerprint import Version, group
from tests.collector_processor.issues.errors import NOW, error, numbered
from tests.collector_processor.issues.stores import Stores
from tests.collector_processor.stages.traces import FAILURES, LOOKUP, Call, Failure

DECLINED = FAILURES[0]
UNKNOWN = Failure("python", type="LookupError", message="customer 7 is unknown", calls=LOOKUP)
FP2 = Version("fp2", lambda nodes, types, sites: ["second", types[0], *[site.key for site in sites]])
"""Other words for the same, as a change of any key is."""


def forget() -> None:
    """What was read under other versions."""
    fingerprinting._young.clear()
    fingerprinting._old.clear()


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    forget()


@pytest.fixture
def store(stores: Stores) -> IssueStore:
    return stores.open()


def event(failure: Failure, number: int, **fields: object) -> ErrorEvent:
    """As the pipeline makes it under the versions in force."""
    forget()
    grouping = group(type=failure.type, message=failure.message, stacktrace=failure.text(), language="python")
    return error(
        number,
        fingerprint=grouping.fingerprint,
        earlier_fingerprints=grouping.earlier_fingerprints,
        raise_site=grouping.raise_site,
        type=failure.type,
        **fields,
    )


def versions(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    known = {"fp1": fingerprinting.VERSIONS[-1], "fp2": FP2}
    monkeypatch.setattr(fingerprinting, "VERSIONS", tuple(known[name] for name in names))


def test_nothing_splits_and_nothing_pages_again(store: IssueStore, monkeypatch: pytest.MonkeyPatch) -> None:
    old = store.apply("q", numbered([event(DECLINED, 0), event(UNKNOWN, 1)]), now=NOW)
    assert len(old.created) == 2

    with monkeypatch.context() as transition:
        versions(transition, "fp2", "fp1")
        both = event(DECLINED, 2)
        assert both.fingerprint.startswith("fp2:")
        assert [name[:4] for name in both.earlier_fingerprints] == ["fp1:"]
        during = store.apply("q", numbered([both, event(UNKNOWN, 3), event(DECLINED, 4)], 3), now=NOW)
        assert (during.created, during.regressed) == ([], [])
        fresh = event(DECLINED.but(type="shop.Other"), 5)
        born = store.apply("q", numbered([fresh], 6), now=NOW)
        assert len(born.created) == 1, "a bug that is new is new under both"

    # A receiver that has not been updated yet knows the old rules only.
    late = store.apply("q", numbered([event(DECLINED, 6), event(DECLINED.but(type="shop.Other"), 7)], 7), now=NOW)
    assert (late.created, late.regressed) == ([], [])

    with monkeypatch.context() as after:
        versions(after, "fp2")
        alone = event(DECLINED, 8)
        assert alone.earlier_fingerprints == ()
        done = store.apply("q", numbered([alone, event(UNKNOWN, 9)], 9), now=NOW)
        assert (done.created, done.regressed) == ([], [])
    issues = {issue.id: issue for issue in store.queries.list_issues().issues}
    assert set(old.created) | set(born.created) == set(issues)
    assert sorted(issue.count for issue in issues.values()) == [2, 3, 5]
    for issue_id in old.created:
        assert sorted(name[:4] for name in issues[issue_id].fingerprints) == ["fp1:", "fp2:"]


def test_what_people_decided_stays(store: IssueStore, monkeypatch: pytest.MonkeyPatch) -> None:
    (issue_id,) = store.apply("q", numbered([event(DECLINED, 0)]), now=NOW).created
    store.commands.acknowledge(issue_id, actor="ann")
    versions(monkeypatch, "fp2", "fp1")
    store.apply("q", numbered([event(DECLINED, 1)], 2), now=NOW)
    (issue,) = store.queries.list_issues().issues
    assert (issue.id, issue.state, issue.count) == (issue_id, "acknowledged", 2)


def test_rules_that_tell_more_apart_split_nothing_meanwhile(store: IssueStore, monkeypatch: pytest.MonkeyPatch) -> None:
    finer = FP2._replace(components=lambda nodes, types, sites: [str(nodes[0].frames[-1].function)])
    elsewhere = DECLINED.but(calls=(Call("other", "/app/shop/web.py", 3), *DECLINED.calls[1:]))
    (issue_id,) = store.apply("q", numbered([event(DECLINED, 0), event(elsewhere, 1)]), now=NOW).created
    monkeypatch.setattr(fingerprinting, "VERSIONS", (finer, *fingerprinting.VERSIONS))
    one, other = event(DECLINED, 2), event(elsewhere, 3)
    assert one.fingerprint != other.fingerprint
    assert store.apply("q", numbered([one, other], 3), now=NOW).created == []
    (issue,) = store.queries.list_issues().issues
    assert (issue.id, issue.count, len(issue.fingerprints)) == (issue_id, 4, 3)


def test_rules_that_tell_less_apart_join_what_is_new_only(store: IssueStore, monkeypatch: pytest.MonkeyPatch) -> None:
    coarser = FP2._replace(components=lambda nodes, types, sites: ["everything"])
    first, second = store.apply("q", numbered([event(DECLINED, 0), event(UNKNOWN, 1)]), now=NOW).created
    monkeypatch.setattr(fingerprinting, "VERSIONS", (coarser, *fingerprinting.VERSIONS))
    result = store.apply("q", numbered([event(DECLINED, 2), event(UNKNOWN, 3)], 3), now=NOW)
    assert (result.created, result.regressed) == ([], [])
    assert {issue.id for issue in store.queries.list_issues().issues} == {first, second}


def test_both_in_one_batch(store: IssueStore, monkeypatch: pytest.MonkeyPatch) -> None:
    old = event(DECLINED, 0)
    versions(monkeypatch, "fp2", "fp1")
    assert len(store.apply("q", numbered([old, event(DECLINED, 1)]), now=NOW).created) == 1


def test_a_service_of_the_same_bug_keeps_its_own_issue(store: IssueStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.apply("q", numbered([event(DECLINED, 0)]), now=NOW)
    versions(monkeypatch, "fp2", "fp1")
    result = store.apply("q", numbered([event(DECLINED, 1, service_name="mail")], 2), now=NOW)
    assert len(result.created) == 1
