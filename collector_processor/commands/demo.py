"""``otel-errors demo``: the main job with nothing else installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    once: Annotated[
        bool,
        typer.Option(
            "--once",
            help="Play a bounded script, compare the issues with what was provoked, stop; exit 0 if they are equal.",
        ),
    ] = False,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            metavar="DIR",
            file_okay=False,
            help="Keep queue, store and logs here. Default: a temporary folder, removed at the end.",
        ),
    ] = None,
) -> None:
    """Run the processor, and a small shop whose bugs become issues: in this terminal and on its page.

    Everything is on loopback: three instrumented services, real exceptions of many kinds, healthy requests between
    them. Ports 4317, 4318 and 8080 are used as far as they are free. Ctrl-C ends it.
    """
    from collector_processor.demo import run

    raise typer.Exit(run(once=once, data_dir=data_dir))
