from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_processor.api.times import iso
from collector_processor.web.times import ago, time_element, utc

NOW = 1_795_000_000.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (NOW, "just now"),
        (NOW - 40, "40 s ago"),
        (NOW - 61, "1 min ago"),
        (NOW - 3_600, "1 h ago"),
        (NOW - 86_400 * 3, "3 d ago"),
        (NOW - 86_400 * 20, "2 wk ago"),
        (NOW - 86_400 * 800, "2 yr ago"),
        (NOW + 7_200, "in 2 h"),
        (None, "unknown"),
        (0.0, "unknown"),
    ],
)
def test_how_long_ago(seconds: float | None, text: str) -> None:
    assert ago(seconds, NOW) == text


def test_exact_time() -> None:
    assert utc(1_764_038_854.5) == "2025-11-25 02:47:34 UTC"
    assert iso(1_764_038_854.5) == "2025-11-25T02:47:34.500Z"
    assert iso(None) is None
    assert 'datetime="2025-11-25T02:47:34.500Z"' in time_element(1_764_038_854.5, NOW)


@given(st.floats() | st.none(), st.floats(min_value=1, max_value=2e10))
def test_a_senders_clock_may_say_anything(seconds: float | None, now: float) -> None:
    ago(seconds, now)
    utc(seconds)
    time_element(seconds, now)
