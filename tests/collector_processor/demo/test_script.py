"""The script: the same for the same seed, every bug in it, and an end only where one is promised."""

from __future__ import annotations

import itertools
from collections import Counter

from collector_processor.demo.bugs import BUGS
from collector_processor.demo.customers import SECRETS, STOCK_DSN
from collector_processor.demo.script import bounded, gentle


def test_the_same_seed_gives_the_same_script() -> None:
    assert bounded(3) == bounded(3)
    assert bounded(3) != bounded(4)


def test_every_bug_is_provoked_and_most_by_different_numbers() -> None:
    provoked: Counter[str] = Counter()
    for step in bounded(1):
        provoked.update(step.raises)
    assert set(provoked) == {bug.key for bug in BUGS}
    assert min(provoked.values()) >= 2
    assert len(set(provoked.values())) >= 6


def test_healthy_requests_are_among_them() -> None:
    assert len([step for step in bounded(1) if not step.raises]) > 50


def test_the_gentle_script_goes_on_and_meets_every_bug() -> None:
    steps = list(itertools.islice(gentle(1), 4 * 89))
    assert sum(1 for step in steps if step.raises) == 89
    assert {key for step in steps for key in step.raises} == {bug.key for bug in BUGS}


def test_no_secret_is_part_of_another_text_that_may_stay() -> None:
    """A customer number or path that held one would be found where nothing is wrong."""
    paths = [step.path + step.user for step in bounded(1)]
    assert not [path for path in paths for secret in SECRETS if secret in path]
    assert SECRETS[-1] in STOCK_DSN
