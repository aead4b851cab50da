from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_processor.web.charts import nice_ceiling, short_number, sparkline, trend_chart

_counts = st.lists(st.integers(min_value=0, max_value=10**15), max_size=60)


@given(_counts, st.text(alphabet=st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=20))
def test_a_sparkline_is_well_formed_and_has_a_bar_for_each_count(counts: list[int], label: str) -> None:
    root = ElementTree.fromstring(sparkline(counts, label=label))
    bars = root.findall("rect")
    assert len(bars) == sum(1 for count in counts if count)
    assert all(0 < float(bar.attrib["height"]) <= 24 for bar in bars)
    assert root.attrib["aria-label"] == label


@given(st.lists(st.tuples(st.floats(), st.integers(min_value=0, max_value=10**15)), max_size=60))
def test_a_chart_is_well_formed_whatever_the_times(points: list[tuple[float, int]]) -> None:
    root = ElementTree.fromstring(trend_chart(points, bucket_seconds=3600, label="events"))
    assert len(root.findall("g")) == len(points)


def test_bars_are_to_scale() -> None:
    root = ElementTree.fromstring(trend_chart([(3600.0, 10), (7200.0, 5)], bucket_seconds=3600, label="events"))
    tall, low = (float(group.findall("rect")[1].attrib["height"]) for group in root.findall("g"))
    assert tall == pytest.approx(2 * low, abs=0.02)
    assert root.findall("g")[0].findtext("title") == "1970-01-01 01:00 UTC: 10"


def test_scales_people_can_read() -> None:
    assert [nice_ceiling(n) for n in (0, 1, 3, 6, 11, 499)] == [1, 1, 5, 10, 20, 500]
    assert [short_number(n) for n in (999, 1_000, 12_345, 4_100_000)] == ["999", "1k", "12.3k", "4.1M"]
