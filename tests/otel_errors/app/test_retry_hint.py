from __future__ import annotations

import pytest

from otel_errors.retry_hint import MAX_SERVICES, RetryHints


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_wait_doubles_up_to_the_longest_and_starts_again_after_the_window() -> None:
    clock = Clock()
    hints = RetryHints(clock=clock, longest_seconds=8, window_seconds=60)
    for longest in (1, 2, 4, 8, 8):
        assert longest / 2 <= hints.failed("bank").retry_after <= longest
    assert hints.failed("bank").open_circuit
    clock.now += 61
    assert hints.failed("bank").failures == 1
    assert all(hints.failed("bank").retry_after <= 8 for _ in range(5000))


def test_a_hint_counts_down_and_ends() -> None:
    clock = Clock()
    hints = RetryHints(clock=clock)
    hints.failed("bank", 10)
    clock.now += 4
    hint = hints.hint("bank")
    assert hint is not None
    assert (hint.retry_after, hint.failures) == (6, 1)
    clock.now += 6
    assert hints.hint("bank") is None
    assert hints.hint("never heard of") is None


def test_it_stays_small() -> None:
    hints = RetryHints()
    for number in range(MAX_SERVICES + 10):
        hints.failed(str(number), 30)
    assert hints.hint("9") is None
    assert hints.hint("10") is not None


@pytest.mark.parametrize("name", ["open_after", "window_seconds", "first_seconds", "longest_seconds"])
def test_a_limit_that_is_none_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: 0: more than 0"):
        RetryHints(**{name: 0})
