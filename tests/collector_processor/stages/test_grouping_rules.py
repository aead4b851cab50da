"""Whose code a frame is by settings, and errors that their caller tells apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from collector_processor.commands.fingerprint import fingerprint
from collector_processor.events import ExceptionNode, Frame
from collector_processor.stages.fingerprint import Grouping, group
from collector_processor.stages.grouping_rules import DEFAULT_RULES, GroupingRules
from tests.collector_processor.stages.traces import FAILURES, Call, Failure

PYTHON, NODE = FAILURES
PLATFORM = Call("retry", "/app/acme_platform/retrying.py", 12)
CALLED = PYTHON.but(calls=(*PYTHON.calls, PLATFORM))


def grouped(failure: Failure, rules: GroupingRules = DEFAULT_RULES) -> Grouping:
    return group(
        type=failure.type, message=failure.message, stacktrace=failure.text(), language=failure.language, rules=rules
    )


def judged(frame: Frame, **patterns: tuple[str, ...]) -> bool:
    (node,) = GroupingRules(**patterns).judged((ExceptionNode("E", "m", None, (frame,)),))
    return node.frames[0].in_app


@pytest.mark.parametrize(
    ("pattern", "file", "function", "matches"),
    [
        ("acme_platform", "/app/acme_platform/retrying.py", "retry", True),
        ("acme_platform", "C:\\app\\acme_platform\\retrying.py", "retry", True),
        ("acme_platform", "/app/acme_platform2/retrying.py", "retry", False),
        ("acme_platform", "/app/retrying.py", "acme_platform", True),
        ("libs/acme", "/srv/libs/acme/x.py", "f", True),
        ("libs/acme", "/srv/libs/other/acme/x.py", "f", False),
        ("com.acme.kit", None, "com.acme.kit.Retry.run", True),
        ("com.acme.kit", None, "com.acme.kitchen.Oven.bake", False),
        ("Acme\\Kit", "/srv/Retry.php", "Acme\\Kit\\Retry->run", True),
        ("github.com/acme/kit", "/go/retry.go", "github.com/acme/kit/retry.Do", True),
        ("acme::kit", "/srv/retry.rs", "acme::kit::retry", True),
        ("*/generated/*", "/app/generated/api.py", "call", True),
        ("*/generated/*", "/app/api.py", "call", False),
        ("com.acme.*.Stub.*", None, "com.acme.pay.Stub.call", True),
        ("api_pb?.py", "/app/api_pb2.py", "call", False),
        ("*api_pb?.py", "/app/api_pb2.py", "call", True),
    ],
)
def test_patterns(pattern: str, file: str | None, function: str, matches: bool) -> None:
    own, other = Frame(function, None, file, 1, None, True), Frame(function, None, file, 1, None, False)
    assert judged(own, exclude=(pattern,)) is not matches
    assert judged(other, include=(pattern,)) is matches
    assert judged(own, include=(pattern,), exclude=(pattern,)) is not matches


def test_what_is_excluded_is_a_library() -> None:
    rules = GroupingRules(exclude=("acme_platform",))
    assert grouped(CALLED).culprit == "acme_platform/retrying.py in retry"
    one = grouped(CALLED, rules)
    assert one.culprit == "shop/payments.py in charge_card"
    assert one.components == (
        "type: CardDeclined",
        "raised: payments.py:charge_card > retrying.py:retry",
        "left out: message, lines, columns, paths, outer frames",
        "settings: 1 frames by grouping.in_app.exclude",
    )
    assert one.fingerprint != grouped(CALLED).fingerprint
    assert grouped(PYTHON, rules).fingerprint == grouped(PYTHON).fingerprint, (
        "rules that change nothing regroup nothing"
    )


def test_what_is_included_is_the_applications() -> None:
    call = Call("charge", "/venv/lib/python3.11/site-packages/acme_bank/client.py", 3)
    failure = PYTHON.but(calls=(*PYTHON.calls, call))
    one = grouped(failure, GroupingRules(include=("acme_bank",)))
    assert one.culprit == "acme_bank/client.py in charge"
    assert grouped(failure).culprit == "shop/payments.py in charge_card"


@pytest.mark.parametrize("pattern", ["fail", "errors.py:fail", "shop/errors.py:*", "CardDeclined"])
def test_helpers_that_only_raise_are_told_apart_by_their_callers(pattern: str) -> None:
    rules = GroupingRules(group_by_caller=(pattern,))
    fail = Call("fail", "/app/shop/errors.py", 3)
    cart, payments = PYTHON.but(calls=(*PYTHON.calls[:2], fail)), PYTHON.but(calls=(*PYTHON.calls, fail))
    assert grouped(cart).fingerprint == grouped(payments).fingerprint
    assert grouped(cart, rules).fingerprint != grouped(payments, rules).fingerprint
    assert grouped(cart, rules).components[1] == "raised: shop/errors.py:fail < cart.py:checkout"
    moved = cart.shifted(5).moved("/srv/r2/").but(calls=cart.shifted(5).moved("/srv/r2/").calls[1:])
    assert grouped(moved, rules).fingerprint == grouped(cart, rules).fingerprint
    other = GroupingRules(group_by_caller=("abort",))
    assert grouped(cart, other).fingerprint == grouped(cart).fingerprint


def test_the_caller_of_a_recursion_is_another_function() -> None:
    rules = GroupingRules(group_by_caller=("fail",))
    fail = Call("fail", "/app/shop/errors.py", 3)
    once, often = PYTHON.but(calls=(*PYTHON.calls, fail)), PYTHON.but(calls=(*PYTHON.calls, *(fail,) * 5))
    assert grouped(once, rules).fingerprint == grouped(often, rules).fingerprint


def test_the_command_explains_what_settings_did(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(fingerprint)
    config = tmp_path / "c.yaml"
    config.write_text("grouping: {in_app: {exclude: [acme_platform]}}")
    record = {"type": CALLED.type, "message": CALLED.message, "stacktrace": CALLED.text(), "language": "python"}
    arguments = ["--jsonl", "--explain", "--config", str(config)]
    result = CliRunner().invoke(app, arguments, input=json.dumps(record))
    answer = json.loads(result.stdout)
    assert [frame["in_app"] for frame in answer["exceptions"][0]["frames"]] == [False, True, True, True]
    assert answer["components"][-1] == "settings: 1 frames by grouping.in_app.exclude"
    config.write_text("grouping: {in_app: {exclude: ['*']}}")
    refused = CliRunner().invoke(app, arguments, input=json.dumps(record))
    assert refused.exit_code == 2
    assert "grouping.in_app.exclude.0: '*'" in refused.output


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=12), max_size=4), st.text(max_size=20), st.text(max_size=20))
def test_any_texts_will_do(patterns: list[str], file: str, function: str) -> None:
    rules = GroupingRules(include=patterns, exclude=patterns, group_by_caller=patterns)
    rules.judged((ExceptionNode("E", "m", None, (Frame(function, None, file, 1, None, True),)),))
    assert rules.by_caller is None or rules.by_caller(f"{file}:{function}", "E") in (True, False)
