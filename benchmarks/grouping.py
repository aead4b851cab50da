"""Grouping: stacks a second on one core, never seen and seen; mutated traces grouped right; beside Bugsink's grouping.

``python -m benchmarks grouping [--no-peers] [--corpus FILE]``. The mutated traces are those of the table in
docs/grouping.md; with a corpus (JSON lines with ``stacktrace``, ``language``, ``exception_type``,
``exception_message``), by default ``shared/corpus/stacktraces.jsonl`` beside the project, its traces as well.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from pathlib import Path

from benchmarks.grouping_peer import PEERS
from benchmarks.peers import PeerUnavailable, python_of
from collector_processor.events import bare_type
from collector_processor.stages.fingerprint import group
from tests.collector_processor.stages.mutations.measure import Key, Result, is_right, mutated, our_key
from tests.collector_processor.stages.mutations.trace import Trace, as_recorded, seeds

ROOT = Path(__file__).resolve().parent.parent
NEVER_SEEN_BAR, SEEN_BAR, RIGHT_BAR = 10_000, 150_000, 0.99
PASSES = 25
STACKS = 500
"""Of a pass."""

_FRAMES: dict[str, Callable[[int, int], str]] = {
    "python": lambda s, f: f'  File "/app/shop/module_{s}_{f}.py", line {s % 977}, in handle_{f}\n    call(item)',
    "javascript": lambda s, f: f"    at handle{f} (/app/dist/module{s}x{f}.js:{s % 977}:{f + 3})",
    "java": lambda s, f: f"\tat com.shop.module{s}.Handler{f}.handle(Handler{f}.java:{s % 977})",
    "go": lambda s, f: f"shop/module{s}.handle{f}(0xc000012120)\n\t/srv/shop/module{s}/handler{f}.go:{s % 977} +0x1d",
    "dotnet": lambda s, f: f"   at Shop.Module{s}.Handler{f}.Handle() in /src/Module{s}/Handler{f}.cs:line {s % 977}",
    "ruby": lambda s, f: f"\tfrom /app/shop/module_{s}_{f}.rb:{s % 977}:in `handle_{f}'",
}
_HEADS = {
    "python": "Traceback (most recent call last):\n{frames}\nshop.OrderFailed: {message}",
    "javascript": "OrderFailed: {message}\n{frames}",
    "java": "com.shop.OrderFailed: {message}\n{frames}",
    "go": "panic: {message}\n\ngoroutine 7 [running]:\n{frames}",
    "dotnet": "Shop.OrderFailed: {message}\n{frames}",
    "ruby": "/app/shop/pay.rb:3:in `charge': {message} (OrderFailed)\n{frames}",
}


def never_seen(language: str, frames: int = 15) -> Iterator[tuple[str, str]]:
    """(message, text) of stacks of which no line comes twice."""
    for stack in count():
        message = f"order {stack} failed"
        printed = "\n".join(_FRAMES[language](stack, frame) for frame in range(frames))
        yield message, _HEADS[language].format(frames=printed, message=message)


def of_one_program(frames: int = 15) -> Iterator[tuple[str, str]]:
    """(message, text) of stacks that differ, of the calls of a program that has 2,000 of them."""
    state = 1
    for stack in count():
        lines = []
        for _ in range(frames):
            state = (state * 1103515245 + 12345) % 2**31
            lines.append(_FRAMES["python"](state // 7 % 200, state // 1400 % 10))
        message = f"order {stack} failed"
        yield message, _HEADS["python"].format(frames="\n".join(lines), message=message)


def rate(errors: Iterator[tuple[str, str]], language: str) -> float:
    """Stacks a processor second, the best of the passes: each over errors of its own."""
    best = 0.0
    for _ in range(PASSES):
        given = list(islice(errors, STACKS))
        began = time.process_time()
        for message, text in given:
            group(type="shop.OrderFailed", message=message, stacktrace=text, language=language)
        best = max(best, len(given) / (time.process_time() - began))
    return best


def seen_rate(*, other_messages: bool) -> float:
    """The same for one stack again and again, its message the same or another each time."""
    head, frames = _HEADS["python"], "\n".join(_FRAMES["python"](1, frame) for frame in range(15))
    messages = [f"order {number if other_messages else 1} failed" for number in range(20 * STACKS)]
    given = [(message, head.format(frames=frames, message=message)) for message in messages]
    best = 0.0
    for _ in range(PASSES):
        began = time.process_time()
        for message, text in given:
            group(type="shop.OrderFailed", message=message, stacktrace=text, language="python")
        best = max(best, len(given) / (time.process_time() - began))
    return best


def main(arguments: list[str]) -> int:
    """Prints the tables; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks grouping")
    parser.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "corpus" / "stacktraces.jsonl")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args(arguments)
    print(f"one core, stacks of 15 frames, best of {PASSES} passes")
    rates = {language: rate(never_seen(language), language) for language in _FRAMES}
    for language, found in rates.items():
        print(f"  never seen, no line known, {language:12} {found:10,.0f} stacks/s")
    print(f"  never seen, of a program's 2,000 calls     {rate(of_one_program(), 'python'):10,.0f} stacks/s")
    seen, storm = seen_rate(other_messages=False), seen_rate(other_messages=True)
    print(f"  seen                                       {seen:10,.0f} stacks/s")
    print(f"  seen, another message each time            {storm:10,.0f} stacks/s")
    results = {"seeds": mutated(seeds())}
    if options.corpus.is_file():
        results["corpus"] = mutated(_corpus(options.corpus))
    print("\nmutated traces: kept together, told apart, right in all")
    for name, found_results in results.items():
        _line(f"otel-errors, {name}", found_results, our_key)
    if not options.no_peers:
        for peer in PEERS:
            _peer(peer, results)
    shares = [_share(found_results, our_key) for found_results in results.values()]
    missed = rates["python"] < NEVER_SEEN_BAR or min(seen, storm) < SEEN_BAR or min(shares) < RIGHT_BAR
    return int(missed)


def _corpus(file: Path) -> list[Trace]:
    traces = []
    for record in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
        language = {"swift-objc": "swift"}.get(record["language"], record["language"])
        said = record["exception_type"] or "", record["exception_message"] or ""
        traces.append(as_recorded(record["id"], language, record["stacktrace"], *said))
    return [trace for trace in traces if trace.nodes and trace.nodes[0].frames]


def _share(results: Sequence[Result], key: Key) -> float:
    return sum(is_right(result, key) for result in results) / max(len(results), 1)


def _line(name: str, results: Sequence[Result], key: Key) -> None:
    same = [result for result in results if result.same]
    other = [result for result in results if not result.same]
    print(
        f"  {name:24} {_share(same, key):6.1%} of {len(same):5}, {_share(other, key):6.1%} of {len(other):4}, "
        f"{_share(results, key):6.1%} of {len(results):5}"
    )


def _said(trace: Trace) -> tuple[str, str]:
    """What a peer that does not read texts is given: the record's type and message, else the text's."""
    first = trace.nodes[0] if trace.nodes else None
    return bare_type(trace.type or (first and first.type) or ""), trace.message or (first and first.message) or ""


def _peer(name: str, results: dict[str, list[Result]]) -> None:
    traces = [trace for found in results.values() for result in found for trace in (result.trace, result.changed)]
    given = [_said(trace) for trace in traces]
    try:
        python = python_of("grouping-" + name.partition("-")[0])
        site_packages = next(python.parent.parent.glob("lib/python*/site-packages"))
        done = subprocess.run(
            [str(python), str(Path(__file__).with_name("grouping_peer.py")), name],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
            cwd=site_packages,  # Bugsink's packages have names such as "issues"
        )
    except PeerUnavailable as error:
        print(f"  {name}: not measured: {error}")
        return
    except (subprocess.SubprocessError, StopIteration) as error:
        last = (getattr(error, "stderr", None) or str(error) or "no reason given").strip().splitlines()[-1]
        print(f"  {name}: not measured: {last}")
        return
    answer = json.loads(done.stdout)
    keys = dict(zip(traces, answer["keys"], strict=True))
    for part, found in results.items():
        _line(f"{name}, {part}", found, keys.__getitem__)
    print(f"  {name}: {len(given) / answer['seconds']:,.0f} errors/s (type and message only: it reads no stack)")
