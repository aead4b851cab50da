"""Prices of a basket: looked up in the catalogue, converted, added up. Each step is a span."""

from __future__ import annotations

from opentelemetry import trace

from ..calls import Service  # noqa: TID252
from .models import Basket

tracer = trace.get_tracer("shop.checkout")

EXCHANGE_RATES = {"EUR": 1.0, "GBP": 0.86, "SEK": 11.02, "CHF": 0.93}


def price_basket(basket: Basket, catalogue: Service) -> int:
    """The basket's price in minor units of its currency."""
    with tracer.start_as_current_span("price basket") as span:
        span.set_attribute("shop.basket.lines", len(basket.lines))
        total = 0.0
        for line in basket.lines:
            product = catalogue.get(f"/products/{line.product_id}")
            total += product["price"] * line.quantity
        return round(convert(total, basket.currency))


def convert(amount: float, currency: str) -> float:
    """``amount`` in euro cents, in minor units of ``currency``."""
    with tracer.start_as_current_span("convert currency") as span:
        span.set_attribute("shop.currency", currency)
        return amount * exchange_rate(currency)


def exchange_rate(currency: str) -> float:
    """What one euro costs."""
    return EXCHANGE_RATES[currency]
