"""``otel-errors issues``: the store from a terminal. Opens the store of the settings directly; the service may run."""

from __future__ import annotations

import getpass
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from collector_processor.commands.configuration import load_or_exit
from collector_processor.terminal import terminal_safe

if TYPE_CHECKING:
    from rich.console import Console

    from collector_processor.issues.queries import IssueFilter
    from collector_processor.issues.rows import IssueDetail, IssueRow
    from collector_processor.issues.store import IssueStore

app = typer.Typer(help="List issues and answer for them, from a terminal.", no_args_is_help=True)

TABLE_ROWS = 50
MAX_SERVICE = 20
NARROW = 100
"""Characters of a terminal below which the list leaves users and times out."""
MAX_SERVICE_NARROW = 14
PIPE_WIDTH = 160
GAP = 2
MIN_TITLE = 20
NUMBERS = ("count", "users", "seen")
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}

Config = Annotated[Path | None, typer.Option("--config", help="The settings file (YAML).", dir_okay=False)]
IssueId = Annotated[str, typer.Argument(metavar="ID", help="The issue's id, as the list shows it.")]
Note = Annotated[str, typer.Option("--note", help="Why; shown in the issue's activity.")]


@app.command("list")
def list_(
    config: Config = None,
    state: Annotated[list[str] | None, typer.Option(help="Only this state; may be given again.")] = None,
    severity: Annotated[list[str] | None, typer.Option(help="Only this severity; may be given again.")] = None,
    service: Annotated[str, typer.Option(help="Only this service.name.")] = "",
    environment: Annotated[str, typer.Option(help="Only issues seen in this environment.")] = "",
    search: Annotated[str, typer.Option(help="Words in title, culprit, type or service name.")] = "",
    sort: Annotated[str, typer.Option(help="last_seen, first_seen, count or users; largest first.")] = "last_seen",
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many. A table has 50, JSON has all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line instead of a table.")] = False,
) -> None:
    """List issues, the ones seen last first."""
    from collector_processor.issues.queries import IssueFilter

    wanted = IssueFilter(
        states=tuple(state or ()),
        severities=tuple(severity or ()),
        service_name=service,
        environment=environment,
        search=search,
    )
    with _store(config) as store:
        if as_json:
            for issue in _pages(store, wanted, sort, limit):
                typer.echo(json.dumps(_json(issue), ensure_ascii=True))
            return
        rows = list(_pages(store, wanted, sort, limit or TABLE_ROWS))
    _print_table(rows)


@app.command()
def show(issue_id: IssueId, config: Config = None) -> None:
    """Show an issue: figures, environments, releases, the last stack trace, what happened to it."""
    with _store(config) as store:
        detail = store.queries.get_issue(issue_id)
        if detail is None:
            _fail(f"id: {issue_id!r}: no such issue", code=1)
        occurrences = store.queries.occurrences(detail.issue.id, limit=1).occurrences
        activity = store.queries.activity(detail.issue.id, limit=20)
    console = _console()
    _print_detail(console, detail)
    if occurrences:
        event = occurrences[0].event
        console.print(f"\nLast kept occurrence, {_moment(occurrences[0].time)}", style="bold", markup=False)
        text = event.stacktrace or event.message
        console.print(terminal_safe(text, lines=True), markup=False, highlight=False, soft_wrap=True)
    if activity:
        console.print("\nActivity", style="bold")
    for row in activity:
        change = f"{row.before} → {row.after}" if row.before else row.after
        line = f"{_moment(row.time)}  {row.actor}: {row.action} {change}  {row.note}".rstrip()
        console.print(terminal_safe(line), markup=False, highlight=False, soft_wrap=True)


@app.command()
def ack(issue_id: IssueId, note: Note = "", config: Config = None) -> None:
    """Say that somebody looks after an issue: its alerts end."""
    with _store(config) as store:
        store.commands.acknowledge(issue_id, actor=_actor(), note=note)
    typer.echo(f"{issue_id}: acknowledged")


@app.command()
def resolve(
    issue_id: IssueId,
    note: Note = "",
    next_release: Annotated[bool, typer.Option("--next-release", help="Only a newer release reopens it.")] = False,
    config: Config = None,
) -> None:
    """Say that an issue is mended. It comes back by itself as regressed when its error happens again."""
    with _store(config) as store:
        store.commands.resolve(issue_id, actor=_actor(), note=note, in_next_release=next_release)
    typer.echo(f"{issue_id}: resolved")


@app.command()
def ignore(
    issue_id: IssueId,
    note: Note = "",
    until: Annotated[str, typer.Option(help="A date (2026-12-24, 2026-12-24T18:00Z) or a span: 30m, 8h, 7d.")] = "",
    events: Annotated[int | None, typer.Option(min=1, help="Until this many more events came.")] = None,
    config: Config = None,
) -> None:
    """Hear no more of an issue: for ever, until a date, or until a number of further events."""
    moment = _until(until) if until else None
    with _store(config) as store:
        store.commands.ignore(issue_id, actor=_actor(), note=note, until=moment, for_events=events)
    typer.echo(f"{issue_id}: ignored")


@app.command()
def assign(
    issue_id: IssueId,
    assignee: Annotated[str, typer.Argument(help="Who gets it; '' takes it from whoever has it.")],
    note: Note = "",
    config: Config = None,
) -> None:
    """Give an issue to somebody."""
    with _store(config) as store:
        store.commands.assign(issue_id, assignee, actor=_actor(), note=note)
    typer.echo(f"{issue_id}: assigned to {terminal_safe(assignee)}" if assignee else f"{issue_id}: assigned to nobody")


@app.command()
def merge(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The issue that stays.")],
    sources: Annotated[list[str], typer.Argument(metavar="ID...", help="Issues that become part of it.")],
    note: Note = "",
    config: Config = None,
) -> None:
    """Make one issue of several that are the same problem."""
    with _store(config) as store:
        store.commands.merge(target, sources, actor=_actor(), note=note)
    typer.echo(f"{target}: merged with {', '.join(sources)}")


# --- the store ---


@contextmanager
def _store(config: Path | None) -> Iterator[IssueStore]:
    from collector_processor.issues.commands import IssueCommandError
    from collector_processor.issues.questions import IssueQueryError
    from collector_processor.issues.store import IssueStore, StoreUnavailable

    settings = load_or_exit(config)
    url = settings.store_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        _fail(
            f"store: {url.removeprefix('sqlite:///')} does not exist: no error was counted yet, or data_dir is another",
            1,
        )
    try:
        store = IssueStore.open(url)
        try:
            yield store
        finally:
            store.close()
    except (IssueCommandError, IssueQueryError) as error:
        _fail(str(error), code=2 if isinstance(error, IssueQueryError) else 1)
    except StoreUnavailable as error:
        _fail(str(error), code=1)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"otel-errors: {terminal_safe(message)}", err=True)
    raise typer.Exit(code)


def _pages(store: IssueStore, wanted: IssueFilter, sort: str, limit: int | None) -> Iterator[IssueRow]:
    from collector_processor.issues.questions import MAX_LIMIT

    left, cursor = limit, None
    while left is None or left > 0:
        size = MAX_LIMIT if left is None else min(left, MAX_LIMIT)
        page = store.queries.list_issues(wanted, sort=sort, limit=size, cursor=cursor)
        yield from page.issues
        cursor = page.next_cursor
        left = None if left is None else left - len(page.issues)
        if cursor is None:
            return


def _actor() -> str:
    try:
        return f"{getpass.getuser()} (terminal)"
    except (OSError, KeyError):
        return "terminal"


def _until(text: str) -> float:
    span = re.fullmatch(r"(\d{1,4})([mhdw])", text)
    if span:
        return time.time() + int(span[1]) * _UNITS[span[2]]
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: a date such as 2026-12-24 or 2026-12-24T18:00Z, or a span such as 30m, 8h, 7d is needed",
            param_hint="--until",
        ) from None
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    if seconds <= time.time():
        raise typer.BadParameter(f"{text!r}: a date in the future is needed", param_hint="--until")
    return seconds


# --- what is printed ---


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")


def _json(issue: IssueRow) -> dict[str, Any]:
    return {
        "id": issue.id,
        "title": issue.title,
        "culprit": issue.culprit,
        "state": issue.state,
        "severity": issue.severity,
        "service_name": issue.service_name,
        "count": issue.count,
        "users": issue.users,
        "first_seen": _iso(issue.first_seen),
        "last_seen": _iso(issue.last_seen),
        "fingerprints": list(issue.fingerprints),
    }


def _console() -> Console:
    from rich.console import Console

    out = Console()
    # A file or pipe has no width of its own; 80 would cut every title.
    return out if out.is_terminal or "COLUMNS" in os.environ else Console(width=PIPE_WIDTH)


def _print_table(rows: list[IssueRow]) -> None:
    from rich.table import Table
    from rich.text import Text

    console = _console()
    if not rows:
        console.print("No issues.")
        return
    # Whole columns, or an id cannot be copied; the title gives way, and in a narrow terminal what can be done without.
    columns: dict[str, list[str]] = {
        "id": [issue.id for issue in rows],
        "state": [issue.state for issue in rows],
        "severity": [issue.severity for issue in rows],
        "service": [_cut(terminal_safe(issue.service_name), MAX_SERVICE) for issue in rows],
        "count": [str(issue.count) for issue in rows],
        "users": [str(issue.users) for issue in rows],
        "seen": [_ago(time.time() - issue.last_seen) for issue in rows],
    }
    if console.width < NARROW:
        del columns["users"], columns["seen"]
        columns["service"] = [_cut(cell, MAX_SERVICE_NARROW) for cell in columns["service"]]
    left = console.width - sum(max(len(name), *map(len, cells)) + GAP for name, cells in columns.items())
    columns["title"] = [_cut(terminal_safe(issue.title), max(left, MIN_TITLE)) for issue in rows]
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
    for name, cells in columns.items():
        width = max(len(name), *map(len, cells))
        table.add_column(name, justify="right" if name in NUMBERS else "left", no_wrap=True, min_width=width)
    for index in range(len(rows)):
        table.add_row(*(Text(cells[index]) for cells in columns.values()))
    console.print(table)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _ago(seconds: float) -> str:
    """``12 s``, ``5 min``, ``3 h``, ``4 d``."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _print_detail(console: Console, detail: IssueDetail) -> None:
    issue = detail.issue
    service = f"{issue.service_namespace}/{issue.service_name}" if issue.service_namespace else issue.service_name
    facets = {
        "environments": ", ".join(f"{facet.name or '(none)'} {facet.count}" for facet in detail.environments),
        "releases": ", ".join(f"{facet.name} {facet.count}" for facet in detail.releases),
        "fingerprints": ", ".join(issue.fingerprints),
        "merged": ", ".join(detail.merged_issues),
    }
    lines = {
        "culprit": issue.culprit,
        "state": f"{issue.state} since {_moment(issue.changed_at)}",
        "severity": issue.severity,
        "assigned to": issue.assignee or issue.team,
        "service": service,
        "events": f"{issue.count}, of {issue.users} users",
        "seen": f"{_moment(issue.first_seen)} to {_moment(issue.last_seen)}",
        **facets,
        "last trace": detail.last_trace_id,
    }
    console.print(terminal_safe(f"{issue.id}  {issue.title}"), style="bold", markup=False, highlight=False)
    for name, value in lines.items():
        if value:
            console.print(f"{name:>13}  {terminal_safe(value)}", markup=False, highlight=False, soft_wrap=True)
