"""How often a grouping is right about mutated traces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from collector_processor.stages.fingerprint import group
from tests.collector_processor.stages.mutations.other import OTHER
from tests.collector_processor.stages.mutations.same import SAME
from tests.collector_processor.stages.mutations.trace import Trace

Key = Callable[[Trace], str]


class Result(NamedTuple):
    trace: Trace
    mutation: str
    same: bool
    """What is right."""
    changed: Trace


def mutated(traces: Iterable[Trace]) -> list[Result]:
    """Every trace in every mutation that exists for it."""
    found = []
    for trace in traces:
        for same, mutations in ((True, SAME), (False, OTHER)):
            for name, mutation in mutations.items():
                changed = mutation(trace)
                if changed is not None and changed != trace:
                    found.append(Result(trace, name, same, changed))
    return found


def is_right(result: Result, key: Key) -> bool:
    return (key(result.trace) == key(result.changed)) is result.same


def our_key(trace: Trace) -> str:
    return group(type=trace.type, message=trace.message, stacktrace=trace.text, language=trace.language).fingerprint


def share(results: Iterable[Result], key: Key) -> float:
    counted = Counter(is_right(result, key) for result in results)
    return counted[True] / max(counted.total(), 1)
