"""Local variables and source lines: the application's own frames, bounded, without secrets, when asked for."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from otel_errors.frame_details import MAX_CHARACTERS, MAX_FRAMES, MAX_LINE_CHARACTERS, frames_text
from otel_errors.semconv import FRAMES
from tests.otel_errors.conftest import Run
from tests.otel_errors.in_memory import Start
from tests.otel_errors.receiver import Receiver


class Card:
    def __repr__(self) -> str:
        raise AssertionError("nobody may call it")


def charge(amount: int, password: str, depth: int = 0) -> None:
    card = Card()
    note = "Authorization: Bearer abcdef123456"
    if depth:
        charge(amount, password, depth - 1)
    raise ValueError(f"cannot charge {amount} {card is None} {note[:3]}")  # the source line


def failed(*args: Any) -> TracebackType | None:
    try:
        charge(*args)
    except ValueError as error:
        return error.__traceback__
    return None


def frames(tb: TracebackType | None, **options: Any) -> list[dict[str, Any]]:
    text = frames_text(tb, **{"variables": True, "source_lines": 0, "max_characters": None, **options})
    return json.loads(text) if text else []


def test_the_frame_that_raised_is_first_and_secrets_are_out() -> None:
    inner, outer = frames(failed(1250, "hunter2"), source_lines=1)
    assert inner["function"] == f"{__name__}.charge"
    assert Path(inner["file"]).name == "test_frame_details.py"
    assert inner["locals"] == {
        "amount": 1250,
        "password": "[redacted]",
        "depth": 0,
        "card": f"<{__name__}.Card>",
        "note": "Authorization: Bearer [redacted]",
    }
    assert inner["source"]["first_line"] == inner["line"] - 1
    assert inner["source"]["lines"][1].endswith("# the source line")
    assert len(inner["source"]["lines"]) == 3
    assert outer["function"] == f"{__name__}.failed"
    assert outer["locals"] == {"args": [1250, "hunter2"]}, "a value alone says nothing of itself"


def test_one_without_the_other() -> None:
    tb = failed(1, "x")
    assert "source" not in frames(tb)[0]
    assert "locals" not in frames(tb, variables=False, source_lines=3)[0]
    assert [entry["line"] for entry in frames(tb)] == [
        entry["line"] for entry in frames(tb, variables=False, source_lines=3)
    ]


def test_frames_of_libraries_are_left_out(tmp_path: Path) -> None:
    def key(one: str) -> int:
        seen = one
        raise KeyError(seen)

    try:
        json.loads('{"a": 1}', object_hook=key)
    except KeyError as error:
        found = frames(error.__traceback__)
    assert [entry["function"].rpartition(".")[2] for entry in found] == [
        "key",
        "test_frames_of_libraries_are_left_out",
    ]
    installed = tmp_path / "site-packages" / "thing.py"
    scope: dict[str, Any] = {"__name__": "thing"}
    exec(compile("def f(): 1 / 0", str(installed), "exec"), scope)
    with pytest.raises(ZeroDivisionError) as caught:
        scope["f"]()
    assert [Path(entry["file"]).name for entry in frames(caught.value.__traceback__)] == ["test_frame_details.py"]


def test_a_module_shows_its_data_and_not_what_it_is_made_of(tmp_path: Path) -> None:
    file = tmp_path / "script.py"
    file.write_text("import json\ndef f(): pass\nclass C: pass\nrate = 3\nsecret = 'x'\n1 / 0\n", encoding="utf-8")
    scope: dict[str, Any] = {"__name__": "script"}
    try:
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), scope)
    except ZeroDivisionError as error:
        shown = frames(error.__traceback__, source_lines=20)[0]
    assert shown["locals"] == {"rate": 3, "secret": "[redacted]"}
    assert (shown["source"]["first_line"], shown["source"]["lines"][-1]) == (1, "1 / 0")


def test_bounds() -> None:
    deep = frames(failed(1, "x", 100))
    assert len(deep) == MAX_FRAMES
    assert deep[0]["locals"]["depth"] == 0
    big = {f"key {number}": "x" * 400 for number in range(40)}
    copies = [big] * 30

    def fail(first: Any, second: Any, third: Any, depth: int) -> None:
        if depth:
            fail(first, second, third, depth - 1)
        raise ValueError

    try:
        fail(copies, big, "short", 20)
    except ValueError as error:
        tb = error.__traceback__
    text = frames_text(tb, variables=True, source_lines=20, max_characters=None)
    assert 0 < len(text) <= MAX_CHARACTERS
    assert json.loads(text)[0]["locals"]["third"] == "short"
    for limit in (0, 10, 500, 3000):
        text = frames_text(tb, variables=True, source_lines=1, max_characters=limit)
        assert len(text) <= limit
        assert text == "" or json.loads(text)


def test_source_that_is_not_there_and_lines_without_end(tmp_path: Path) -> None:
    long = tmp_path / "long.py"
    long.write_text(f"1 / 0  # {'x' * 5000}\n", encoding="utf-8")
    for file, expected in ((long, 1), (tmp_path / "gone.py", None)):
        try:
            exec(compile("1 / 0", str(file), "exec"), {"__name__": "m"})
        except ZeroDivisionError as error:
            shown = frames(error.__traceback__, variables=False, source_lines=2)[0]
        if expected is None:
            assert "source" not in shown
        else:
            assert len(shown["source"]["lines"][0]) <= MAX_LINE_CHARACTERS + 1


def test_locals_are_read_and_not_changed() -> None:
    counted: list[int] = []

    def work() -> None:
        value = 1
        try:
            raise ValueError
        except ValueError as error:
            frames(error.__traceback__)
            value += 1
            counted.append(value)
            frames(error.__traceback__)
            value += 1
        counted.append(value)

    work()
    assert counted == [2, 3]


@pytest.mark.parametrize("mode", ["", "logs"])
def test_off_unless_asked_for_and_then_on_every_carrier(start: Start, mode: str) -> None:
    def all_sent(**options: Any) -> list[dict[str, Any]]:
        telemetry = start(mode, **options)
        for name in ("span", "log"):
            try:
                if name == "span":
                    with telemetry.tracer.start_as_current_span("s"):
                        charge(7, "hunter2")
                charge(7, "hunter2")
            except ValueError:
                logging.getLogger("shop").exception(name)
        from otel_errors.instrumentor import ErrorsInstrumentor

        ErrorsInstrumentor().uninstrument()
        return [attributes for _, attributes in telemetry.events] + [dict(one.attributes) for one in telemetry.records]

    assert [FRAMES in attributes for attributes in all_sent()] == [False] * 3
    sent = all_sent(locals=True, source_lines=2)
    assert len(sent) == 3
    for attributes in sent:
        shown = json.loads(attributes[FRAMES])[0]["locals"]
        assert (shown["amount"], shown["password"]) == (7, "[redacted]")


def test_by_the_environment_within_the_sdks_limit(run: Run, receiver: Receiver) -> None:
    done = run(
        """
        def charge(amount, api_key):
            basket = ["bread", object()]
            raise ValueError("declined")
        charge(3, "k-123")
        """,
        OTEL_ERRORS_LOCALS="true",
        OTEL_ERRORS_SOURCE_LINES="1",
        OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT="900",
    )
    assert "declined" in done.err
    text = receiver.one().attributes[FRAMES]
    assert len(text) <= 900
    first, *_ = json.loads(text)
    assert first["locals"] == {"amount": 3, "api_key": "[redacted]", "basket": ["bread", "<object>"]}
    assert first["source"] == {
        "first_line": 3,
        "lines": ['    basket = ["bread", object()]', '    raise ValueError("declined")', 'charge(3, "k-123")'],
    }
