from __future__ import annotations

import json
from typing import Any

import typer
from typer.testing import CliRunner

from collector_processor.commands.fingerprint import fingerprint
from collector_processor.stages.fingerprint import group
from tests.collector_processor.stages.traces import FAILURES, LOOKUP, Failure

app = typer.Typer()
app.command()(fingerprint)


def run(*lines: str, explain: bool = False) -> list[dict[str, Any]]:
    arguments = ["--jsonl", "--explain"] if explain else ["--jsonl"]
    result = CliRunner().invoke(app, arguments, input="".join(line + "\n" for line in lines).encode())
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def line(failure: Failure) -> str:
    record = {"type": failure.type, "message": failure.message, "stacktrace": failure.text()}
    return json.dumps({**record, "language": failure.language})


def test_the_whole_answer() -> None:
    cause = Failure("python", type="KeyError", message="'x'", calls=LOOKUP)
    failure = FAILURES[0].but(cause=cause, calls=FAILURES[0].calls[-1:])
    (answer,) = run(line(failure))
    expected = group(type=failure.type, message=failure.message, stacktrace=failure.text(), language="python")
    empty = {"module": None, "column": None, "in_app": True}
    assert answer == {
        "fingerprint": expected.fingerprint,
        "title": "CardDeclined: card of order <int> declined",
        "culprit": "shop/payments.py in charge_card",
        "language": "python",
        "exceptions": [
            {
                "type": "shop.payments.CardDeclined",
                "message": "card of order 4711 declined",
                "parent": None,
                "frames": [{"function": "charge_card", "file": "/app/shop/payments.py", "line": 42, **empty}],
            },
            {
                "type": "KeyError",
                "message": "'x'",
                "parent": 0,
                "frames": [{"function": "lookup", "file": "/app/shop/accounts.py", "line": 7, **empty}],
            },
        ],
    }


def test_unknown_is_null() -> None:
    (answer,) = run("{}")
    assert (answer["culprit"], answer["language"], answer["exceptions"]) == (None, None, [])
    (answer,) = run('{"type": "E"}')
    assert answer["exceptions"] == [{"type": "E", "message": None, "parent": None, "frames": []}]


def test_what_the_text_alone_says_makes_the_title() -> None:
    (answer,) = run(json.dumps({"stacktrace": FAILURES[0].text()}))
    assert answer["title"] == "CardDeclined: card of order <int> declined"


def test_explain() -> None:
    (plain,) = run(line(FAILURES[1]))
    (explained,) = run(line(FAILURES[1]), explain=True)
    components = explained.pop("components")
    assert explained == plain
    assert components[:2] == ["type: CardDeclined", "raised: payments.js:charge_card"]


def test_bad_lines_are_answered_and_the_rest_goes_on() -> None:
    answers = run("{bad", "[1]", '{"type": 7}', line(FAILURES[0]))
    assert [set(answer) == {"error"} for answer in answers] == [True, True, True, False]
    assert "type: a text is needed, got a number" in answers[2]["error"]


def test_without_jsonl_it_is_a_usage_error() -> None:
    result = CliRunner().invoke(app, [], input="")
    assert result.exit_code == 2
    assert "--jsonl" in result.output
