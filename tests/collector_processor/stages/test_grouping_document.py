"""The table of docs/grouping.md, computed: what changes a fingerprint and what does not, over both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from collector_processor.stages.fingerprint import group
from tests.collector_processor.stages.traces import FAILURES, LOOKUP, Call, Failure, library

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "grouping.md"


def fingerprint(failure: Failure, **changes: str) -> str:
    said = {"type": failure.type, "message": failure.message, "stacktrace": failure.text()}
    return group(**{**said, "language": failure.language, **changes}).fingerprint


def _caused(failure: Failure, **changes: object) -> Failure:
    cause = Failure(failure.language, type="KeyError", message="'x'", calls=LOOKUP)
    return failure.but(cause=cause.but(**changes))


def _outer(failure: Failure) -> Failure:
    instrumentation = (
        "/app/.venv/lib/python3.11/site-packages/opentelemetry/trace/__init__.py"
        if failure.language == "python"
        else "/app/node_modules/@opentelemetry/api/build/src/api.js"
    )
    return failure.but(
        calls=(Call("use_span", instrumentation, 587), Call("main", "/app/shop/run.py", 3), *failure.calls)
    )


def _recursion(depth: int) -> Callable[[Failure], Failure]:
    a, b = Call("even", "/app/shop/tree.py", 4), Call("odd", "/app/shop/tree.py", 9)
    return lambda failure: failure.but(calls=(failure.calls[0], *(a, b) * depth, *failure.calls[2:]))


Change = Callable[[Failure], Failure]


def same(failure: Failure) -> Failure:
    return failure


# What the document's table calls it -> (what it is compared with, the change).
SAME: dict[str, tuple[Change, Change]] = {
    "lines shifted": (same, lambda f: f.shifted(7)),
    "another deployment path": (same, lambda f: f.moved("/srv/releases/20260101/")),
    "another operating system": (same, lambda f: f.moved("C:/deploy/v42/", "\\")),
    "relative paths": (same, lambda f: f.moved("")),
    "a memory address in the message": (
        lambda f: f.but(message="no handler for <Order object at 0x7f3c2a1b9d30>"),
        lambda f: f.but(message="no handler for <Order object at 0x7f0000000010>"),
    ),
    "an id in the message": (same, lambda f: f.but(message="card of order 99 declined")),
    "another message": (same, lambda f: f.but(message="the bank says no")),
    "a host in the message": (same, lambda f: f.but(message="bank-7.example.com:8443 declined")),
    "more outer frames": (same, _outer),
    "caught one call further in": (same, lambda f: f.but(calls=f.calls[1:])),
    "caught in the raising function": (same, lambda f: f.but(calls=f.calls[2:])),
    "the header printed twice": (same, lambda f: f.but(header_twice=True)),
    "deeper recursion": (_recursion(2), _recursion(9)),
    "other internals of a library": (
        lambda f: f.but(calls=f.calls + library(f.language, "charge", "_send", "fail")),
        lambda f: f.but(calls=f.calls + library(f.language, "charge", "_retry", "_open", "_send", "fail")),
    ),
    "a cause at another line": (_caused, lambda f: _caused(f).shifted(3)),
    "a cause with another message": (_caused, lambda f: _caused(f, message="'y'")),
    "the same retry once more": (
        lambda f: f.but(cause=f),
        lambda f: f.but(cause=f.but(cause=f)),
    ),
}
DIFFERENT: dict[str, tuple[Change, Change]] = {
    "another raising function": (
        same,
        lambda f: f.but(calls=(*f.calls[:2], Call("refund", "/app/shop/payments.py", 42))),
    ),
    "the same function name in another file": (
        same,
        lambda f: f.but(calls=(*f.calls[:2], Call("charge_card", "/app/shop/vouchers.py", 42))),
    ),
    "the same common file name in another package": (
        lambda f: f.but(calls=(*f.calls[:2], Call("get", "/app/orders/views.py", 42))),
        lambda f: f.but(calls=(*f.calls[:2], Call("get", "/app/users/views.py", 42))),
    ),
    "another type": (same, lambda f: f.but(type="shop.payments.CardExpired")),
    "a cause added": (same, _caused),
    "a cause of another type": (_caused, lambda f: _caused(f, type="IndexError")),
    "a cause raised elsewhere": (_caused, lambda f: _caused(f, calls=(Call("load", "/app/shop/accounts.py", 7),))),
    "another library function called": (
        lambda f: f.but(calls=f.calls + library(f.language, "charge", "_send")),
        lambda f: f.but(calls=f.calls + library(f.language, "refund", "_send")),
    ),
    "another library function raising": (
        lambda f: f.but(calls=f.calls + library(f.language, "charge", "_send")),
        lambda f: f.but(calls=f.calls + library(f.language, "charge", "_read")),
    ),
}


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.language)
@pytest.mark.parametrize("name", SAME)
def test_same(name: str, failure: Failure) -> None:
    before, after = SAME[name]
    assert before(failure).text() != after(failure).text()
    assert fingerprint(before(failure)) == fingerprint(after(failure))


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.language)
@pytest.mark.parametrize("name", DIFFERENT)
def test_different(name: str, failure: Failure) -> None:
    before, after = DIFFERENT[name]
    assert fingerprint(before(failure)) != fingerprint(after(failure))


def test_the_document_says_what_is_computed() -> None:
    rows = re.findall(r"^\| ([^|]+) \| (same|different) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    computed = [*((name, "same") for name in SAME), *((name, "different") for name in DIFFERENT)]
    assert [(name.strip(), verdict) for name, verdict in rows] == computed


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.language)
def test_all_same_changes_at_once(failure: Failure) -> None:
    changed = _outer(failure).shifted(11).moved("/home/ci/build-77/").but(message="order 1 of bob@example.com declined")
    assert fingerprint(changed.but(header_twice=True)) == fingerprint(failure)
