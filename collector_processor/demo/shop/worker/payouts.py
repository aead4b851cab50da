"""Payouts to the shop's sellers: stopped at the first doubt about the books."""

from __future__ import annotations

import logging

logger = logging.getLogger("shop.worker.payouts")


class BooksOutOfBalance(ArithmeticError):
    """Debits and credits differ."""


def check_books(day: str, debited: int, credited: int) -> None:
    """Raise BooksOutOfBalance unless both sides agree."""
    if debited != credited:
        raise BooksOutOfBalance(f"books of {day}: debits {debited}, credits {credited}")


def run(day: str, debited: int, credited: int) -> bool:
    """Whether the day's payouts were made."""
    try:
        check_books(day, debited, credited)
    except BooksOutOfBalance:
        logger.critical("payouts of %s are stopped", day, exc_info=True)
        return False
    return True
