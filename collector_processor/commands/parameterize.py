"""``otel-errors parameterize --jsonl``: messages as grouping sees them."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def parameterize(
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help='Read {"message"} a line from stdin, write {"message"} a line.')
    ] = False,
) -> None:
    """Messages with their volatile parts replaced: <uuid>, <int>, <ip> and so on."""
    if not jsonl:
        raise typer.BadParameter("--jsonl is needed: messages are read from stdin as JSON lines", param_hint="--jsonl")
    from collector_processor.commands.jsonl import process_lines

    process_lines(_parameterize)


def _parameterize(record: dict[str, Any]) -> dict[str, Any]:
    from collector_processor.commands.jsonl import text_field
    from collector_processor.stages.parameterize import parameterize as replace

    return {"message": replace(text_field(record, "message", required=True))}
