"""``redact``: JSON lines in, JSON lines out, a bad line costs only itself."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from collector_processor.commands.redact import redact

APP = typer.Typer()
APP.command()(redact)


def run(lines: list[str], *options: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(APP, ["--jsonl", *options], input="\n".join(lines) + "\n")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_text_with_and_without_a_finding() -> None:
    assert run(['{"text": "mail ann@example.com"}', '{"text": "nothing here"}']) == [
        {"text": "mail [email]", "redactions": [{"rule": "email", "start": 5, "end": 20}]},
        {"text": "nothing here", "redactions": []},
    ]


def test_the_key_decides() -> None:
    line = '{"text": "abc", "key": "db.password"}'
    assert run([line]) == [{"text": "[password]", "redactions": [{"rule": "password", "start": 0, "end": 3}]}]
    assert run(['{"text": "abc", "key": null}']) == [{"text": "abc", "redactions": []}]


def test_explain_says_why_and_never_what() -> None:
    (answer,) = run(['{"text": "mail ann@example.com"}'], "--explain")
    (redaction,) = answer["redactions"]
    assert set(redaction) == {"rule", "start", "end", "reason"}
    assert "e-mail addresses" in redaction["reason"]
    assert "ann" not in json.dumps(answer)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("not json", "not a JSON object"),
        ("[1]", "a JSON object is needed, got an array"),
        ("{}", "text: missing"),
        ('{"text": 5}', "text: a text is needed, got a number"),
        ('{"text": "a", "key": 5}', "key: a text is needed, got a number"),
    ],
)
def test_a_bad_line_costs_only_itself(line: str, said: str) -> None:
    bad, good = run([line, '{"text": "ann@example.com"}'])
    assert said in bad["error"]
    assert good["text"] == "[email]"


def test_characters_beyond_the_basic_plane_and_lone_surrogates() -> None:
    (answer,) = run([r'{"text": "\ud83d\ude00 \ud800 ann@example.com"}'])
    assert answer == {"text": "😀 \ufffd [email]", "redactions": [{"rule": "email", "start": 4, "end": 19}]}


def test_without_jsonl_it_is_a_usage_error() -> None:
    result = CliRunner().invoke(APP, [])
    assert result.exit_code == 2
    assert "--jsonl" in result.output


def test_a_real_process_answers_line_by_line() -> None:
    program = "import typer; from collector_processor.commands.redact import redact; typer.run(redact)"
    with subprocess.Popen(
        [sys.executable, "-c", program, "--jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for number in range(3):
            child.stdin.write(json.dumps({"text": f"u{number}@example.com"}) + "\n")
            child.stdin.flush()
            assert json.loads(child.stdout.readline())["text"] == "[email]"
        child.stdin.close()
        assert child.wait(20) == 0
