from __future__ import annotations

import logging
import re
import sys
import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_processor.stages import fingerprint as module
from collector_processor.stages.fingerprint import Grouping, group
from tests.collector_processor.stages.traces import FAILURES, Call, Failure, library

PYTHON, NODE = FAILURES


def grouped(failure: Failure, **changes: str) -> Grouping:
    said = {"type": failure.type, "message": failure.message, "stacktrace": failure.text()}
    return group(**{**said, "language": failure.language, **changes})


def test_form() -> None:
    grouping = grouped(PYTHON)
    assert re.fullmatch(r"fp1:[0-9a-f]{32}", grouping.fingerprint)
    assert grouping.language == "python"
    assert grouping.culprit == "shop/payments.py in charge_card"
    assert grouping.raise_site == "payments.py:charge_card"
    assert grouping.components[:2] == ("type: CardDeclined", "raised: payments.py:charge_card")


def test_values_are_pinned() -> None:
    """A change of any key regroups everybody's issues: it needs a new version prefix, not a new value here."""
    assert [grouped(failure).fingerprint for failure in FAILURES] == [PINNED_PYTHON, PINNED_NODE]
    assert group(type="", message="", stacktrace="").fingerprint == PINNED_EMPTY
    assert group(type="E", message="order 7 failed", stacktrace="").fingerprint == PINNED_MESSAGE
    assert group(type="", message="", stacktrace="", client="mine").fingerprint == PINNED_CLIENT


PINNED_PYTHON = "fp1:29f35b37ad1a16ea28ace1c29e75d831"
PINNED_NODE = "fp1:a57dccdf8c666ccb6c8d84d863cf5e08"
PINNED_EMPTY = "fp1:76f5ec0b36052308e480654db7d373df"
PINNED_MESSAGE = "fp1:340d9ec018462d9ffbe2aaa927f8366b"
PINNED_CLIENT = "fp1:accaad668f81f30b9e586fb87118816b"


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.language)
def test_qualified_and_bare_type_are_one(failure: Failure) -> None:
    one = grouped(failure, type="shop.payments.CardDeclined")
    assert one.fingerprint == grouped(failure, type="CardDeclined").fingerprint
    assert one.fingerprint == grouped(failure, type="").fingerprint


def test_span_and_log_record_of_one_exception_are_one() -> None:
    """Nested spans show one, two and three of its frames, the log record its bare type and first argument."""

    class Declined(Exception):
        def __str__(self) -> str:
            return f"{self.args[0]} for {self.args[1]}"

    texts: list[tuple[str, str, str]] = []

    def record(exc: Exception) -> None:
        texts.append((f"{type(exc).__module__}.{type(exc).__qualname__}", str(exc), traceback.format_exc()))

    def charge() -> None:
        raise Declined("declined", "order 7")

    def checkout() -> None:
        try:
            charge()
        except Exception as exc:
            record(exc)
            raise

    def handle() -> None:
        try:
            checkout()
        except Exception as exc:
            record(exc)
            raise

    try:
        handle()
    except Exception as exc:
        record(exc)
        log = logging.Formatter().formatException(sys.exc_info())
        texts.append((type(exc).__name__, str(exc.args[0]), log))
    assert len({text.count("  File ") for _, _, text in texts}) >= 3
    groupings = [group(type=t, message=m, stacktrace=s, language="python") for t, m, s in texts]
    assert len({grouping.fingerprint for grouping in groupings}) == 1
    assert len({grouping.raise_site for grouping in groupings}) == 1
    assert groupings[0].raise_site.endswith(":charge")


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.language)
def test_raise_site_is_the_raising_frame_even_inside_of_a_library(failure: Failure) -> None:
    inside = library(failure.language, "charge", "_send")
    whole = grouped(failure.but(calls=failure.calls + inside))
    inner = grouped(failure.but(calls=inside))
    assert whole.raise_site == inner.raise_site
    assert whole.raise_site.endswith(":_send")
    assert whole.culprit.endswith("charge_card")


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.language)
def test_without_a_function_of_the_application_the_message_counts(failure: Failure) -> None:
    only_library = failure.but(calls=library(failure.language, "charge", "_send"))
    one = grouped(only_library)
    assert one.fingerprint == grouped(only_library.but(message="card of order 99 declined")).fingerprint
    assert one.fingerprint != grouped(only_library.but(message="no such card")).fingerprint
    assert one.components[-1] == "message: card of order <int> declined"


@pytest.mark.parametrize(
    ("language", "function"), [("python", "<lambda>"), ("nodejs", "<anonymous>"), ("nodejs", "Object.<anonymous>")]
)
def test_nameless_functions_are_told_apart_by_the_message(language: str, function: str) -> None:
    failure = Failure(language, calls=(Call("main", "/app/run.py", 1), Call(function, "/app/shop/payments.py", 5)))
    one = grouped(failure)
    assert one.fingerprint == grouped(failure.shifted(3).but(message="card of order 1 declined")).fingerprint
    assert one.fingerprint != grouped(failure.but(message="no such card")).fingerprint


def test_instrumented_or_not_is_the_same() -> None:
    for failure in FAILURES:
        called = library(failure.language, "charge")
        where = called[0].file.rpartition("bank/")[0]
        where += "opentelemetry/instrumentation/" if failure.language == "python" else "@opentelemetry/bank/"
        wrapped = (Call("instrumented", where + "wrap.py", 9), *called)
        plain = grouped(failure.but(calls=failure.calls + called))
        assert plain.fingerprint == grouped(failure.but(calls=failure.calls + wrapped)).fingerprint


def test_comprehensions_are_frames_in_old_versions_only() -> None:
    calls = PYTHON.calls
    old = PYTHON.but(calls=(*calls, Call("<listcomp>", calls[-1].file, calls[-1].line)))
    assert grouped(old).fingerprint == grouped(PYTHON).fingerprint
    assert grouped(old).culprit == grouped(PYTHON).culprit


@pytest.mark.parametrize(("language", "type_"), [("python", "RecursionError"), ("nodejs", "RangeError")])
def test_a_runaway_recursion_is_one_wherever_it_was_cut(language: str, type_: str) -> None:
    a, b = Call("even", "/app/shop/tree.py", 4), Call("odd", "/app/shop/tree.py", 9)
    entry = Call("walk", "/app/shop/walk.py", 1)
    failure = Failure(language, type=type_, message="Maximum call stack size exceeded")
    cuts = [(entry, *(a, b) * 4), (entry, *(a, b) * 9, a), (b, *(a, b) * 5), (a, b) * 30]
    cuts.append((entry, *(a, b) * 5, *library(language, "check")))
    assert len({grouped(failure.but(calls=calls)).fingerprint for calls in cuts}) == 1
    other = failure.but(calls=(entry, *(Call("left", "/app/shop/tree.py", 4), b) * 6))
    assert grouped(other).fingerprint != grouped(failure.but(calls=cuts[0])).fingerprint


def test_recursion_with_another_error_keeps_its_raising_function() -> None:
    a, b = Call("even", "/app/shop/tree.py", 4), Call("odd", "/app/shop/tree.py", 9)
    raised_in_a, raised_in_b = PYTHON.but(calls=(b, a) * 3), PYTHON.but(calls=(a, b) * 3)
    assert grouped(raised_in_a).fingerprint != grouped(raised_in_b).fingerprint
    assert grouped(raised_in_a).fingerprint == grouped(PYTHON.but(calls=(b, a) * 8)).fingerprint


def test_group_members_are_a_set() -> None:
    def text(*members: str) -> str:
        lines = "  + Exception Group Traceback (most recent call last):\n"
        lines += '  |   File "/app/g.py", line 3, in run\n  | ExceptionGroup: g\n'
        for number, member in enumerate(members, 1):
            head = "  +-+" if number == 1 else "    +"
            lines += f"{head}---------------- {number} ----------------\n    | Traceback (most recent call last):\n"
            lines += f'    |   File "/app/{member}.py", line 9, in task\n    | ValueError: {number}\n'
        return lines + "    +------------------------------------"

    def of(*members: str) -> str:
        return group(type="ExceptionGroup", message="g", stacktrace=text(*members)).fingerprint

    assert of("a", "b") == of("b", "a") == of("b", "a", "a", "b")
    assert len({of("a"), of("b"), of("a", "b")}) == 3


def test_minified_names_change_with_each_build() -> None:
    def of(function: str, column: int, bundle: str = "main.3f2a1b9c.js", message: str = "x is undefined") -> str:
        text = f"TypeError: {message}\n    at {function} (https://cdn.example/{bundle}:1:{column})"
        return group(type="TypeError", message=message, stacktrace=text, language="webjs").fingerprint

    assert of("s", 53121) == of("t", 60003, "main.9a8b7c6d.js")
    assert of("s", 53121) != of("s", 53121, message="y is not a function")
    assert of("t.render", 53121) == of("e.render", 60003, message="y is not a function")
    assert of("t.render", 53121) != of("t.update", 53121)
    assert of("Cart.render", 53121) != of("Order.render", 53121)
    assert of("4821", 53121) == of("917", 60003)
    assert of("checkout", 53121) != of("refund", 53121)


def test_node_error_codes_as_type() -> None:
    """OpenTelemetry JS puts error.code into a span's type, a log bridge the name."""
    text = "Error: ENOENT: no such file\n    at Object.openSync (node:fs:573:18)\n    at load (/app/config.js:4:9)"
    span = group(type="ENOENT", message="ENOENT: no such file", stacktrace=text, language="nodejs")
    log = group(type="Error", message="ENOENT: no such file", stacktrace=text, language="nodejs")
    assert span.fingerprint == log.fingerprint


def test_engines_name_functions_differently() -> None:
    def of(name: str) -> str:
        text = f"TypeError: x\n    at {name} (/app/shop/cart.js:5:3)"
        return group(type="TypeError", message="x", stacktrace=text).fingerprint

    assert len({of(name) for name in ("total", "Object.total", "async total", "total [as sum]", "new total")}) == 1
    assert of("Cart.total") != of("Order.total")


@pytest.mark.parametrize(
    ("said", "components"),
    [
        ({}, ("type: unknown", "message: none")),
        ({"message": "order 7 failed"}, ("type: unknown", "message: order <int> failed")),
        ({"type": "a.E", "message": "order 7 failed"}, ("type: E", "message: order <int> failed")),
        ({"type": "E"}, ("type: E", "message: none")),
        ({"stacktrace": "it broke at 12"}, ("type: unknown", "message: it broke at <int>")),
        ({"stacktrace": "ValueError: bad 12"}, ("type: ValueError", "message: bad <int>")),
        ({"message": "first line\nsecond"}, ("type: unknown", "message: first line")),
        ({"message": "failed:\n  disk full"}, ("type: unknown", "message: failed: disk full")),
    ],
)
def test_what_counts_without_a_stack(said: dict[str, str], components: tuple[str, ...]) -> None:
    record = {"type": "", "message": "", "stacktrace": "", **said}
    assert group(**record).components == components


def test_stackless_errors_differ_by_type_and_message() -> None:
    def of(type_: str, message: str) -> str:
        return group(type=type_, message=message, stacktrace="").fingerprint

    assert of("E", "order 7 of ann@example.com") == of("E", "order 81 of bob@example.com")
    assert len({of("E", "a"), of("F", "a"), of("E", "b"), of("", "a"), of("E", ""), of("", "")}) == 6


def test_a_list_of_values_may_be_longer_the_next_time() -> None:
    def of(message: str) -> str:
        return group(type="E", message=message, stacktrace="").fingerprint

    assert of("ids [1, 2, 3] missing") == of("ids [4] missing") == of("ids [4, 5, 6, 7] missing")
    assert of("no stock of ['a', 'b']") == of("no stock of ['c']")
    assert of("disk 93% full") == of("disk 7.5% full")
    assert of("1 of 2 failed") != of("1 failed")


def test_the_clients_fingerprint_wins_alone() -> None:
    one = grouped(PYTHON, client="checkout-bank")
    assert one.fingerprint == grouped(NODE, client="checkout-bank").fingerprint
    assert one.fingerprint != grouped(PYTHON, client="checkout-mail").fingerprint
    assert one.fingerprint != grouped(PYTHON).fingerprint
    assert one.culprit
    assert one.exceptions
    assert one.components[0] == "client fingerprint: checkout-bank"


def test_the_cache_changes_nothing() -> None:
    first = grouped(PYTHON)
    again = grouped(PYTHON.but(message="other words entirely"))
    assert again.fingerprint == first.fingerprint
    assert again.exceptions[0].message == "other words entirely"
    assert again.exceptions[0].frames is first.exceptions[0].frames
    for number in range(3 * module._CACHE_ENTRIES):
        group(type=f"E{number}", message="", stacktrace="")
    assert len(module._young) <= module._CACHE_ENTRIES
    assert len(module._old) <= module._CACHE_ENTRIES
    assert grouped(PYTHON) == first


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=30), st.text(max_size=60), st.text(max_size=200), st.text(max_size=10), st.text(max_size=5))
def test_any_record(type_: str, message: str, stacktrace: str, language: str, client: str) -> None:
    one = group(type=type_, message=message, stacktrace=stacktrace, language=language, client=client)
    assert re.fullmatch(r"fp1:[0-9a-f]{32}", one.fingerprint)
    assert one == group(type=type_, message=message, stacktrace=stacktrace, language=language, client=client)
    assert len(one.culprit) <= 200
