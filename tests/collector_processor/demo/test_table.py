"""The table in the terminal: order, and texts that a terminal or rich would obey."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from collector_processor.demo.table import clock, issue_table
from tests.collector_processor.demo.test_ledger import DECLINED


def printed(*issues: object) -> str:
    out = io.StringIO()
    Console(file=out, width=150, force_terminal=False).print(issue_table(issues))  # type: ignore[arg-type]
    return out.getvalue()


def test_the_gravest_come_first_then_the_most_frequent() -> None:
    text = printed(
        replace(DECLINED, title="rare", count=1),
        replace(DECLINED, title="frequent", count=9),
        replace(DECLINED, title="paging", severity="critical", count=1),
        replace(DECLINED, title="harmless", severity="low", count=99),
        replace(DECLINED, title="of a later version", severity="unheard-of", count=100),
    )
    words = ("paging", "frequent", "rare", "harmless", "of a later")
    assert sorted(words, key=text.index) == list(words)


def test_titles_are_texts_and_nothing_else() -> None:
    text = printed(replace(DECLINED, title="a [bold red]word[/] \x1b[2J\x1b]0;owned\x07 \u202ereversed"))
    assert "[bold red]word[/]" in text
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text


def test_a_time_is_shown_as_the_time_of_day_and_anything_else_as_it_is() -> None:
    assert len(clock("2026-11-25T03:00:00.123456Z")) == len("03:00:00")
    assert clock("yesterday") == "yesterday"
