"""Coupons. A broken one costs the customer the discount, never the order."""

from __future__ import annotations

import otel_errors

CAMPAIGNS = {"SPRING10": "percent:10", "WELCOME": "percent:5", "SUMMER-OLD": "percent", "BLACKWEEK": "percent=20"}


def discount(code: str, amount: int) -> int:
    """What the coupon takes off ``amount``; 0 without one, and when the campaign cannot be read."""
    if not code:
        return 0
    try:
        return parse_campaign(code, amount)
    except ValueError as error:
        otel_errors.capture_exception(error, tags={"coupon": code})
        return 0


def parse_campaign(code: str, amount: int) -> int:
    """The discount as the campaign's text defines it."""
    kind, value = CAMPAIGNS.get(code, "percent:0").split(":")
    return amount * int(value) // 100 if kind == "percent" else int(value)
