"""``otel-errors serve``: the service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from collector_processor.commands.configuration import load_or_exit


def serve(
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="YAML file of settings; see docs/settings.md.")
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Receiving processes that share the OTLP ports.")
    ] = 1,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Show the effective settings, secrets masked, and stop.")
    ] = False,
) -> None:
    """Receive OTLP, group, redact, queue, forward, count; serve the pages, the API and /metrics.

    Prints "ready" once every port answers. SIGTERM and Ctrl-C drain and exit 0.
    """
    settings = load_or_exit(config)
    if print_config:
        from collector_processor.settings import masked

        typer.echo(masked(settings), nl=False)
        return
    from collector_processor.process import configure_logging
    from collector_processor.service import StartError, run
    from collector_processor.stages.redact.policy import BadPolicy
    from collector_processor.stages.redact.policy_file import load_policy

    try:
        load_policy(settings.redaction.policy, b"")  # a bad policy ends here, like any bad setting
    except BadPolicy as error:
        typer.echo(f"otel-errors: {error}", err=True)
        raise typer.Exit(2) from None
    configure_logging(settings)
    try:
        run(settings, workers=workers, on_ready=lambda: print("ready", flush=True))
    except StartError as error:
        typer.echo(f"otel-errors serve: {error}", err=True)
        raise typer.Exit(1) from None
