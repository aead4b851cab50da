from __future__ import annotations

import pytest

from collector_processor.stages.severity import severity


@pytest.mark.parametrize(
    ("explicit", "number", "handled", "expected"),
    [
        ("critical", 0, None, "critical"),
        ("high", 13, True, "high"),
        ("medium", 21, False, "medium"),
        ("low", 24, False, "low"),
        ("CRITICAL", 17, None, "medium"),
        ("fatal", 0, False, "high"),
        ("", 21, None, "critical"),
        ("", 24, True, "critical"),
        ("", 21, False, "critical"),
        ("", 0, False, "high"),
        ("", 20, False, "high"),
        ("", 13, False, "high"),
        ("", 1, False, "high"),
        ("", 20, True, "medium"),
        ("", 17, True, "medium"),
        ("", 17, None, "medium"),
        ("", 16, None, "low"),
        ("", 13, True, "low"),
        ("", 1, None, "low"),
        ("", 0, True, "medium"),
        ("", 0, None, "medium"),
        ("", -3, None, "medium"),
        ("", 99, None, "critical"),
    ],
)
def test_table(explicit: str, number: int, handled: bool | None, expected: str) -> None:
    assert severity(explicit, number, handled) == expected
