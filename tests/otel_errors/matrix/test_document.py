"""The table in the documents is the table of the tests."""

from __future__ import annotations

from tests.otel_errors.matrix.document import BEGIN, END, PATH, table, whole


def test_the_table_is_current() -> None:
    text = PATH.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert text == whole(text), "python -m tests.otel_errors.matrix.document writes it"
    assert len(table().splitlines()) > 60
