"""The issues as a table in the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

from rich.table import Table
from rich.text import Text

from collector_processor.demo.rest import Issue
from collector_processor.terminal import terminal_safe

_SEVERITY_STYLE = {"critical": "bold white on red", "high": "red", "medium": "yellow", "low": "dim"}
_ORDER = tuple(_SEVERITY_STYLE)


WIDE = 140
"""Characters from which on the culprit has a column of its own; in a narrower terminal it stands below the title."""


def issue_table(issues: Iterable[Issue], *, title: str = "Issues", wide: bool = True) -> Table:
    """The gravest first, then the most frequent. Cells are plain text: nothing in a title is read as markup."""
    table = Table(title=title, title_justify="left", expand=True)
    for header in ("State", "Severity"):
        table.add_column(header, no_wrap=True)
    table.add_column("Title", ratio=3, overflow="fold")
    if wide:
        table.add_column("Culprit", ratio=2, overflow="fold")
    table.add_column("Service", no_wrap=True)
    for header in ("Events", "Users"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("Last seen", no_wrap=True)
    for issue in sorted(issues, key=_rank):
        table.add_row(
            Text(terminal_safe(issue.state)),
            Text(terminal_safe(issue.severity), style=_SEVERITY_STYLE.get(issue.severity, "")),
            *_what(issue, wide),
            Text(terminal_safe(issue.service_name)),
            Text(str(issue.count)),
            Text(str(issue.users) if issue.users else "-"),
            Text(terminal_safe(clock(issue.last_seen))),
        )
    return table


def _what(issue: Issue, wide: bool) -> tuple[Text, ...]:
    title, culprit = Text(terminal_safe(issue.title)), Text(terminal_safe(issue.culprit), style="dim")
    if wide:
        return title, culprit
    return (Text("\n").join((title, culprit)) if issue.culprit else title,)


def clock(timestamp: str) -> str:
    """An ISO 8601 time as the local time of day; what is no time stays as it is."""
    try:
        moment = datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
    except ValueError:
        return timestamp
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return f"{moment.astimezone():%H:%M:%S}"


def _rank(issue: Issue) -> tuple[int, int, str]:
    gravity = _ORDER.index(issue.severity) if issue.severity in _ORDER else len(_ORDER)
    return gravity, -issue.count, issue.title
