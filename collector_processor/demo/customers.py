"""The shop's customers, and with them every personal or secret text of the demo.

Nothing of ``SECRETS`` may be found in what the processor keeps.
"""

from __future__ import annotations

from typing import NamedTuple


class Customer(NamedTuple):
    """Someone who orders. The card numbers are published test numbers: right in their check digit, issued to nobody."""

    id: str
    email: str
    card_number: str


PAYING = (
    Customer("C-1001", "mina.okafor@mailbox.example", "4242424242424242"),
    Customer("C-1002", "jonas.lindqvist@mailbox.example", "5555555555554444"),
    Customer("C-1003", "amelie.durand@post.example", "378282246310005"),
    Customer("C-1004", "tomasz.wrobel@post.example", "6011111111111117"),
)
DECLINED = (
    Customer("C-2001", "greta.hollmann@mailbox.example", "4000000000000002"),
    Customer("C-2002", "rafael.monteiro@post.example", "5105105105105100"),
    Customer("C-2003", "ines.carvalho@mailbox.example", "4000056655665556"),
    Customer("C-2004", "duncan.mcrae@post.example", "4000000000009995"),
)
BOUNCING = (
    Customer("C-3001", "sofia.brandt@closed-mailboxes.example", "4242424242424242"),
    Customer("C-3002", "liam.oduya@closed-mailboxes.example", "5555555555554444"),
    Customer("C-3003", "noor.haddad@closed-mailboxes.example", "6011111111111117"),
)

STOCK_PASSWORD = "tr0mb0ne-Kestrel-42"  # noqa: S105 - nobody's: it is here to be looked for
STOCK_DSN = f"postgresql://stock_reader:{STOCK_PASSWORD}@stock-db.shop.example:5432/stock"
"""Given to the catalogue in its environment, as such things are: the shop's code does not hold it."""

_EVERYBODY = PAYING + DECLINED + BOUNCING
SECRETS: tuple[str, ...] = (
    *sorted({customer.email for customer in _EVERYBODY}),
    *sorted({customer.card_number for customer in _EVERYBODY}),
    STOCK_PASSWORD,
)
"""Every e-mail address, card number and password that the demo sends."""
