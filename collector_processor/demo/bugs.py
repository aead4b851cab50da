"""The shop's bugs: what each is an example of, and the one issue that must come of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Bug(NamedTuple):
    """A bug of the shop: one issue, whatever differs between its occurrences."""

    key: str
    service: str
    type: str
    """The exception's bare type; ``""`` for a message without an exception."""
    title: str
    """A part of the issue's title that no occurrence changes."""
    culprit: str
    """The function that raises, as a part of the issue's culprit; ``""`` where there is no stack."""
    severity: str
    shows: str
    """What kind of error this is an example of."""


BUGS: tuple[Bug, ...] = (
    Bug(
        "card-declined",
        "checkout",
        "CardDeclined",
        "was declined",
        "charge",
        "high",
        "a chain (raise … from), card number and e-mail address in its message",
    ),
    Bug(
        "order-invalid",
        "checkout",
        "ExceptionGroup",
        "the order cannot be placed",
        "validate",
        "high",
        "a group of exceptions",
    ),
    Bug(
        "currency",
        "checkout",
        "KeyError",
        "",
        "exchange_rate",
        "high",
        "raised through three nested spans, each of which records it",
    ),
    Bug("greeting", "checkout", "GreetingNotPrintable", "cannot print", "typeset", "high", "markup in its message"),
    Bug(
        "refund",
        "checkout",
        "RefundRefused",
        "asked back",
        "refund",
        "high",
        "in a trace that the caller did not sample",
    ),
    Bug(
        "parcel",
        "checkout",
        "CarrierTimeout",
        "no answer for order",
        "ask_carrier",
        "high",
        "logged, raised on, and logged again by the server",
    ),
    Bug(
        "coupon",
        "checkout",
        "ValueError",
        "not enough values to unpack",
        "parse_campaign",
        "medium",
        "handled; captured with a tag and the user",
    ),
    Bug("upstream", "checkout", "UpstreamError", "catalogue answered", "_call", "high", "another service's failure"),
    Bug(
        "price-list",
        "catalogue",
        "PriceListError",
        "is not a price",
        "parse_price",
        "high",
        "a chain, in a trace that began in another service",
    ),
    Bug(
        "categories",
        "catalogue",
        "RecursionError",
        "maximum recursion depth",
        "expand_",
        "high",
        "two functions that call each other without end",
    ),
    Bug(
        "stock",
        "catalogue",
        "StockDatabaseDown",
        "cannot connect",
        "connect",
        "high",
        "a password in a URL in its message",
    ),
    Bug(
        "search",
        "catalogue",
        "AttributeError",
        "'NoneType' object",
        "look_up",
        "high",
        "raised while another one was handled",
    ),
    Bug("low-stock", "catalogue", "", "pieces of product", "", "low", "a message without an exception, at warning"),
    Bug(
        "mail",
        "worker",
        "MailRejected",
        "recipient address rejected",
        "hand_over",
        "high",
        "in an asyncio task that nobody awaits",
    ),
    Bug("invoice", "worker", "InvoiceTotalMismatch", "lines add up", "add_up", "high", "in a thread"),
    Bug(
        "webhook",
        "worker",
        "WebhookTimeout",
        "did not take order",
        "post_to_partner",
        "medium",
        "logged three times in one span: three attempts",
    ),
    Bug(
        "payout",
        "worker",
        "BooksOutOfBalance",
        "debits",
        "check_books",
        "critical",
        "logged as critical: this one pages",
    ),
    Bug(
        "reconciliation",
        "worker",
        "StockDiffers",
        "pieces booked",
        "compare",
        "medium",
        "a log record outside any trace",
    ),
    Bug(
        "web-total",
        "shop-web",
        "TypeError",
        "Cannot read properties of undefined",
        "lineTotal",
        "medium",
        "JavaScript, a span event as OTLP/JSON",
    ),
    Bug(
        "web-chunk",
        "shop-web",
        "ChunkLoadError",
        "Loading chunk",
        "loadChunk",
        "high",
        "JavaScript, a log record as OTLP/JSON",
    ),
)
BY_KEY: Mapping[str, Bug] = {bug.key: bug for bug in BUGS}
