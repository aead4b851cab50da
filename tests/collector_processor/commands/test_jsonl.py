"""What every ``--jsonl`` command makes of its lines, bad ones included."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from collector_processor.commands.jsonl import process_lines, text_field


def answers(source: bytes) -> list[dict[str, Any]]:
    sink = io.StringIO()
    process_lines(lambda record: {"text": text_field(record, "text", required=True)}, io.BytesIO(source), sink)
    return [json.loads(line) for line in sink.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"nonsense", "not a JSON object"),
        (b'["text"]', "a JSON object is needed, got an array"),
        (b"7", "got a number"),
        (b"true", "got a boolean"),
        (b"null", "got null"),
        (b'"text"', "got a text"),
        (b"{}", "text: missing"),
        (b'{"text": null}', "text: missing"),
        (b'{"text": {}}', "text: a text is needed, got an object"),
        (b'{"text": false}', "text: a text is needed, got a boolean"),
        (b'\xff\xfe{"text": "a"}', "not UTF-8: byte 0 is 0xff"),
        (b'{"text": "a\xe4b"}', "not UTF-8"),
        (b"[" * 100_000, "not a JSON object"),
    ],
)
def test_a_bad_line_is_an_error_on_that_line_and_the_rest_goes_on(line: bytes, said: str) -> None:
    bad, good = answers(line + b'\n{"text": "next"}\n')
    assert list(bad) == ["error"]
    assert said in bad["error"]
    assert good == {"text": "next"}


def test_an_error_never_repeats_what_the_line_held() -> None:
    for line in (b"hunter2", b'["hunter2"]', b'{"text": ["hunter2"]}', b'{"text": "hunter2', b"\xffhunter2"):
        (answer,) = answers(line)
        assert "hunter2" not in answer["error"]


def test_empty_lines_are_passed_over_a_byte_order_mark_too_and_any_text_can_be_printed() -> None:
    lines = b'\n  \n\xef\xbb\xbf{"text": "bom"}\r\n{"text": "\\ud800 \\u0000"}'
    assert answers(lines) == [{"text": "bom"}, {"text": "? \x00"}]
