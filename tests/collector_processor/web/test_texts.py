from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_processor.web.texts import plain_line, shortened, shortened_middle, visible, visible_line


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\"><img src=x onerror='x'>", "&#34;&gt;&lt;img src=x onerror=&#39;x&#39;&gt;"),
        ("a\nb\tc", "a\nb\tc"),
        ("naïve 漢字 👩", "naïve 漢字 👩"),
    ],
)
def test_markup_is_escaped(text: str, html: str) -> None:
    assert str(visible(text)) == html


@pytest.mark.parametrize(
    "character", list("\x00\x1b\r\x7f\x85\u00ad\u200b\u200d\u202e\u2066\u2069\ufeff\ud800\U000e0041")
)
def test_hidden_characters_are_shown_by_their_code_point(character: str) -> None:
    shown = str(visible(f"a{character}b"))
    assert character not in shown
    assert f"U+{ord(character):04X}" in shown
    assert f"[U+{ord(character):04X}]" in plain_line(f"a{character}b") or character.isspace()


def test_one_line_stays_one_line() -> None:
    assert str(visible_line("a\n  b\r\n\tc")) == "a b c"
    assert plain_line("a\nb") == "a b"


def test_long_texts_say_how_much_is_missing() -> None:
    assert shortened("x" * 1_000_000, 10) == "x" * 10 + " … (999,990 more characters)"
    middle = shortened_middle("a" * 600 + "b" * 600, 1_000)
    assert middle.startswith("a" * 500 + "\n… (200 characters left out) …\n")
    assert middle.endswith("b" * 500)


@given(st.text())
def test_no_text_makes_an_element_of_its_own(text: str) -> None:
    without_ours = re.sub(
        r'<span class="hidden-character" title="[^"<>]*">U\+[0-9A-F]{4,6}</span>', "", str(visible(text))
    )
    assert not set("<>\"'") & set(without_ours)
    assert not {c for c in plain_line(text) if c < " " or c in "\u202e\u2066\u200b"}
    plain_line(text).encode()
