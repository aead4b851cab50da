"""What customers send to checkout."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Line(BaseModel):
    """One product of a basket."""

    product_id: int
    quantity: int = Field(1, ge=1, le=500)


class Basket(BaseModel):
    """Products and the currency that the customer wants to pay in."""

    lines: list[Line] = Field(min_length=1)
    currency: str = "EUR"


class Order(Basket):
    """A basket with all that is needed to charge and send it."""

    email: str
    card_number: str
    country: str = "DE"
    coupon: str = ""
    greeting: str = ""


class Refund(BaseModel):
    """Money back for an order, in minor units."""

    amount: int = Field(ge=1)
