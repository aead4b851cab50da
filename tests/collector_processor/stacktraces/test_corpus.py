"""The public corpus of other parsers' test traces, where it lies next to the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collector_processor.stacktraces import parse

MISSES = {
    "st-0063": "expects the file to be '(native)', with its parentheses; every other location is expected without",
}
"""Records that are not met, and why. One that is met must leave this list."""


def corpus() -> list[dict[str, Any]]:
    for directory in Path(__file__).resolve().parents:
        file = directory / "shared" / "corpus" / "stacktraces.jsonl"
        if file.is_file():
            return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return []


RECORDS = [record for record in corpus() if record["language"] in ("python", "javascript")]


def expectations(record: dict[str, Any]) -> list[list[dict[str, Any]]]:
    found = [record["expected_frames"], record["derived_frames"]]
    found += [other["expected_frames"] for other in record.get("alternatives") or []]
    return [frames for frames in found if frames]


def meets(record: dict[str, Any], frames: list[dict[str, Any]]) -> bool:
    total = record["expected_n_frames"]
    for expected in expectations(record):
        # Some of the sources' tests look at the first frames and at the number of all.
        whole = len(expected) == len(frames) or (total and len(expected) < total == len(frames))
        pairs = zip(expected, frames, strict=False)
        if whole and all(want[key] == got[key] for want, got in pairs for key in want):
            return True
    return False


@pytest.mark.skipif(
    not RECORDS, reason="needs the shared corpus: no shared/corpus/stacktraces.jsonl beside the project"
)
@pytest.mark.parametrize("told", [True, False], ids=["language given", "language found"])
def test_share_of_the_corpus(told: bool) -> None:
    records = [record for record in RECORDS if expectations(record)]
    missed = set()
    for record in records:
        language = record["language"]
        known = {"type": record["exception_type"] or "", "message": record["exception_message"] or ""}
        trace = parse(record["stacktrace"], language if told else "", **known)
        frames = [
            {"function": f.function, "file": f.file, "line": f.line, "column": f.column}
            for f in trace.exceptions[0].frames
        ]
        if language == "python":
            frames.reverse()  # the corpus has them in the text's order
        if trace.language != language or not meets(record, frames):
            missed.add(record["id"])
    assert missed == set(MISSES)
    assert 1 - len(missed) / len(records) >= 0.95


@pytest.mark.skipif(
    not RECORDS, reason="needs the shared corpus: no shared/corpus/stacktraces.jsonl beside the project"
)
def test_other_languages_are_not_taken_for_ours() -> None:
    taken = {}
    for record in corpus():
        if record["language"] not in ("python", "javascript"):
            trace = parse(record["stacktrace"])
            if any(node.frames for node in trace.exceptions):
                taken[record["id"]] = trace.language
    assert taken == {}
