"""Charging cards, and giving money back."""

from __future__ import annotations

from .models import Order, Refund

DECLINED_BY_ACQUIRER = {
    "0002": "declined",
    "5100": "card expired",
    "5556": "card reported lost",
    "9995": "insufficient funds",
}


class AcquirerError(Exception):
    """What the acquirer's gateway answered instead of an authorisation."""


class CardDeclined(Exception):
    """The customer's card was not charged."""


class RefundRefused(Exception):
    """The money cannot go back."""


class AcquirerGateway:
    """The bank's side: authorises an amount on a card."""

    def authorise(self, card_number: str, amount: int) -> str:
        """The authorisation's code."""
        reason = DECLINED_BY_ACQUIRER.get(card_number[-4:])
        if reason is not None:
            raise AcquirerError(f"response 51: {reason}, amount {amount}")
        return f"A{amount:08d}"


def charge(order: Order, amount: int, gateway: AcquirerGateway) -> str:
    """Charge the order's card; the authorisation's code."""
    try:
        return gateway.authorise(order.card_number, amount)
    except AcquirerError as error:
        raise CardDeclined(f"card {order.card_number} of {order.email} was declined") from error


def refund(order_id: int, request: Refund) -> None:
    """Give money back, as far as it was paid."""
    paid = 1000 + order_id % 7
    if request.amount > paid:
        raise RefundRefused(f"order {order_id}: {request.amount} asked back, {paid} paid")
