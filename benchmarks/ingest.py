"""What a million spans cost us, rotel and the Collector, each on one core: CPU seconds, memory, time to answer."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.ingestion.load import Sent, send
from benchmarks.ingestion.next_hop import NextHop
from benchmarks.ingestion.process_tree import PeakMemory, cpu_seconds
from benchmarks.ingestion.requests import SPANS
from benchmarks.ingestion.subjects import Running, collector, ours, rotel
from benchmarks.peers import PeerUnavailable

DRAIN_SECONDS = 60.0
WARM_UP_REQUESTS = 40
SUBJECT_CORE, LOAD_CORE = 0, 1
OURS, ROTEL, COLLECTOR = "otel-errors", "rotel", "Collector"
BARS = {(0, ROTEL): 0.35, (1, ROTEL): 0.5, (1, COLLECTOR): 0.33}
STORM_PER_SECOND = 40_000
MEMORY_BYTES = 150_000_000


@dataclass
class Figures:
    """Of one subject at one share of errors."""

    sent: Sent
    cpu_per_million: float
    drained_seconds: float
    pss: int
    complete: str

    @property
    def spans_per_second(self) -> float:
        return self.sent.spans / self.sent.seconds


def main(arguments: list[str]) -> int:
    """Run; 1 when a bar is not met, 2 when a peer cannot run here."""
    asked = _arguments(arguments)
    os.sched_setaffinity(0, {LOAD_CORE})
    subjects: dict[str, Callable[[str, Path], AbstractContextManager[Running]]] = {
        OURS: partial(ours, core=_cores(asked.workers), workers=asked.workers),
        ROTEL: partial(rotel, core=str(SUBJECT_CORE)),
        COLLECTOR: partial(collector, core=str(SUBJECT_CORE)),
    }
    failed = 0
    for percent in asked.errors:
        figures: dict[str, Figures] = {}
        for name in asked.subjects:
            try:
                figures[name] = measure(subjects[name], percent, asked)
            except PeerUnavailable as error:
                print(f"{percent:3} %  {name:12} not run: {error}", flush=True)
                failed = failed or 2
                continue
            print(f"{percent:3} %  {name:12} {_line(figures[name])}", flush=True)
        failed = max(failed, _judge(percent, figures))
    return failed


def measure(
    subject: Callable[[str, Path], AbstractContextManager[Running]], percent: int, asked: argparse.Namespace
) -> Figures:
    """Start it, warm it up, load it, wait until nothing is left to do, and see what that took."""
    errors = SPANS * percent // 100
    hop = NextHop(LOAD_CORE)
    try:
        with TemporaryDirectory() as folder, subject(hop.endpoint, Path(folder)) as running:
            load = partial(send, running.target, errors, channels=asked.channels, at_once=asked.at_once)
            warm = asyncio.run(load(spans=WARM_UP_REQUESTS * SPANS))
            _drain(running, hop, warm.spans, warm.errors)
            before = cpu_seconds(running.pid)
            with PeakMemory(running.pid) as memory:
                sent = asyncio.run(load(spans=asked.spans, seconds=asked.seconds))
                began = time.monotonic()
                complete = _drain(running, hop, warm.spans + sent.spans, warm.errors + sent.errors)
                drained = time.monotonic() - began
            used = cpu_seconds(running.pid) - before
        return Figures(sent, used / sent.spans * 1e6, drained, memory.peak, complete)
    finally:
        hop.stop()


def _drain(running: Running, hop: NextHop, spans: int, errors: int) -> str:
    """Wait until the next hop has every span and the store every error, and say if that is so."""
    end = time.monotonic() + DRAIN_SECONDS
    while True:
        counted, waiting = running.counted() if running.api else (errors, 0)
        arrived = hop.spans
        if (arrived >= spans and counted >= errors and waiting == 0) or time.monotonic() > end:
            exact = arrived == spans and counted == errors and waiting == 0
            return "counted == sent" if exact else f"{arrived} of {spans} spans, {counted} of {errors} errors"
        time.sleep(0.5)


def _line(figures: Figures) -> str:
    sent = figures.sent
    return (
        f"{figures.cpu_per_million:7.2f} CPU-s/million  {figures.spans_per_second:9,.0f} spans/s  "
        f"{figures.pss / 1e6:6.1f} MB PSS  p50 {sent.quantile(0.5) * 1e3:6.1f} ms  "
        f"p99 {sent.quantile(0.99) * 1e3:6.1f} ms"
        f"  {sent.spans:,} spans in {sent.seconds:.1f} s + {figures.drained_seconds:.1f} s to drain, "
        f"{sent.retries} retries, {figures.complete}"
    )


def _judge(percent: int, figures: dict[str, Figures]) -> int:
    own = figures.get(OURS)
    if own is None:
        return 0
    failed = own.complete != "counted == sent"
    for peer in (ROTEL, COLLECTOR):
        if peer in figures:
            share, bar = own.cpu_per_million / figures[peer].cpu_per_million, BARS.get((percent, peer))
            failed = failed or (bar is not None and share > bar)
            print(f"{percent:3} %  {share:.2f} x {peer}" + (f" (bar {bar})" if bar is not None else ""), flush=True)
    if percent == 100:
        failed = failed or own.spans_per_second < STORM_PER_SECOND
        print(f"100 %  {own.spans_per_second:,.0f} errors/s (bar {STORM_PER_SECOND:,})", flush=True)
    return int(failed or own.pss > MEMORY_BYTES)


def _cores(workers: int) -> str:
    return str(SUBJECT_CORE) if workers == 1 else f"{SUBJECT_CORE},{LOAD_CORE}"


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks ingest", description=__doc__)
    parser.add_argument("--errors", type=int, nargs="+", default=[0, 1, 10, 100], help="percents of spans that failed")
    parser.add_argument("--subjects", nargs="+", default=[OURS, ROTEL, COLLECTOR], choices=[OURS, ROTEL, COLLECTOR])
    parser.add_argument("--seconds", type=float, default=30.0, help="of load, for each subject and share")
    parser.add_argument("--spans", type=int, default=0, help="send so many instead")
    parser.add_argument("--channels", type=int, default=1, help="connections")
    parser.add_argument("--at-once", type=int, default=8, help="requests in flight")
    parser.add_argument("--workers", type=int, default=1, help="of ours; more than one also use the load's core")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
