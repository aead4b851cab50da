from __future__ import annotations

import json

import typer
from typer.testing import CliRunner

from collector_processor.commands.parameterize import parameterize

app = typer.Typer()
app.command()(parameterize)


def test_lines() -> None:
    lines = ['{"message": "order 12"}', "{}", '{"message": 3}', "nonsense", '{"message": ""}']
    result = CliRunner().invoke(app, ["--jsonl"], input="\n".join(lines).encode())
    assert result.exit_code == 0
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert answers[0] == {"message": "order <int>"}
    assert answers[4] == {"message": ""}
    assert [set(answer) for answer in answers[1:4]] == [{"error"}] * 3


def test_without_jsonl_it_is_a_usage_error() -> None:
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 2
    assert "--jsonl" in result.output
