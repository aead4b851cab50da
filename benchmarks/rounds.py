"""Alternating rounds: what disturbs a machine disturbs every subject alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def alternate(subjects: Mapping[str, Callable[[], float]], *, rounds: int = 21) -> dict[str, list[float]]:
    """Call each subject once a round, in turns, and keep what it returns. The order turns round every round."""
    results: dict[str, list[float]] = {name: [] for name in subjects}
    names = list(subjects)
    for round_ in range(rounds):
        for name in names if round_ % 2 == 0 else reversed(names):
            results[name].append(subjects[name]())
    return results


def seconds(work: Callable[[], object], *, times: int = 1) -> float:
    """Wall seconds of one call of ``work``, as the mean over ``times``, without the collector's pauses."""
    gc.collect()
    gc.disable()
    try:
        began = time.perf_counter()
        for _ in range(times):
            work()
        return (time.perf_counter() - began) / times
    finally:
        gc.enable()


def ratio(results: Mapping[str, list[float]], subject: str, peer: str) -> float:
    """Median of ``subject`` over median of ``peer``."""
    return statistics.median(results[subject]) / statistics.median(results[peer])
