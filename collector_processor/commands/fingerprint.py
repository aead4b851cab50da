"""``otel-errors fingerprint --jsonl``: which issue an error would be in, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collector_processor.events import ExceptionNode
    from collector_processor.stages.grouping_rules import GroupingRules


def fingerprint(
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl", help='Read {"type","message","stacktrace","language"?} a line from stdin, write JSON lines.'
        ),
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add what went into the fingerprint and what was left out.")
    ] = False,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Group by the settings of this file.")
    ] = None,
) -> None:
    """Fingerprint, title, culprit and frames of errors, as the service computes them."""
    if not jsonl:
        raise typer.BadParameter("--jsonl is needed: errors are read from stdin as JSON lines", param_hint="--jsonl")
    from collector_processor.commands.configuration import load_or_exit
    from collector_processor.commands.jsonl import process_lines
    from collector_processor.stages.grouping_rules import DEFAULT_RULES, rules_of

    rules = rules_of(load_or_exit(config).grouping) if config is not None else DEFAULT_RULES
    process_lines(lambda record: _fingerprint(record, rules, explain=explain))


def _fingerprint(record: dict[str, Any], rules: GroupingRules, *, explain: bool) -> dict[str, Any]:
    from collector_processor.commands.jsonl import text_field
    from collector_processor.stages.fingerprint import group
    from collector_processor.stages.title import title

    type_, message = text_field(record, "type"), text_field(record, "message")
    grouping = group(
        type=type_,
        message=message,
        stacktrace=text_field(record, "stacktrace"),
        language=text_field(record, "language"),
        rules=rules,
    )
    outermost = grouping.exceptions[0] if grouping.exceptions else None
    answer: dict[str, Any] = {
        "fingerprint": grouping.fingerprint,
        "title": title(
            type_ or (outermost and outermost.type) or "",
            message or (outermost and outermost.message) or "",
        ),
        "culprit": grouping.culprit or None,
        "language": grouping.language or None,
        "exceptions": [_exception(node, grouping.language) for node in grouping.exceptions],
    }
    if explain:
        answer["components"] = list(grouping.components)
    return answer


def _exception(node: ExceptionNode, language: str) -> dict[str, Any]:
    from collector_processor.stacktraces.qualified import module_of

    return {
        "type": node.type,
        "message": node.message,
        "parent": node.parent,
        "frames": [
            {
                "function": frame.function,
                "module": frame.module or module_of(frame.function, language),
                "file": frame.file,
                "line": frame.line,
                "column": frame.column,
                "in_app": frame.in_app,
            }
            for frame in node.frames
        ],
    }
