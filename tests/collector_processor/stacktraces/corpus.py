"""The public corpus of other parsers' test traces, where it lies next to the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def records() -> list[dict[str, Any]]:
    for directory in Path(__file__).resolve().parents:
        file = directory / "shared" / "corpus" / "stacktraces.jsonl"
        if file.is_file():
            return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return []
