"""The driver's script: which requests, in which order, and what each provokes. The same seed gives the same script."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

from collector_processor.demo.customers import BOUNCING, DECLINED, PAYING, Customer

SOUND_PRODUCTS = (11, 12, 13, 17)
RUNNING_OUT = (14, 15, 16)
MISPRICED = (41, 42)


class Step(NamedTuple):
    """One request and its consequences. ``service`` ``shop-web`` has no path: its page is the bug's key."""

    service: str
    method: str
    path: str
    body: dict[str, Any] | None
    status: int
    """The answer that shows that the request did what it should."""
    raises: Mapping[str, int] = {}
    """Bug key → occurrences."""
    user: str = ""
    """Who is signed in, by the customer's id."""
    sampled: bool = True
    """False: sent with a ``traceparent`` that says not sampled."""


Build = Callable[[Random], Step]


def _order(customer: Customer, random: Random, **changes: Any) -> dict[str, Any]:
    lines = [{"product_id": product, "quantity": random.randint(1, 3)} for product in random.sample(SOUND_PRODUCTS, 2)]
    order = {"email": customer.email, "card_number": customer.card_number, "lines": lines}
    return {**order, **changes}


def _place(status: int, raises: Mapping[str, int], who: tuple[Customer, ...], random: Random, **changes: Any) -> Step:
    customer = random.choice(who)
    return Step("checkout", "POST", "/orders", _order(customer, random, **changes), status, raises, customer.id)


def _job(kind: str, details: dict[str, Any], raises: Mapping[str, int]) -> Step:
    return Step("checkout", "POST", f"/back-office/jobs/{kind}", details, 202, raises)


def _declined(random: Random) -> Step:
    return _place(500, {"card-declined": 1}, DECLINED, random)


def _invalid(random: Random) -> Step:
    too_many = [{"product_id": random.choice(SOUND_PRODUCTS), "quantity": random.randint(100, 400)}]
    return _place(500, {"order-invalid": 1}, PAYING, random, lines=too_many, country=random.choice(("BR", "JP", "NZ")))


def _currency(random: Random) -> Step:
    return _place(500, {"currency": 1}, PAYING, random, currency="NOK")


def _greeting(random: Random) -> Step:
    return _place(500, {"greeting": 1}, PAYING, random, greeting="<script>alert('Bo')</script>")


def _refund(random: Random) -> Step:
    path, body = f"/orders/{random.randint(1000, 9999)}/refund", {"amount": random.randint(2000, 9000)}
    return Step("checkout", "POST", path, body, 500, {"refund": 1}, sampled=False)


def _parcel(random: Random) -> Step:
    return Step("checkout", "POST", f"/orders/{random.randrange(1001, 9999, 2)}/parcel", {}, 500, {"parcel": 1})


def _coupon(random: Random) -> Step:
    coupon = random.choice(("SUMMER-OLD", "BLACKWEEK"))
    return _place(201, {"coupon": 1}, PAYING, random, coupon=coupon)


def _mispriced(random: Random) -> Step:
    body = {"lines": [{"product_id": random.choice(MISPRICED)}]}
    return Step("checkout", "POST", "/baskets/quote", body, 500, {"upstream": 1, "price-list": 1})


def _categories(random: Random) -> Step:
    return Step("catalogue", "GET", "/categories/kitchen", None, 500, {"categories": 1})


def _stock(random: Random) -> Step:
    return Step("catalogue", "GET", f"/warehouses/{random.randint(9, 99)}/stock", None, 500, {"stock": 1})


def _search(random: Random) -> Step:
    return Step("catalogue", "GET", f"/search/{random.choice(('wok', 'ladle', 'whisk'))}", None, 500, {"search": 1})


def _low_stock(random: Random) -> Step:
    return Step("catalogue", "GET", f"/products/{random.choice(RUNNING_OUT)}", None, 200, {"low-stock": 1})


def _mail(random: Random) -> Step:
    return _place(201, {"mail": 1}, BOUNCING, random)


def _invoice(random: Random) -> Step:
    lines = [random.randint(500, 9000) for _ in range(3)]
    details = {"number": f"2026-{random.randint(10000, 99999)}", "lines": lines, "total": sum(lines) + 1}
    return _job("invoice", details, {"invoice": 1})


def _webhook(random: Random) -> Step:
    details = {"partner": "slow-ledger", "order_id": random.randint(1000, 9999)}
    return _job("webhook", details, {"webhook": 3})


def _payout(random: Random) -> Step:
    debits = random.randint(100_000, 900_000)
    return _job(
        "payout",
        {"day": f"2026-11-{random.randint(1, 24):02d}", "debits": debits, "credits": debits - 1},
        {"payout": 1},
    )


def _reconcile(random: Random) -> Step:
    booked = random.randint(1000, 9000)
    details = {"warehouse": random.randint(1, 8), "booked": booked, "counted": booked // 2}
    return _job("reconcile", details, {"reconciliation": 1})


def _page(key: str) -> Build:
    return lambda random: Step("shop-web", "POST", "", None, 200, {key: 1})


FAILING: tuple[tuple[Build, int], ...] = (
    (_declined, 7),
    (_invalid, 4),
    (_currency, 6),
    (_greeting, 3),
    (_refund, 5),
    (_parcel, 6),
    (_coupon, 8),
    (_mispriced, 4),
    (_categories, 3),
    (_stock, 4),
    (_search, 5),
    (_low_stock, 9),
    (_mail, 5),
    (_invoice, 4),
    (_webhook, 2),
    (_payout, 2),
    (_reconcile, 3),
    (_page("web-total"), 6),
    (_page("web-chunk"), 3),
)
"""What fails, and how often in one script."""

HEALTHY: tuple[Build, ...] = (
    lambda random: _place(201, {}, PAYING, random, coupon=random.choice(("", "SPRING10", "WELCOME"))),
    lambda random: _place(
        201, {}, PAYING, random, currency=random.choice(("GBP", "SEK", "CHF")), greeting="Happy birthday!"
    ),
    lambda random: Step(
        "checkout", "POST", "/baskets/quote", {"lines": [{"product_id": random.choice(SOUND_PRODUCTS)}]}, 200
    ),
    lambda random: Step("checkout", "POST", f"/orders/{random.randrange(1000, 9999, 2)}/parcel", {}, 200),
    lambda random: Step("checkout", "POST", f"/orders/{random.randint(1000, 9999)}/refund", {"amount": 900}, 200),
    lambda random: Step("catalogue", "GET", f"/products/{random.choice(SOUND_PRODUCTS)}", None, 200),
    lambda random: Step("catalogue", "GET", "/products/99", None, 404),
    lambda random: Step("catalogue", "GET", "/categories/home", None, 200),
    lambda random: Step("catalogue", "GET", f"/search/{random.choice(('mug', 'cup', 'tea', 'skillet'))}", None, 200),
    lambda random: _job("invoice", {"number": "2026-10001", "lines": [400, 600], "total": 1000}, {}),
    lambda random: _job("webhook", {"partner": "parcels", "order_id": 1001}, {}),
)
HEALTHY_ROUNDS = 6


def bounded(seed: int) -> list[Step]:
    """The script with an end: every bug as often as ``FAILING`` says, healthy requests between, shuffled."""
    random = Random(seed)  # noqa: S311 - a script, not a secret
    steps = [build(random) for build, times in FAILING for _ in range(times)]
    steps += [build(random) for _ in range(HEALTHY_ROUNDS) for build in HEALTHY]
    random.shuffle(steps)
    return steps


def gentle(seed: int) -> Iterator[Step]:
    """The script without an end: three healthy requests, then one that fails, each bug as often as its weight says.

    Failures are dealt from a shuffled deck, so one deck (89 failures) meets every bug.
    """
    random = Random(seed)  # noqa: S311
    while True:
        deck = [build for build, times in FAILING for _ in range(times)]
        random.shuffle(deck)
        for failing in deck:
            for _ in range(3):
                yield random.choice(HEALTHY)(random)
            yield failing(random)
