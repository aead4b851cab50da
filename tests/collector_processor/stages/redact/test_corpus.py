"""Recall, precision and look-alikes on the shared fixtures, printed (``pytest -s``) and held to the bars that are
reached."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from collector_processor.stages.redact import Redaction, Redactor

ROOT = Path(__file__).resolve().parents[4]
REDACTOR = Redactor(strict=True)


def _records() -> list[dict[str, Any]]:
    for directory in (ROOT, *ROOT.parents):
        file = directory / "shared" / "corpus" / "pii.jsonl"
        if file.is_file():
            return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    pytest.skip("no shared/corpus/pii.jsonl beside the project: the fixtures are not part of the repository")


def _decoded(values: list[str]) -> list[str]:
    return [base64.b64decode(value).decode() for value in values]


def _covered(text: str, secret: str, redactions: tuple[Redaction, ...]) -> bool:
    """Every occurrence of the secret lies inside something that went."""
    at = text.find(secret)
    while at >= 0:
        if not any(one.start <= at and at + len(secret) <= one.end for one in redactions):
            return False
        at = text.find(secret, at + 1)
    return True


def test_what_must_go_goes_and_nothing_else() -> None:
    secrets = gone = taken = right = harmed = 0
    for record in _records():
        if record["policy_class"] != "core":
            continue
        text = _decoded([record["text_b64"]])[0]
        clean, redactions = REDACTOR.text(text, record["attribute_key"])
        sensitive = _decoded(record["sensitive_b64"])
        secrets += len(sensitive)
        gone += sum(_covered(text, secret, redactions) for secret in sensitive)
        taken += len(redactions)
        for one in redactions:
            right += any(
                text[one.start : one.end] in secret or secret in text[one.start : one.end] for secret in sensitive
            )
        harmed += sum(part not in clean for part in _decoded(record["must_survive_b64"]))
    print(f"\ncore: recall {gone}/{secrets}, precision {right}/{taken}, harmed {harmed}")
    assert secrets >= 100
    assert gone / secrets >= 0.99
    assert right / taken >= 0.99
    assert harmed == 0


def test_look_alikes_stay() -> None:
    looked = intact = 0
    for record in _records():
        if record["policy_class"] != "fp-strict":
            continue
        text = _decoded([record["text_b64"]])[0]
        clean, _ = REDACTOR.text(text, record["attribute_key"])
        looked += 1
        intact += all(part in clean for part in _decoded(record["must_survive_b64"]))
    print(f"\nfp-strict: intact {intact}/{looked}")
    assert looked >= 20
    assert intact == looked


def test_stack_traces_keep_their_frames() -> None:
    for directory in (ROOT, *ROOT.parents):
        file = directory / "shared" / "corpus" / "stacktraces.jsonl"
        if file.is_file():
            break
    else:
        pytest.skip(
            "no shared/corpus/stacktraces.jsonl beside the project: the fixtures are not part of the repository"
        )
    texts = [json.loads(line)["stacktrace"] for line in file.read_text(encoding="utf-8").splitlines()]
    touched = [(text[one.start : one.end], one.rule) for text in texts for one in REDACTOR.text(text)[1]]
    assert len(texts) > 100
    assert touched == []
