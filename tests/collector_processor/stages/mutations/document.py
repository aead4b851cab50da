"""The tables of docs/grouping.md: ``python -m tests.collector_processor.stages.mutations.document``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.collector_processor.stages.mutations import cases
from tests.collector_processor.stages.mutations.measure import Result, is_right, mutated, our_key
from tests.collector_processor.stages.mutations.other import OTHER
from tests.collector_processor.stages.mutations.same import SAME
from tests.collector_processor.stages.mutations.trace import seeds

PATH = Path(__file__).parents[4] / "docs" / "grouping.md"
SHORT = {"javascript": "js", "kotlin": "kt", "dotnet": ".net", "python": "py", "elixir": "ex", "native": "c++"}


def table(results: Sequence[Result]) -> str:
    """How many mutated traces are grouped right, by mutation and language; ``2/3`` where one is not."""
    languages = list(dict.fromkeys(result.trace.name.partition("-")[0] for result in results))
    total: Counter[tuple[str, str]] = Counter()
    right: Counter[tuple[str, str]] = Counter()
    for result in results:
        for language in (result.trace.name.partition("-")[0], ""):
            total[result.mutation, language] += 1
            right[result.mutation, language] += is_right(result, our_key)

    def cell(name: str, language: str) -> str:
        all_, good = total[name, language], right[name, language]
        return "" if not all_ else str(all_) if good == all_ else f"{good}/{all_}"

    heads = " | ".join(SHORT.get(language, language) for language in languages)
    lines = [f"| change | key has to be | all | {heads} |", f"|---|---|---|{'---|' * len(languages)}"]
    for verdict, names in (("the same", SAME), ("another", OTHER)):
        for name in names:
            cells = " | ".join(cell(name, language) for language in languages)
            lines.append(f"| {name} | {verdict} | {cell(name, '')} | {cells} |")
    share = sum(right[name, ""] for name in (*SAME, *OTHER)) / max(len(results), 1)
    return f"{len(results)} mutated traces, {share:.1%} right.\n\n" + "\n".join(lines) + "\n"


def whole(text: str) -> str:
    """``text``, the document, with the tables of today."""
    for name, made in (("cases", cases.table()), ("mutations", table(mutated(seeds())))):
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n{made}\n{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    PATH.write_text(whole(PATH.read_text(encoding="utf-8")), encoding="utf-8")
