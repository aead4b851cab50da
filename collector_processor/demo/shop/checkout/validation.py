"""Everything that is wrong with an order, said at once."""

from __future__ import annotations

import builtins
import importlib
from typing import Any

from .models import Order

# Python 3.10 has no groups of its own; FastAPI brings the backport there.
ExceptionGroup: Any = (
    getattr(builtins, "ExceptionGroup", None) or importlib.import_module("exceptiongroup").ExceptionGroup
)

LARGEST_QUANTITY = 99
SHIPPED_TO = frozenset({"AT", "CH", "DE", "FR", "GB", "SE"})


class QuantityTooLarge(ValueError):
    """More pieces than a parcel holds."""


class NotShippedTo(ValueError):
    """A country that no carrier of ours goes to."""


def check_quantities(order: Order) -> None:
    """Raise QuantityTooLarge for the first line that is."""
    for line in order.lines:
        if line.quantity > LARGEST_QUANTITY:
            raise QuantityTooLarge(
                f"{line.quantity} pieces of product {line.product_id}: at most {LARGEST_QUANTITY} go into a parcel"
            )


def check_country(order: Order) -> None:
    """Raise NotShippedTo unless some carrier goes there."""
    if order.country not in SHIPPED_TO:
        raise NotShippedTo(f"no carrier delivers to {order.country}")


def validate(order: Order) -> None:
    """Run every check; raise one group of all that failed."""
    problems: list[Exception] = []
    for check in (check_quantities, check_country):
        try:
            check(order)
        except ValueError as problem:
            problems.append(problem)
    if problems:
        raise ExceptionGroup("the order cannot be placed", problems)
