"""The demo from start to end: processor, shop, driver, and the issues that come of it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.text import Text

from collector_processor.demo.browser import SendError
from collector_processor.demo.children import ChildFailed
from collector_processor.demo.driver import Driver, UnexpectedAnswer
from collector_processor.demo.ending import Terminated, ended_by_signals
from collector_processor.demo.ledger import Ledger
from collector_processor.demo.processor_process import CONTRACT_PORTS, Endpoints, start_processor
from collector_processor.demo.rest import Api, ApiError, Issue
from collector_processor.demo.script import bounded, gentle
from collector_processor.demo.shop_processes import Shop
from collector_processor.demo.table import WIDE, issue_table
from collector_processor.demo.watch import Watched, watch

SEED = 20261125
COUNTED_WITHIN_SECONDS = 30.0
SETTLED_SECONDS = 1.0
"""How long the issues must stay as the ledger has them: what is counted too often shows late."""
PAUSE_SECONDS = 0.7

FAILURES = (ChildFailed, UnexpectedAnswer, SendError, ApiError, OSError)


def run(
    *,
    once: bool,
    data_dir: Path | None = None,
    processor: Endpoints | None = None,
    ports: tuple[int, int, int] = CONTRACT_PORTS,
    seed: int = SEED,
    console: Console | None = None,
) -> int:
    """Run the demo; its exit status.

    ``once``: play the bounded script, wait until all is counted, compare with the ledger; 0 only when they are equal.
    Else go on until Ctrl-C, which is 0. ``data_dir``: where queue, store and the children's output stay; without one, a
    temporary folder, which is gone at the end unless something failed. ``processor``: one that runs already; none is
    started then. ``ports``: OTLP/gRPC, OTLP/HTTP and API of the processor that is started, as far as they are free.
    """
    out = console if console is not None else _console()
    try:
        folder = _folder(data_dir)
    except OSError as error:
        out.print(Text(f"otel-errors demo: {error}", style="red"))
        return 1
    status = 1
    try:
        with ended_by_signals(), ExitStack() as children:
            status = _Demo(out, folder, children, kept=data_dir is not None).run(once, processor, ports, seed)
    except FAILURES as error:
        out.print(Text(f"otel-errors demo: {error}", style="red"))
    except KeyboardInterrupt:
        status = 130 if once else 0
    except Terminated:
        status = 143
    finally:
        if data_dir is not None or status == 1:
            out.print(Text(f"Kept in {folder}: data of the processor; logs/ has the output of every process."))
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return status


class _Demo:
    def __init__(self, out: Console, folder: Path, children: ExitStack, *, kept: bool) -> None:
        self._out = out
        self._folder = folder
        self._children = children
        self._kept = kept

    def run(self, once: bool, processor: Endpoints | None, ports: tuple[int, int, int], seed: int) -> int:
        logs = self._folder / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)
        watched: list[Watched] = []
        if processor is None:
            child, processor = start_processor(self._children, self._folder, logs, ports=ports)
            watched.append(child)
        self._introduce(processor)
        api = Api(processor.api)
        before = api.issues()
        ledger = Ledger()
        # Not on the stack of children: the shop must end, and so send its last telemetry, before all can be counted.
        with Shop(processor.otlp_grpc, logs) as shop:
            watched.append(shop)
            driver = Driver(shop.urls, processor.otlp_http, ledger)
            if not once:
                self._watch(api, watched, driver, seed)
                return 0
            self._play(shop, driver, seed)
        issues, differences = wait_until_counted(api, ledger, before)
        self._conclude(issues, differences, ledger)
        return 1 if differences else 0

    def _play(self, shop: Shop, driver: Driver, seed: int) -> None:
        steps = bounded(seed)
        started = time.monotonic()
        try:
            driver.play(steps)
        except (UnexpectedAnswer, OSError):
            shop.check()  # a service that has ended says more than the request that it did not answer
            raise
        took = time.monotonic() - started
        self._say(f"The shop answered {len(steps)} requests in {took:.1f} s. It sends the rest and ends.")

    def _watch(self, api: Api, watched: Sequence[Watched], driver: Driver, seed: int) -> None:
        try:
            watch(
                self._out,
                api,
                watched,
                lambda stop: driver.play(gentle(seed), stop=stop, pause_seconds=PAUSE_SECONDS),
            )
        finally:
            self._say("Ending the shop, then the processor …")

    def _introduce(self, processor: Endpoints) -> None:
        where = self._folder if self._kept else f"{self._folder}, a temporary folder (--data-dir DIR keeps it)"
        self._say(f"Processor: OTLP/gRPC {processor.otlp_grpc}, OTLP/HTTP {processor.otlp_http}. Data: {where}")
        self._say(f"Look at {processor.api}/ while the demo runs.")
        self._say("Starting the shop: checkout (ASGI), catalogue (WSGI), worker (threads, asyncio) …")

    def _conclude(self, issues: Sequence[Issue], differences: Sequence[str], ledger: Ledger) -> None:
        self._out.print(issue_table(issues, wide=self._out.width >= WIDE))
        expected = ledger.expected()
        if differences:
            self._out.print(Text("Not what the shop did:", style="bold red"))
            for difference in differences:
                self._out.print(Text(f"  {difference}", style="red"))
            return
        total = sum(expected.values())
        self._say(f"{len(expected)} bugs were provoked {total} times: one issue each, counted exactly, and no other.")
        if self._kept:
            self._say(f"To look again: OTEL_ERRORS_DATA_DIR={self._folder} otel-errors serve")

    def _say(self, text: str) -> None:
        self._out.print(Text(text))


def wait_until_counted(
    api: Api, ledger: Ledger, before: Sequence[Issue] = (), *, within_seconds: float = COUNTED_WITHIN_SECONDS
) -> tuple[list[Issue], list[str]]:
    """The issues once they agree with the ledger, and have for a while; else, when time is up, with the differences."""
    deadline = time.monotonic() + within_seconds
    equal_since: float | None = None
    while True:
        try:
            issues = api.issues()
            differences = ledger.compare(issues, before)
        except ApiError as error:
            issues, differences = [], [str(error)]
        now = time.monotonic()
        if differences:
            equal_since = None
        elif equal_since is None:
            equal_since = now
        elif now - equal_since >= SETTLED_SECONDS:
            return issues, []
        if now > deadline and differences:
            return issues, differences
        time.sleep(0.2)


def _folder(data_dir: Path | None) -> Path:
    if data_dir is None:
        return Path(tempfile.mkdtemp(prefix="otel-errors-demo-"))
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return data_dir.resolve()


def _console() -> Console:
    out = Console(highlight=False)
    # A file or pipe has no width, whatever COLUMNS says of the terminal that it was started from.
    return out if out.is_terminal else Console(highlight=False, width=WIDE)
