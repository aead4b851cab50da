"""``otel-errors assets export DIR``: dashboards, provisioning, rules and Alertmanager configuration out of the package.

In a wheel they are under ``_assets/`` beside the packages' modules; in a source checkout in the repository's folders.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

PACKAGE = Path(__file__).resolve().parent.parent
ASSETS = PACKAGE / "_assets"
REPOSITORY = PACKAGE.parent

app = typer.Typer(
    name="assets",
    help="Dashboards, alert rules and configuration that come with otel-errors.",
    no_args_is_help=True,
)

PANEL_RECEIVERS = "Receivers of the Alertmanager configuration"
PANEL_RULES = "Rules"


@app.callback()
def _group() -> None:
    """Dashboards, alert rules and configuration that come with otel-errors."""


@app.command()
def export(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; made if absent.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that differ.")] = False,
    pager_webhook: Annotated[
        str, typer.Option(help="Gets critical alerts, and unacknowledged ones again.", rich_help_panel=PANEL_RECEIVERS)
    ] = "",
    escalation_webhook: Annotated[
        str, typer.Option(help="Gets what is unacknowledged for long.", rich_help_panel=PANEL_RECEIVERS)
    ] = "",
    chat_slack_url_file: Annotated[
        str,
        typer.Option(help="File with Slack's webhook on Alertmanager's machine.", rich_help_panel=PANEL_RECEIVERS),
    ] = "",
    chat_slack_channel: Annotated[str, typer.Option(help="For example #errors.", rich_help_panel=PANEL_RECEIVERS)] = "",
    chat_webhook: Annotated[str, typer.Option(help="Gets high alerts.", rich_help_panel=PANEL_RECEIVERS)] = "",
    email_to: Annotated[
        str,
        typer.Option(
            envvar="CRITICAL_ERROR_RECIPIENTS",
            help="Addresses for critical alerts, separated by commas; needs the two smtp options.",
            rich_help_panel=PANEL_RECEIVERS,
        ),
    ] = "",
    digest_email_to: Annotated[
        str, typer.Option(help="Addresses for medium and low alerts.", rich_help_panel=PANEL_RECEIVERS)
    ] = "",
    smtp_smarthost: Annotated[str, typer.Option(help="host:port", rich_help_panel=PANEL_RECEIVERS)] = "",
    smtp_from: Annotated[str, typer.Option(help="Sender's address.", rich_help_panel=PANEL_RECEIVERS)] = "",
    smtp_username: Annotated[str, typer.Option(help="For a login.", rich_help_panel=PANEL_RECEIVERS)] = "",
    smtp_password_file: Annotated[
        str, typer.Option(help="File with the password on Alertmanager's machine.", rich_help_panel=PANEL_RECEIVERS)
    ] = "",
    unacknowledged_after: Annotated[
        str, typer.Option(help="When a critical issue pages again.", rich_help_panel=PANEL_RULES)
    ] = "15m",
    escalate_after: Annotated[
        str, typer.Option(help="When it goes to the next people.", rich_help_panel=PANEL_RULES)
    ] = "1h",
    burst_events: Annotated[
        int, typer.Option(help="Events of one issue that are a burst.", rich_help_panel=PANEL_RULES)
    ] = 10,
    burst_within: Annotated[str, typer.Option(help="The time they happen in.", rich_help_panel=PANEL_RULES)] = "5m",
    job: Annotated[
        str, typer.Option(help="Name of Prometheus' scrape job.", rich_help_panel=PANEL_RULES)
    ] = "otel-errors",
    grafana_url: Annotated[
        str, typer.Option(help="For links to dashboards.", rich_help_panel=PANEL_RULES)
    ] = "http://localhost:3000",
) -> None:
    """Write dashboards, Grafana provisioning, Prometheus rules and Alertmanager configuration to DIR."""
    rules = {
        "unacknowledged_after": unacknowledged_after,
        "escalate_after": escalate_after,
        "burst_events": burst_events,
        "burst_within": burst_within,
        "job": job,
        "grafana_url": grafana_url,
    }
    notifiers = {
        "pager_webhook": pager_webhook,
        "escalation_webhook": escalation_webhook,
        "chat_slack_url_file": chat_slack_url_file,
        "chat_slack_channel": chat_slack_channel,
        "chat_webhook": chat_webhook,
        "email_to": email_to,
        "digest_email_to": digest_email_to,
        "smtp_smarthost": smtp_smarthost,
        "smtp_from": smtp_from,
        "smtp_username": smtp_username,
        "smtp_password_file": smtp_password_file,
    }
    files = _dashboards() | _alerts(rules, notifiers)
    try:
        written = _write(files, directory, force=force)
    except OSError as error:
        typer.echo(
            f"otel-errors: {error.filename or directory}: cannot be written: {error.strerror or error}", err=True
        )
        raise typer.Exit(1) from None
    typer.echo(f"{len(files)} files in {directory}, {written} of them written")


def _dashboards() -> dict[str, str]:
    folders = {"dashboards": ASSETS / "dashboards", "provisioning": ASSETS / "provisioning"}
    if not ASSETS.is_dir():
        folders = {
            "dashboards": REPOSITORY / "dashboards" / "json",
            "provisioning": REPOSITORY / "dashboards" / "provisioning",
        }
    files = {
        f"{name}/{path.relative_to(folder).as_posix()}": path.read_text(encoding="utf-8")
        for name, folder in folders.items()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    if not files:
        typer.echo(f"otel-errors: this installation is incomplete: nothing in {folders['dashboards']}", err=True)
        raise typer.Exit(1)
    return files


def _alerts(rules: dict[str, Any], notifiers: dict[str, Any]) -> dict[str, str]:
    config, build = _builder("config"), _builder("build")
    try:
        files: dict[str, str] = build.render(config.Rules(**rules), config.Notifiers(**notifiers))
    except config.ConfigError as error:
        text = str(error)
        for name in {**rules, **notifiers}:  # the builder knows fields, the user options
            text = re.sub(rf"\b{name}\b", f"--{name.replace('_', '-')}", text)
        raise typer.BadParameter(text) from None
    return files


def _builder(module: str) -> ModuleType:
    package = "collector_processor._assets.alert_rules" if ASSETS.is_dir() else "alert_rules"
    try:
        return importlib.import_module(f"{package}.{module}")
    except ModuleNotFoundError as error:
        typer.echo(f"otel-errors: this installation is incomplete: {error}", err=True)
        raise typer.Exit(1) from None


def _write(files: dict[str, str], directory: Path, *, force: bool) -> int:
    """Write what is absent or different; nothing at all where something different is in the way. Returns how many."""
    changed = {}
    for name, content in files.items():
        target = directory / name
        if not target.exists():
            changed[target] = content
        elif target.read_bytes() != content.encode("utf-8"):
            if not force:
                raise typer.BadParameter(f"{target} is there and differs; nothing was written (--force overwrites)")
            changed[target] = content
    for target, content in changed.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    return len(changed)
