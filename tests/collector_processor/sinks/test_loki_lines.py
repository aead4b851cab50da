from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_processor.events import ErrorEvent
from collector_processor.sink import SinkRecord
from collector_processor.sinks import loki_lines
from collector_processor.sinks.loki_lines import Streams, entry, line_of, metadata_of, push_body


def event(**fields: Any) -> ErrorEvent:
    return ErrorEvent(**{"signal": "log", "time_unix_nano": 1, "service_name": "shop", **fields})


@pytest.mark.parametrize(
    ("case", "fields", "line"),
    [
        ("type and message", {"type": "E", "message": "m"}, "E: m"),
        ("message only", {"message": "m"}, "m"),
        ("type only", {"type": "E"}, "E"),
        ("nothing but a title", {"title": "t"}, "t"),
        ("nothing", {}, "error"),
        ("a stack that says it last", {"type": "E", "message": "m", "stacktrace": "Trace\nE: m"}, "E: m\nTrace\nE: m"),
        ("a stack that says it first", {"type": "E", "message": "m", "stacktrace": "E: m\n\tat f"}, "E: m\n\tat f"),
    ],
)
def test_line(case: str, fields: dict[str, str], line: str) -> None:
    assert line_of(event(**fields)) == line


def test_a_long_stack_keeps_its_tail() -> None:
    line = line_of(event(type="E", message="m", stacktrace="ä" * 400_000 + "the end"))
    assert line.startswith("E: m\n[… shortened …]\nä")
    assert line.endswith("the end")
    assert 249_000 < len(line.encode()) <= loki_lines.MAX_LINE_BYTES


def test_a_long_stack_that_starts_with_the_error_keeps_both_ends() -> None:
    line = line_of(event(type="E", message="m", stacktrace="E: m\n" + "\tat x\n" * 100_000 + "the end"))
    assert line.startswith("E: m\n[… shortened …]\n")
    assert line.endswith("the end")
    assert len(line.encode()) <= loki_lines.MAX_LINE_BYTES


def test_a_long_message_leaves_room_for_the_stack() -> None:
    line = line_of(event(type="E", message="m" * 1_000_000, stacktrace="frames\nE: mmm"))
    assert line.endswith("…\nframes\nE: mmm")
    assert len(line.encode()) < 20_000


def test_metadata_is_bounded() -> None:
    many = {f"key.{n}": "é" * 5_000 for n in range(500)}
    metadata = metadata_of(
        SinkRecord(event=event(type="T" * 9_000, tags=many, attributes=many), issue_id="1", position=1), ("shop", "")
    )
    assert len(metadata) <= 100
    assert max(len(value.encode()) for value in metadata.values()) <= 1_000
    assert sum(len(name) + len(value.encode()) for name, value in metadata.items()) <= 32_000
    assert metadata["issue_id"] == "1"


def test_an_attribute_cannot_take_the_place_of_ours() -> None:
    made = event(attributes={"issue.id": "99", "severity": "low", "1st": "x", "ключ": "y"}, severity="critical")
    metadata = metadata_of(SinkRecord(event=made, issue_id="7", position=1), ("shop", ""))
    assert metadata["issue_id"] == "7"
    assert metadata["severity"] == "critical"
    assert metadata["_1st"] == "x"
    assert all(name.isascii() for name in metadata)


def test_a_flood_of_service_names_does_not_make_a_flood_of_streams() -> None:
    streams = Streams(limit=2)
    made = [
        entry(SinkRecord(event=event(service_name=name), issue_id="1", position=1), streams)
        for name in ("a", "b", "c", "a", "d")
    ]
    assert [one.stream[0] for one in made] == ["a", "b", "other", "a", "other"]
    assert made[2].metadata["service"] == "c"
    assert "service" not in made[0].metadata


_texts = st.text(max_size=60)


@given(
    type_name=_texts,
    message=_texts,
    stacktrace=st.text(max_size=400),
    service=_texts,
    environment=_texts,
    tags=st.dictionaries(_texts, _texts, max_size=5),
    attributes=st.dictionaries(_texts, _texts, max_size=5),
)
def test_any_event_gives_a_valid_body_and_always_the_same(
    type_name: str, message: str, stacktrace: str, service: str, environment: str, tags: Any, attributes: Any
) -> None:
    made = event(
        type=type_name,
        message=message,
        stacktrace=stacktrace,
        service_name=service,
        environment=environment,
        tags=tags,
        attributes=attributes,
    )
    bodies = {push_body([entry(SinkRecord(event=made, issue_id="1", position=1), Streams())]) for _ in range(2)}
    assert len(bodies) == 1
    (stream,) = json.loads(bodies.pop())["streams"]
    assert set(stream["stream"]) <= {"service_name", "deployment_environment_name", "source"}
    ((_, line, metadata),) = stream["values"]
    assert line
    assert all(isinstance(value, str) and value for value in metadata.values())
