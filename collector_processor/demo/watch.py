"""The demo without an end: the shop is used gently, and issues appear in the terminal as the processor has them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from collector_processor.demo.rest import Api, Issue
from collector_processor.demo.table import WIDE, issue_table
from collector_processor.terminal import terminal_safe

REFRESH_SECONDS = 1.0


class Watched(Protocol):
    """Something that must go on running; ``check`` raises ChildFailed when it does not."""

    def check(self) -> None: ...


def watch(out: Console, api: Api, watched: Iterable[Watched], play: Callable[[threading.Event], None]) -> None:
    """Call ``play`` in a thread and show the issues until a signal's exception, or a failure of any part, ends it.

    In a terminal a table that is kept up to date; into a file or pipe a line for each issue when it is first seen.
    """
    title = f"Issues at {api.url}/ - Ctrl-C ends the demo"
    stop = threading.Event()
    failures: list[BaseException] = []

    def playing() -> None:
        try:
            play(stop)
        except Exception as error:
            failures.append(error)

    player = threading.Thread(target=playing, name="driver")
    player.start()
    try:
        with Live(console=out, refresh_per_second=4) if out.is_terminal else nullcontext() as live:
            known: set[str] = set()
            while True:
                for one in watched:
                    one.check()
                if failures:
                    raise failures[0]
                issues = api.issues()
                if live is not None:
                    live.update(issue_table(issues, title=title, wide=out.width >= WIDE))
                else:
                    for issue in issues:
                        if issue.id not in known:
                            out.print(_line(issue))
                            known.add(issue.id)
                stop.wait(REFRESH_SECONDS)
    finally:
        stop.set()
        player.join()


def _line(issue: Issue) -> Text:
    return Text(terminal_safe(f"{issue.severity:8} {issue.service_name:9} {issue.title} ({issue.culprit})"))
