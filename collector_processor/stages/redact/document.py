"""``python -m collector_processor.stages.redact.document`` writes the table of ``docs/redaction.md`` from the rules.

``--print`` prints the table instead; ``--check`` only looks, and exits 1 when the document is not current.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from collector_processor.stages.redact.rule import Rule
from collector_processor.stages.redact.rules import DEFAULT_RULES

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "redaction.md"
BEGIN = "<!-- rules: written by python -m collector_processor.stages.redact.document -->"
END = "<!-- end of rules -->"


def table(rules: Sequence[Rule] = DEFAULT_RULES) -> str:
    """A Markdown table: each rule with an example of what it does and of what it leaves."""
    lines = ["| rule | becomes | recognised | for example | stays |", "|---|---|---|---|---|"]
    for rule in rules:
        example = next((one for one in rule.examples if one.key is None), rule.examples[0])
        stays = _code(rule.counter_examples[0]) if rule.counter_examples else ""
        lines.append(
            f"| `{rule.name}` | `{rule.replacement}` | {_plain(rule.what)} | {_code(example.redacted)} | {stays} |"
        )
    return "\n".join(lines)


def current(text: str) -> str:
    """``text`` of the document with the table of today. Raises ValueError when its marks are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{DOCUMENT}: {BEGIN!r} and {END!r} are needed around the table")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _code(text: str) -> str:
    return "`` " + _plain(text.replace("\r", "").replace("\n", "⏎")) + " ``"


def main(arguments: Sequence[str]) -> int:
    if "--print" in arguments:
        print(table())
        return 0
    text = DOCUMENT.read_text(encoding="utf-8")
    wanted = current(text)
    if "--check" in arguments:
        if text != wanted:
            print(
                f"{DOCUMENT.name} is not current: run python -m collector_processor.stages.redact.document",
                file=sys.stderr,
            )
        return int(text != wanted)
    DOCUMENT.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
