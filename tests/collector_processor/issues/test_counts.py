from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_processor.issues.counts import without_moves


@pytest.mark.parametrize(
    ("changes", "exposed"),
    [
        ({1: 3}, {1: 3}),
        ({1: -3, 2: 6}, {1: 0, 2: 3}),
        ({1: -2, 2: 1, 3: 1}, {1: 0, 2: 0, 3: 0}),
        ({1: -2, 2: 1}, {1: -1, 2: 0}),
        ({}, {}),
    ],
)
def test_what_only_moved_stays_where_it_was_exposed(changes: dict[int, int], exposed: dict[int, int]) -> None:
    assert without_moves(changes) == exposed


@given(st.dictionaries(st.integers(0, 5), st.integers(-4, 4)))
def test_the_sum_stays_and_a_fall_is_left_only_when_all_fell(changes: dict[int, int]) -> None:
    exposed = without_moves(changes)
    assert sum(exposed.values()) == sum(changes.values())
    assert min(exposed.values(), default=0) >= 0 or max(exposed.values()) <= 0
