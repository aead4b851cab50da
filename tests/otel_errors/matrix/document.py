"""The matrix as the table in docs/capture.md: ``python -m tests.otel_errors.matrix.document`` writes it."""

from __future__ import annotations

from pathlib import Path

from tests.otel_errors.matrix.table import APPLICATIONS, FATAL, SPAN, UNSAMPLED, Source

PATH = Path(__file__).parents[3] / "docs" / "capture.md"
BEGIN, END = "<!-- matrix: begin -->\n", "<!-- matrix: end -->\n"


def table() -> str:
    lines = [
        "| application | source | `otel_errors.mechanism` | span | handled | severity | unset | `logs` | `logs/dup` |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for application in APPLICATIONS:
        for source in application.sources:
            cells = (
                application.name,
                source.name,
                f"`{source.mechanism}`",
                {SPAN: f"`{source.span}`", UNSAMPLED: "the unsampled span's"}.get(source.context, "none"),
                "yes" if source.handled else "no",
                "FATAL" if source.severity == FATAL else "ERROR",
                *_carriers(source),
            )
            lines.append(f"| {' | '.join(cells)} |")
        for expected in application.expected:
            lines.append(f"| {application.name} | {expected.name} | not an error | | | | – | – | – |")
    return "\n".join(lines) + "\n"


def _carriers(source: Source) -> tuple[str, str, str]:
    if source.only_logged:
        return ("log", "log", "log")
    return ("span event", "log", "both")


def whole(text: str) -> str:
    """``text``, the document, with the table of today."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PATH.write_text(whole(PATH.read_text(encoding="utf-8")), encoding="utf-8")
