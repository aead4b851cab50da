"""The table in the terminal: order, and texts that a terminal or rich would obey."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from collector_processor.demo import Issue
from collector_processor.demo.table import WIDE, clock, issue_table
from tests.collector_processor.demo.test_ledger import DECLINED


def printed(*issues: Issue, width: int = 150) -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=False).print(issue_table(issues, wide=width >= WIDE))
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


def test_in_a_narrow_terminal_the_culprit_stands_below_the_title() -> None:
    issue = replace(DECLINED, title="CardDeclined: no", culprit="payments.py in charge")
    wide, narrow = printed(issue), printed(issue, width=90)
    (line,) = [line for line in wide.splitlines() if "CardDeclined" in line]
    assert "payments.py in charge" in line
    lines = narrow.splitlines()
    (number,) = [number for number, line in enumerate(lines) if "CardDeclined: no" in line]
    assert "payments.py in charge" in lines[number + 1]
    assert max(map(len, lines)) <= 90


def test_a_time_is_shown_as_the_time_of_day_and_anything_else_as_it_is() -> None:
    assert len(clock("2026-11-25T03:00:00.123456Z")) == len("03:00:00")
    assert clock("yesterday") == "yesterday"
