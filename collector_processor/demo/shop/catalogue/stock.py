"""Stock of the warehouses, in a database of the logistics department that is being moved this week."""

from __future__ import annotations

import os
from typing import Any


class StockDatabaseDown(ConnectionError):
    """The stock database cannot be reached."""


def connect(dsn: str, warehouse: int) -> None:
    """Open a connection."""
    raise StockDatabaseDown(f"cannot connect to {dsn} for warehouse {warehouse}: connection refused")


def show(warehouse: str) -> tuple[int, dict[str, Any]]:
    """Pieces in a warehouse."""
    if int(warehouse) >= 9:
        connect(os.environ["SHOP_STOCK_DSN"], int(warehouse))
    return 200, {"warehouse": int(warehouse), "pieces": int(warehouse) * 117}
