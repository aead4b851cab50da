"""What OpenTelemetry's SDK for PHP writes of an exception."""

from __future__ import annotations

import pytest

from collector_processor.stacktraces import StackTrace, parse
from tests.collector_processor.stages.mutations.trace import SEEDS

TEXT = (SEEDS / "php-telemetry.txt").read_text(encoding="utf-8")


def told(trace: StackTrace, node: int) -> list[tuple[str | None, str | None, int | None, bool]]:
    return [(frame.function, frame.file, frame.line, frame.in_app) for frame in trace.exceptions[node].frames]


@pytest.mark.parametrize("language", ["php", ""])
@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n"), TEXT.replace("\n", "\\n").replace("\t", "\\t")])
def test_causes_and_frames(language: str, text: str) -> None:
    trace = parse(text, language)
    assert trace.language == "php"
    outer, cause = trace.exceptions
    assert (outer.type, outer.message, outer.parent) == ("Shop.OrderFailed", "order 4711 failed", None)
    assert (cause.type, cause.parent) == ("PDOException", 0)
    assert cause.message == "SQLSTATE[HY000] [2002] Connection refused"
    assert told(trace, 0) == [
        ("Shop.Orders.place", "Orders.php", 25, True),
        ("Shop.Checkout.run", "Checkout.php", 31, True),
        ("{main}", "order.php", 9, True),
    ]
    assert told(trace, 1)[0] == ("PDO.__construct", "Database.php", 14, False)


def test_functions_without_a_class_closures_and_the_runtimes_own() -> None:
    lines = ("ValueError: x", "\tat array_map(Unknown Source)", "\tat Shop.{closure}(a.php:3)", "\tat run(a.php:7)")
    text = "\n".join((*lines, "\tat {main}(a.php:9)"))
    assert told(parse(text, "php"), 0) == [
        ("array_map", None, None, False),
        ("Shop.{closure}", "a.php", 3, True),
        ("run", "a.php", 7, True),
        ("{main}", "a.php", 9, True),
    ]


def test_a_circle_of_causes_ends() -> None:
    circle = TEXT + "Caused by: [CIRCULAR REFERENCE: Shop.OrderFailed: order 4711 failed]"
    assert len(parse(circle, "php").exceptions) == 2
