"""E-mail to customers."""

from __future__ import annotations

import asyncio

CLOSED_DOMAINS = ("@closed-mailboxes.example",)


class MailRejected(Exception):
    """The recipient's mail server does not take the message."""


async def hand_over(recipient: str, subject: str) -> str:
    """Speak to the recipient's mail server; its answer."""
    await asyncio.sleep(0.01)
    if recipient.endswith(CLOSED_DOMAINS):
        raise MailRejected(f"550 5.1.1 <{recipient}>: recipient address rejected, subject {subject!r}")
    return "250 2.0.0 queued"


async def send_receipt(order_id: int, email: str, total: int) -> None:
    """Tell a customer that the order was paid."""
    await hand_over(email, f"Your order {order_id}: {total / 100:.2f} paid")
