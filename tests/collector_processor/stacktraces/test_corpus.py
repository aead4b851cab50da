"""The public corpus of other parsers' test traces, where it lies next to the project."""

from __future__ import annotations

import re
from typing import Any

import pytest

from collector_processor.stacktraces import StackTrace, parse
from tests.collector_processor.stacktraces.corpus import records

MISSES = {
    "st-0063": "expects the file to be '(native)', with its parentheses; every other location is expected without",
}
"""Records that are not met, and why. One that is met must leave this list."""

_GO_ARGUMENTS = re.compile(r"\([^()*]*\)$")


RECORDS = records()


def expectations(record: dict[str, Any]) -> list[list[dict[str, Any]]]:
    found = [record["expected_frames"], record["derived_frames"]]
    found += [other["expected_frames"] for other in record.get("alternatives") or []]
    return [frames for frames in found if frames]


def comparable(language: str, frame: dict[str, Any]) -> dict[str, Any]:
    """The corpus leaves the arguments of some Go functions on their names."""
    told: dict[str, Any] = {key: frame[key] for key in ("function", "file", "line", "column") if key in frame}
    if language == "go" and told.get("function"):
        told["function"] = _GO_ARGUMENTS.sub("", told["function"])
    return told


def meets(record: dict[str, Any], frames: list[dict[str, Any]]) -> bool:
    total, language = record["expected_n_frames"], record["language"]
    for expected in expectations(record):
        # Some of the sources' tests look at the first frames and at the number of all.
        whole = len(expected) == len(frames) or (total and len(expected) < total == len(frames))
        pairs = zip([comparable(language, frame) for frame in expected], frames, strict=False)
        if whole and all(want[key] == got[key] for want, got in pairs for key in want):
            return True
    return False


def frames_of(record: dict[str, Any], trace: StackTrace) -> list[dict[str, Any]]:
    """In the text's order: the corpus has the frames of a whole chain, but of the outermost exception only for Python
    and JavaScript."""
    language = record["language"]
    nodes = trace.exceptions[:1] if language in ("python", "javascript") else trace.exceptions
    if language == "dotnet":  # prints the innermost first
        nodes = nodes[::-1]
    found = [
        {"function": f.function, "file": f.file, "line": f.line, "column": f.column} for n in nodes for f in n.frames
    ]
    return found[::-1] if language == "python" else found


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
        if trace.language != language or not meets(record, frames_of(record, trace)):
            missed.add(record["id"])
    assert missed == set(MISSES)
    for language in {record["language"] for record in records}:
        ids = {record["id"] for record in records if record["language"] == language}
        assert len(ids & missed) <= max(1, 0.03 * len(ids)), language


@pytest.mark.skipif(
    not RECORDS, reason="needs the shared corpus: no shared/corpus/stacktraces.jsonl beside the project"
)
def test_no_text_is_taken_for_another_language() -> None:
    taken = {}
    for record in RECORDS:
        trace = parse(record["stacktrace"])
        if any(node.frames for node in trace.exceptions):
            language = "swift" if record["language"] == "swift-objc" else record["language"]
            if trace.language != language:
                taken[record["id"]] = trace.language
    assert taken == {}
