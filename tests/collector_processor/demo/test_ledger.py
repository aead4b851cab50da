"""The comparison of what was provoked with the issues: every way in which they can differ is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collector_processor.demo import Issue, Ledger
from collector_processor.demo.bugs import BUGS

DECLINED = Issue(
    id="i1",
    title="shop.checkout.payments.CardDeclined: card [card] of [email] was declined",
    culprit="shop.checkout.payments in charge",
    state="new",
    severity="high",
    service_name="checkout",
    count=3,
    users=0,
    last_seen="2026-11-25T03:00:00Z",
)
LOW_STOCK = replace(DECLINED, id="i2", title="only 2 pieces of product 14 left", culprit="", severity="low")
LOW_STOCK = replace(LOW_STOCK, service_name="catalogue", count=1)


def ledger() -> Ledger:
    written = Ledger()
    for _ in range(3):
        written.record({"card-declined": 1})
    written.record({"low-stock": 1})
    return written


def test_equal_is_empty() -> None:
    assert ledger().compare([LOW_STOCK, DECLINED]) == []


@pytest.mark.parametrize(
    ("issues", "said"),
    [
        ([DECLINED], "low-stock: provoked 1 times, no issue in catalogue"),
        ([LOW_STOCK, replace(DECLINED, count=2)], "card-declined: provoked 3 times, counted 2"),
        ([LOW_STOCK, replace(DECLINED, count=6)], "card-declined: provoked 3 times, counted 6"),
        ([LOW_STOCK, DECLINED, replace(DECLINED, id="i3", count=1)], "2 issues instead of one"),
        ([LOW_STOCK, replace(DECLINED, service_name="worker")], "no issue in checkout with 'CardDeclined'"),
        ([LOW_STOCK, DECLINED, replace(DECLINED, id="i4", title="KeyError: 'x'")], "no bug of the shop: checkout: Key"),
        ([LOW_STOCK, replace(DECLINED, culprit="starlette in app")], "raised in charge, the issue's culprit is"),
        ([LOW_STOCK, replace(DECLINED, severity="medium")], "severity high was expected, the issue says medium"),
    ],
)
def test_each_difference_is_said(issues: list[Issue], said: str) -> None:
    assert said in "\n".join(ledger().compare(issues))


def test_what_was_counted_before_is_taken_off() -> None:
    before = [replace(DECLINED, count=40), replace(DECLINED, id="i9", title="KeyError: 'x'", count=5)]
    after = [replace(DECLINED, count=43), before[1], LOW_STOCK]
    assert ledger().compare(after, before) == []
    assert ledger().compare([replace(DECLINED, count=44), before[1], LOW_STOCK], before) != []


def test_users_are_compared_where_the_shop_names_them() -> None:
    written = Ledger()
    for user in ("C-1", "C-2", "C-1"):
        written.record({"coupon": 1}, user)
    title = "ValueError: not enough values to unpack (expected 2, got 1)"
    coupon = replace(DECLINED, title=title, culprit="coupons in parse_campaign", severity="medium", users=2)
    assert written.compare([coupon]) == []
    assert written.compare([replace(coupon, users=3)]) == ["coupon: 2 users were concerned, the issue says 3"]


def test_an_unknown_bug_is_a_mistake_of_the_script() -> None:
    with pytest.raises(KeyError):
        Ledger().record({"no-such-bug": 1})


def test_no_two_bugs_can_be_taken_for_each_other() -> None:
    assert len({(bug.service, bug.type) for bug in BUGS}) == len(BUGS) == len({bug.key for bug in BUGS})
