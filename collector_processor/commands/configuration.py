"""Settings for a command: read, warned about on stderr, or the command's end with exit status 2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collector_processor.settings import Settings


def load_or_exit(config: Path | None) -> Settings:
    """The effective settings. What is wrong with them goes to stderr, key, value and what is allowed, and the command
    exits 2."""
    from collector_processor.settings import SettingsError, load

    try:
        settings, warnings = load(config)
    except SettingsError as error:
        typer.echo(f"otel-errors: {error}", err=True)
        raise typer.Exit(2) from None
    for warning in warnings:
        typer.echo(f"otel-errors: {warning}", err=True)
    return settings
