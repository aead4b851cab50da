"""The command line: names and help texts; each command's work is in a file of ``commands/``."""

from __future__ import annotations

from typing import Annotated

import typer

from collector_processor.commands.assets import app as assets
from collector_processor.commands.demo import demo
from collector_processor.commands.fingerprint import fingerprint
from collector_processor.commands.ingest_keys import app as ingest_keys
from collector_processor.commands.issues import app as issues
from collector_processor.commands.parameterize import parameterize
from collector_processor.commands.redact import redact
from collector_processor.commands.send_test import send_test
from collector_processor.commands.serve import serve
from otel_errors.version import __version__

app = typer.Typer(
    name="otel-errors",
    help="Error tracking for teams that already run OpenTelemetry and Grafana.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"otel-errors {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Error tracking for teams that already run OpenTelemetry and Grafana."""


app.command()(demo)
app.command()(serve)
app.command()(fingerprint)
app.command()(parameterize)
app.command()(redact)
app.command("send-test")(send_test)
app.add_typer(issues, name="issues")
app.add_typer(ingest_keys, name="ingest-keys")
app.add_typer(assets, name="assets")
