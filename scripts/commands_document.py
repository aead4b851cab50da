"""Writes docs/commands.md from the commands themselves: python scripts/commands_document.py [--check]."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from collector_processor.cli import app

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
BEGIN, END = "<!-- commands: begin -->\n", "<!-- commands: end -->\n"


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its full name."""
    below = getattr(command, "commands", {})
    if not below:
        yield name, command
    for part, child in below.items():
        yield from commands(child, f"{name} {part}")


def section(name: str, command: Any) -> str:
    """A command as Markdown: how it is called, its help, its arguments and options."""
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and one.name != "help"]
    call = " ".join([name, *(_placeholder(one) for one in arguments), *(["[OPTIONS]"] if options else [])])
    lines = [f"## `{name}`", "", _prose(command.help), "", "```text", call, "```", ""]
    if arguments or options:
        lines += ["| | default | |", "|---|---|---|"]
        lines += [_row(f"`{_placeholder(one)}`", one) for one in arguments]
        lines += [_row(", ".join(f"`{flag}`" for flag in one.opts), one) for one in options]
        lines.append("")
    return "\n".join(lines)


def _placeholder(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _row(name: str, parameter: Any) -> str:
    default = parameter.default
    shown = "needed" if parameter.required else f"`{default}`" if default not in (None, "", False, (), []) else ""
    variable = f" Also from `{parameter.envvar}`." if getattr(parameter, "envvar", None) else ""
    text = _prose(getattr(parameter, "help", None)) + variable
    return f"| {name} | {shown} | {text} |"


def _prose(text: str | None) -> str:
    """A help text as a line of Markdown."""
    return " ".join((text or "").split()).replace("<", "&lt;").replace("|", "\\|")


def document() -> str:
    """The document with its commands made anew."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    made = "\n".join(section(name, command) for name, command in commands(typer.main.get_command(app), "otel-errors"))
    return before + BEGIN + "\n" + made + "\n" + END + rest.partition(END)[2]


if __name__ == "__main__":
    wanted = document()
    if "--check" in sys.argv[1:]:
        raise SystemExit(
            0
            if DOCUMENT.read_text(encoding="utf-8") == wanted
            else f"{DOCUMENT.name} is not current: python scripts/commands_document.py"
        )
    DOCUMENT.write_text(wanted, encoding="utf-8")
