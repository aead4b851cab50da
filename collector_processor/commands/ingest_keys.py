"""``otel-errors ingest-keys``: who may send."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector_processor.commands.configuration import load_or_exit

if TYPE_CHECKING:
    from collector_processor.otlp.ingest_keys import KeyFile

app = typer.Typer(help="Keys that applications and pages send with.", no_args_is_help=True)

Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="YAML file of settings; see docs/settings.md.")
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for, for people.")],
    browser: Annotated[bool, typer.Option("--browser", help="For pages: works only from its origins.")] = False,
    origin: Annotated[
        list[str] | None, typer.Option("--origin", help="scheme://host[:port] of the pages; may be given again.")
    ] = None,
    config: Config = None,
) -> None:
    """Make a key and print it, once: only its digest is kept.

    Clients send it as "Authorization: Bearer KEY" (OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer KEY"). From the
    first key on every OTLP request needs one.
    """
    with _file(config) as keys:
        key, _ = keys.create(name, "browser" if browser else "server", origin or [], time.time())
    typer.echo(key)


@app.command("list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False, config: Config = None
) -> None:
    """Show the keys: id, name, kind, origins, when they were made."""
    with _file(config) as keys:
        found = keys.read()
    for key in found:
        if as_json:
            shown = {"id": key.id, "name": key.name, "kind": key.kind, "origins": key.origins, "created": key.created}
            typer.echo(json.dumps(shown))
        else:
            typer.echo(f"{key.id}  {key.created}  {key.kind:7}  {key.name}  {' '.join(key.origins)}".rstrip())
    if not found and not as_json:
        typer.echo("no ingest keys: whoever reaches the OTLP ports may send, so only loopback addresses are bound")


@app.command()
def revoke(key: Annotated[str, typer.Argument(help="Its name or id.")], config: Config = None) -> None:
    """End a key. Receivers notice within a second."""
    with _file(config) as keys:
        gone = keys.revoke(key)
    typer.echo(f"{gone.id}  {gone.name} works no more")


class _file:
    """The key file of the settings; what is wrong with it ends the command with status 1 and its reason."""

    def __init__(self, config: Path | None) -> None:
        self._settings = load_or_exit(config)

    def __enter__(self) -> KeyFile:
        from collector_processor.otlp.ingest_keys import KeyFile

        return KeyFile(self._settings.ingest_keys_file)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        from collector_processor.otlp.ingest_keys import KeysUnusable

        if isinstance(error, KeysUnusable):
            typer.echo(f"otel-errors ingest-keys: {error}", err=True)
            raise typer.Exit(1) from None
