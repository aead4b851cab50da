"""Products and their prices, as the suppliers' price lists have them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import otel_errors

LOW_STOCK = 3

# Product: (name, price as the supplier wrote it, pieces in stock). The supplier of 41 and 42 has a way of his own.
PRODUCTS = {
    11: ("Enamel mug", "12.50", 180),
    12: ("Tea strainer", "7.90", 64),
    13: ("Cast iron pan", "59.00", 22),
    14: ("Linen apron", "34.00", 2),
    15: ("Bread knife", "28.40", 1),
    16: ("Salt cellar", "16.75", 3),
    17: ("Pepper mill", "41.20", 57),
    41: ("Copper kettle", "89,oo", 12),
    42: ("Tin whistle", "14,oo", 8),
}


class PriceListError(Exception):
    """A supplier's price list cannot be read."""


def parse_price(text: str) -> int:
    """A price in cents."""
    try:
        return int(Decimal(text) * 100)
    except InvalidOperation as error:
        raise PriceListError(f"{text!r} is not a price") from error


def show(number: str) -> tuple[int, dict[str, Any]]:
    """A product with its price; someone in purchasing should know when it runs out."""
    known = PRODUCTS.get(int(number))
    if known is None:
        return 404, {"detail": f"no product {number}"}
    name, price, stock = known
    if stock <= LOW_STOCK:
        otel_errors.capture_message(f"only {stock} pieces of product {number} left", severity="low")
    return 200, {"id": int(number), "name": name, "price": parse_price(price), "stock": stock}
