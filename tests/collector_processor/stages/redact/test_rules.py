"""Every rule does what its own examples say, and a broken rule would be noticed."""

from __future__ import annotations

import importlib
import sys

import msgspec
import pytest

from collector_processor.stages.redact import DEFAULT_RULES, Example, Redactor, Rule, document, keys, self_check
from collector_processor.stages.redact.rules import (
    POLICY_RULES,
    tokens_cloud,
    tokens_code,
    tokens_models,
    tokens_services,
)

REDACTOR = Redactor(strict=True)
ISSUED = (*tokens_cloud.RULES, *tokens_code.RULES, *tokens_models.RULES, *tokens_services.RULES)


def _examples() -> list[object]:
    return [
        pytest.param(rule, example, id=f"{rule.name}-{n}")
        for rule in DEFAULT_RULES
        for n, example in enumerate(rule.examples)
    ]


def _counter_examples() -> list[object]:
    return [
        pytest.param(text, id=f"{rule.name}-{n}")
        for rule in DEFAULT_RULES
        for n, text in enumerate(rule.counter_examples)
    ]


@pytest.mark.parametrize(("rule", "example"), _examples())
def test_example(rule: Rule, example: Example) -> None:
    clean, redactions = REDACTOR.text(example.text, example.key)
    assert clean == example.redacted
    assert rule.name in {one.rule for one in redactions}


@pytest.mark.parametrize("text", _counter_examples())
def test_counter_example_stays(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


@pytest.mark.parametrize("rule", DEFAULT_RULES, ids=lambda rule: rule.name)
def test_rule_is_complete(rule: Rule) -> None:
    assert rule.examples
    assert rule.counter_examples
    assert rule.what
    assert len(rule.replacement.encode()) <= 32
    assert " " not in rule.replacement
    assert REDACTOR.text(rule.replacement) == (rule.replacement, ())


@pytest.mark.parametrize("rule", ISSUED, ids=lambda rule: rule.name)
def test_a_token_glued_to_a_word_is_part_of_the_word(rule: Rule) -> None:
    token = rule.examples[0].text.removeprefix("rejected ").partition(",")[0]
    assert REDACTOR.text(f"x{token}") == (f"x{token}", ())
    for before, after in (("", ""), ("(", ")"), ('"', '"'), ("x=", "&y=1"), (" ", "\n")):
        assert REDACTOR.text(before + token + after)[0] == before + rule.replacement + after


@pytest.mark.parametrize("rule", [*DEFAULT_RULES, *POLICY_RULES], ids=lambda rule: rule.name)
def test_no_match_is_shorter_than_the_rule_says(rule: Rule) -> None:
    parser = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")
    assert parser.parse(rule.pattern.replace("\\z", "\\Z")).getwidth()[0] >= rule.shortest


def test_names_are_unique() -> None:
    assert len({rule.name for rule in DEFAULT_RULES}) == len(DEFAULT_RULES)


def test_self_check_is_content_with_the_rules() -> None:
    assert self_check() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pattern": "nothing of the kind", "cue": None}, "became"),
        ({"check": None, "counter_examples": ("ann@localhost.localdomain",)}, "should stay"),
        ({"replacement": "[e-mail of somebody, removed here]"}, "too long"),
        ({"replacement": "gone@example.com"}, "itself redacted"),
    ],
    ids=["finds-nothing", "finds-too-much", "long-word", "word-that-is-found"],
)
def test_self_check_notices_a_broken_rule(change: dict[str, object], said: str) -> None:
    email = next(rule for rule in DEFAULT_RULES if rule.name == "email")
    problems = self_check([msgspec.structs.replace(email, **change)])
    assert any(problem.startswith("email: ") and said in problem for problem in problems)


def test_the_document_is_current() -> None:
    text = document.DOCUMENT.read_text(encoding="utf-8")
    assert text == document.current(text), "run python -m collector_processor.stages.redact.document"


def test_a_document_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="needed around the table"):
        document.current("# Redaction\n")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("X-Api-Key", ["x", "api", "key"]),
        ("dbPassword", ["db", "password"]),
        ("DB_PASSWORD", ["db", "password"]),
        ("APIKey", ["api", "key"]),
        ("http.request.header.set_cookie", ["http", "request", "header", "set", "cookie"]),
        ("password2", ["password", "2"]),
        ("", []),
        ("--", []),
    ],
)
def test_words_of_a_key(key: str, words: list[str]) -> None:
    assert keys.words(key) == words


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("db.password", keys.PASSWORD),
        ("PGPASSWORD", keys.PASSWORD),
        ("smtp_pass", keys.PASSWORD),
        ("passwordConfirmation", keys.PASSWORD),
        ("reset_password_token", keys.TOKEN),
        ("csrfmiddlewaretoken", keys.TOKEN),
        ("http.request.header.authorization", keys.AUTHORIZATION),
        ("http.request.header.proxy-authorization", keys.AUTHORIZATION),
        ("Set-Cookie", keys.COOKIE),
        ("http.response.header.set_cookie", keys.COOKIE),
        ("ASP.NET_SessionId", keys.COOKIE),
        ("x-api-key", keys.KEY),
        ("AWS_SECRET_ACCESS_KEY", keys.KEY),
        ("clientSecret", keys.SECRET),
        ("card.cvv2", keys.PIN),
        ("X-Amz-Signature", keys.TOKEN),
        ("password_file", None),
        ("token_count", None),
        ("gen_ai.usage.input_tokens", None),
        ("nextPageToken", None),
        ("secretName", None),
        ("session.id", None),
        ("primary_key", None),
        ("author", None),
        ("is_password", None),
        ("exception.message", None),
        ("code.function.name", None),
        ("status_code", None),
        ("x" * 10_000, None),
    ],
)
def test_kind_of_a_key(key: str, kind: str | None) -> None:
    assert keys.kind_of(key) == kind
    if kind:
        assert REDACTOR.text("0a1b2c3d4e5f", key)[0] == f"[{kind}]"
