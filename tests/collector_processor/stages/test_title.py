from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_processor.stages.title import MAX_TITLE, title


@pytest.mark.parametrize(
    ("type_", "message", "expected"),
    [
        ("shop.payments.CardDeclined", "card 4111111111111111 declined", "CardDeclined: card <int> declined"),
        ("ValueError", "", "ValueError"),
        ("", "order 12 failed", "order <int> failed"),
        ("", "", "unknown error"),
        ("E", "\n\n  first\tline  \nsecond", "E: first line"),
        ("a.b$Inner", "x", "Inner: x"),
        ("ActionView::Template::Error", "x", "Template::Error: x"),
        ("reqwest::Error", "x", "reqwest::Error: x"),
        ("System.Error", "x", "Error: x"),
        ("::Error", "x", "Error: x"),
        ("E", "mail bob@example.com", "E: mail <email>"),
        ("E", "no postgresql://app:[password]@db.example:5432/x for 7", "E: no <url> for <int>"),
        ("E", "GET http://[::1]:80/a?token=[token]&b=1 failed", "E: GET <url> failed"),
        ("E", "nul\x00 and \x1b[31mred", "E: nul  and  [31mred"),
    ],
)
def test_title(type_: str, message: str, expected: str) -> None:
    assert title(type_, message) == expected


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=300), st.text(max_size=4000))
def test_one_short_printable_line(type_: str, message: str) -> None:
    made = title(type_, message)
    assert 0 < len(made) <= MAX_TITLE
    assert made.isprintable()
