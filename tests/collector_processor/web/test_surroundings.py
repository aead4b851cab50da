"""Local variables, source lines and what was logged before, on the page of an issue."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from collector_processor.events import RawError
from collector_processor.otlp.carrier_redaction import RequestRedaction
from collector_processor.stages.normalise import MAX_SURROUNDINGS, normalise
from collector_processor.stages.redact import Redactor
from collector_processor.stages.redact_event import redacted_event
from collector_processor.web.surroundings import FrameDetails, LoggedLine, surroundings
from otel_errors.frame_details import frames_text
from otel_errors.last_log_records import record_text, records_text
from otel_errors.semconv import FRAMES, LAST_LOG_RECORDS
from tests.collector_processor.api.stored import Stored, error
from tests.collector_processor.web.markup import Markup
from tests.collector_processor.web.test_hostile_texts import HOSTILE


def attributes_of_the_library() -> dict[str, str]:
    """As an application sends them."""

    def charge(mail: str, number: int) -> None:
        card = {"holder": mail, "note": f"paid with {number}"}
        raise ValueError(len(card))

    try:
        charge("ann@example.com", 4111111111111111)
    except ValueError as failed:
        frames = frames_text(failed.__traceback__, variables=True, source_lines=1, max_characters=None)
    record = logging.LogRecord("shop", logging.INFO, "f", 1, "mail to %s", ("ann@example.com",), None)
    return {FRAMES: frames, LAST_LOG_RECORDS: records_text((record_text(record),), None)}


def raw(attributes: dict[str, Any]) -> RawError:
    return RawError(signal="logs", resource={}, attributes={"exception.type": "E", **attributes})


def test_what_the_library_sends_is_kept_redacted_and_read() -> None:
    event = redacted_event(normalise(raw(attributes_of_the_library())), RequestRedaction(Redactor()).text, b"k" * 32)
    text = "".join(event.attributes.values())
    assert "ann@example.com" not in text
    assert "4111111111111111" not in text
    found = surroundings(event.attributes)
    assert found.logged[0].message == "mail to [email]"
    assert "mail to" not in "".join(found.other.values())
    assert dict(found.frames[0].variables) == {
        "mail": "[email]",
        "number": "[card]",
        "card": '{"holder": "[email]", "note": "paid with [card]"}',
    }


def test_variables_and_lines() -> None:
    text = json.dumps(
        [
            {
                "function": "shop.charge",
                "file": "/srv/shop.py",
                "line": 18,
                "locals": {"amount": 3, "cart": {"a": [1]}, "long": "x" * 900},
                "source": {"first_line": 17, "lines": ["if x:", "    raise", ""]},
            },
            {"function": "main"},
        ]
    )
    first, second = surroundings({FRAMES: text, "a": "b"}).frames
    assert first.variables == [("amount", "3"), ("cart", '{"a": [1]}'), ("long", "x" * 500 + "…")]
    assert first.numbered == [(17, "if x:", False), (18, "    raise", True), (19, "", False)]
    assert second == FrameDetails("main")
    assert second.numbered == second.variables == []
    assert surroundings({FRAMES: text, "a": "b"}).other == {"a": "b"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "{}",
        "[1]",
        '[{"line": "x"}]',
        '[{"locals": [1]}]',
        "[" * 100_000,
        '[{"source": {"lines": [1]}}]',
    ],
)
def test_what_cannot_be_read_stays_text(text: str) -> None:
    found = surroundings({FRAMES: text})
    assert (found.frames, found.other) == ([], {FRAMES: text})
    text = text.replace("line", "message").replace("locals", "level").replace("source", "time")
    found = surroundings({LAST_LOG_RECORDS: text.replace('"x"', "7")})
    assert found.logged == []


def test_too_long_a_text_is_left_out_whole() -> None:
    short, long = "[" + " " * 5000 + "]", "[" + " " * MAX_SURROUNDINGS + "]"
    assert normalise(raw({FRAMES: short, LAST_LOG_RECORDS: long})).attributes == {FRAMES: short}


async def test_the_page(stored: Stored) -> None:
    stored.add(error(1, attributes={**attributes_of_the_library(), "http.route": "/pay"}))
    async with stored.client(Accept="text/html") as client:
        page = Markup((await client.get(f"/issues/{stored.id_of(1)}")).text)
    assert page.faults == []
    for text in ("Variables and source", "raise ValueError(len(card))", "holder", "Logged before", "mail to", "/pay"):
        assert text in page.text
    assert FRAMES not in page.text


@pytest.mark.parametrize("case", HOSTILE)
async def test_whatever_a_sender_writes_stays_text(stored: Stored, case: str) -> None:
    text = HOSTILE[case]
    source = {"first_line": 1, "lines": [text, text]}
    frame = {"function": text, "file": text, "line": 2, "locals": {text: text, "a": {text: [text]}}, "source": source}
    line = dict.fromkeys(("time", "level", "logger", "message"), text)
    stored.add(error(1, attributes={FRAMES: json.dumps([frame]), LAST_LOG_RECORDS: json.dumps([line])}))
    async with stored.client(Accept="text/html") as client:
        response = await client.get(f"/issues/{stored.id_of(1)}")
    page = Markup(response.text)
    assert response.status_code == 200
    assert page.faults == []
    assert not {c for c in response.text if c in "\u202e\u2066\u2069\u200b\ufeff\x1b\x07\x0b\x7f"}
    assert surroundings({LAST_LOG_RECORDS: json.dumps([line])}).logged == [LoggedLine(text, text, text, text)]
