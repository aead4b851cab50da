"""Local variables as plain data: bounded, and no code of the application is run for it."""

from __future__ import annotations

import json
from collections import OrderedDict, UserDict
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any, NoReturn
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_errors.plain_values import MAX_ITEMS, MAX_TEXT_CHARACTERS, MAX_VALUES, PlainValues

CALLED: list[str] = []


def _told(name: str) -> Any:
    def method(*args: Any, **kwargs: Any) -> NoReturn:
        CALLED.append(name)
        raise RuntimeError(name)

    return method


SPECIAL = ("__repr__", "__str__", "__format__", "__len__", "__iter__", "__getitem__", "__hash__", "__eq__", "__bool__",
           "__getattr__", "__fspath__", "__index__", "__int__", "items", "keys")  # fmt: skip
METHODS = {"__module__": __name__, **{name: _told(name) for name in SPECIAL if name != "__hash__"}}
HOSTILE = {
    base: type(f"Hostile{base.__name__}", (base,), METHODS)
    for base in (object, str, int, float, bytes, list, tuple, dict, set, UserDict, Exception)
}


class Colour(Enum):
    RED = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        (2_000_000_000, 2_000_000_000),
        (4111111111111111, "4111111111111111"),
        (-12345678901234567890, "-12345678901234567890"),
        (1 << 5000, "<int of 5001 bits>"),
        ("text", "text"),
        ("x" * 600, "x" * MAX_TEXT_CHARACTERS + "…"),
        (b"secret", "<6 bytes>"),
        (Decimal("1.50"), "1.50"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (date(2026, 11, 25), "2026-11-25"),
        (timedelta(seconds=90), "0:01:30"),
        (PurePosixPath("/srv"), "/srv"),
        (datetime(2026, 1, 1, tzinfo=timezone.utc), "<datetime.datetime>"),
        (Colour.RED, f"<{__name__}.Colour>"),
        (OrderedDict(a=1), "<collections.OrderedDict>"),
        (object(), "<object>"),
        ([1, (2, {"a": {3}})], [1, [2, {"a": [3]}]]),
        ({1: "a", None: "b", (1, 2): "c"}, {"1": "a", "None": "b", "<tuple of 2>": "c"}),
        (list(range(20)), [*range(MAX_ITEMS), "… 4 more"]),
        ([[[[[1]]]]], [[[["<list of 1>"]]]]),
    ],
)
def test_values(value: object, expected: object) -> None:
    assert PlainValues().of(value) == expected


@pytest.mark.parametrize("base", HOSTILE, ids=lambda base: base.__name__)
def test_no_code_of_the_application_runs(base: type[Any]) -> None:
    hostile = HOSTILE[base].__new__(HOSTILE[base])
    CALLED.clear()
    inside = [hostile, {"a": hostile}, (hostile,)]
    expected = f"<{__name__}.Hostile{base.__name__}>"
    assert PlainValues().of(hostile) == expected
    assert PlainValues().of(inside) == [expected, {"a": expected}, [expected]]
    assert CALLED == []


def test_cycles_and_millions_of_values_end() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    assert PlainValues().of(cycle) == [[[["<list of 1>"]]]]
    wide = [[[list(range(100)) for _ in range(100)] for _ in range(100)] for _ in range(3)]
    text = json.dumps(PlainValues().of(wide))
    assert text.count(",") < MAX_VALUES + 3 * MAX_ITEMS * MAX_ITEMS
    many = {number: number for number in range(1_000_000)}
    assert len(PlainValues().of(many)) == MAX_ITEMS + 1


class NoName(type):
    def __getattribute__(cls, name: str) -> Any:
        raise RuntimeError(name)


def test_a_class_that_hides_its_name() -> None:
    assert PlainValues().of(NoName("Hidden", (), {})()) == "<Hidden>"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.builds(object),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner) | st.tuples(inner),
)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(VALUES)
def test_anything_becomes_json(value: object) -> None:
    json.dumps(PlainValues().of(value))
