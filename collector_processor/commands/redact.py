"""``otel-errors redact``: what the redaction stage makes of a text, from a terminal or a script."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any

import typer


def redact(
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl", help='Read one {"text", "key"?} a line from stdin, write one {"text", "redactions"} a line.'
        ),
    ] = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Add to each redaction what its rule looks for (never the value that went)."),
    ] = False,
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="A YAML file of wishes; see docs/redaction.md.")
    ] = None,
    service: Annotated[str, typer.Option("--service", help="Whose wishes of the policy count.")] = "",
) -> None:
    """Take personal data and secrets out of texts, as the service does before anything is written."""
    if not jsonl:
        raise typer.BadParameter("say --jsonl: one JSON object a line is read from stdin", param_hint="--jsonl")
    from collector_processor.commands.jsonl import process_lines, text_field
    from collector_processor.stages.redact.policy import BadPolicy
    from collector_processor.stages.redact.policy_file import load_policy

    try:
        # Pseudonyms need a key that nobody has: they are told apart within this run, and differ in the next.
        redactor = load_policy(policy, secrets.token_bytes(32)).for_service(service)
    except BadPolicy as error:
        typer.echo(f"otel-errors: {error}", err=True)
        raise typer.Exit(2) from None

    def process(record: dict[str, Any]) -> dict[str, Any]:
        text = text_field(record, "text", required=True)
        clean, redactions = redactor.text(text, text_field(record, "key") or None)
        found: list[dict[str, Any]] = [{"rule": one.rule, "start": one.start, "end": one.end} for one in redactions]
        if explain:
            for entry in found:
                entry["reason"] = redactor.rule(entry["rule"]).what
        return {"text": clean, "redactions": found}

    process_lines(process)
