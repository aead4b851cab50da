"""Many rows in one statement, past SQLAlchemy's work for each value.

A batch writes and reads some thousand rows; building every parameter set through the ORM-grade machinery costs more
than the database does. Statements are still SQLAlchemy's, compiled once for the dialect in use; only plain values
(numbers, texts, bytes, None) go in and out, so nothing is lost by not converting them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, literal_column
from sqlalchemy.sql.dml import Insert, UpdateBase
from sqlalchemy.sql.selectable import Select

CHUNK = 500
"""Values in one IN (…)."""

_VALUES = "/* values */"
_T = TypeVar("_T")


class _Compiled(NamedTuple):
    statement: object
    """Kept, or its id could come again."""
    text: str
    order: tuple[str, ...] | None
    """Of the parameters, where the driver counts them instead of naming them."""


_compiled: dict[tuple[int, str], _Compiled] = {}


def chunks(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def execute_many(connection: Connection, statement: UpdateBase, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run a statement once for each row of parameters. The statement has to live as long as the module: it is compiled
    at its first use and remembered. Every row has the same keys; an INSERT sets just these columns. Constants in the
    statement have to be ``literal_column``, or they would be parameters too."""
    if not rows:
        return
    made = _compile(connection, statement, list(rows[0]) if isinstance(statement, Insert) else None)
    if made.order is None:
        connection.exec_driver_sql(made.text, [dict(row) for row in rows])
    else:
        in_order = itemgetter(*made.order)  # every statement has two parameters at least, so this gives tuples
        connection.exec_driver_sql(made.text, [in_order(row) for row in rows])


def one_of_values(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """``column IN (the values given to select_in)``."""
    return column.in_([literal_column(_VALUES)])


def select_in(connection: Connection, statement: Select[Any], values: Iterable[Any]) -> Iterator[Row[Any]]:
    """The rows of a query whose one parameter is ``one_of_values``, for all values, in chunks. The statement has to
    live
    as long as the module. Values come as the driver gives them: a truth value may be 0 or 1."""
    made = _compile(connection, statement, None)
    for part in chunks(list(values)):
        if made.order is None:
            keys = [f"v{index}" for index in range(len(part))]
            marks = ", ".join(f"%({key})s" for key in keys)
            yield from connection.exec_driver_sql(made.text.replace(_VALUES, marks), dict(zip(keys, part, strict=True)))
        else:
            yield from connection.exec_driver_sql(made.text.replace(_VALUES, ", ".join("?" * len(part))), tuple(part))


def _compile(connection: Connection, statement: UpdateBase | Select[Any], columns: list[str] | None) -> _Compiled:
    key = (id(statement), connection.dialect.name)
    if key not in _compiled:
        made = statement.compile(dialect=connection.dialect, column_keys=columns)
        order = tuple(made.positiontup or ()) if made.positional else None
        _compiled[key] = _Compiled(statement, str(made), order)
    return _compiled[key]
