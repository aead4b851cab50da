"""A policy switches, adds, allows, replaces, tries out, for all services and for one; a bad one says what is wrong."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from collector_processor.stages.redact import DEFAULT_RULES, self_check
from collector_processor.stages.redact.policy import BadPolicy, Policy
from collector_processor.stages.redact.policy_file import load_policy
from collector_processor.stages.redact.rules import POLICY_RULES

KEY = b"k" * 32


def policy(tmp_path: Path, text: str, key: bytes = KEY) -> Policy:
    file = tmp_path / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    return load_policy(file, key)


def test_without_a_file_the_defaults_hold() -> None:
    text = "ann@example.com from 203.0.113.7"
    assert load_policy(None, KEY).text(text)[0] == "[email] from 203.0.113.7"


def test_switching_on_and_off_for_all_and_for_one_service(tmp_path: Path) -> None:
    made = policy(tmp_path, "rules: {ip: true}\nservices: {crm: {rules: {email: false, phone: true}}}\n")
    text = "ann@example.com from 203.0.113.7 at +41 22 730 5989"
    assert made.for_service("shop").text(text)[0] == "[email] from [ip] at +41 22 730 5989"
    assert made.for_service("crm").text(text)[0] == "ann@example.com from [ip] at [phone]"


ADDED = """
add:
  - name: customer-number
    pattern: 'KD-\\d{8}'
    keys: [customer number]
    check: alone
    replacement: '[customer]'
    examples: [{text: 'no order of KD-12345678', becomes: 'no order of [customer]'}]
    counter_examples: ['KD-1234', 'XKD-12345678']
"""


def test_a_rule_of_ones_own_by_pattern_and_by_key(tmp_path: Path) -> None:
    made = policy(tmp_path, ADDED)
    assert made.text("of KD-12345678, XKD-12345678")[0] == "of [customer], XKD-12345678"
    assert made.text("81", "customer.number")[0] == "[customer]"
    assert made.text("customerNumber=a81")[0] == "customerNumber=[customer]"


@pytest.mark.parametrize("check", ["luhn", "mod97", "none"])
def test_checks(tmp_path: Path, check: str) -> None:
    made = policy(
        tmp_path, f"add: [{{name: member, pattern: 'M(\\d{{8,20}})', check: {check}, replacement: '[member]'}}]"
    )
    good = {"luhn": "79927398713", "mod97": "00000000000000000098", "none": "123456789"}[check]
    stays = check != "none"
    assert made.text("M12345678 ")[0] == ("M12345678 " if stays else "M[member] ")
    if check == "luhn":
        assert made.text(good)[0] == good


def test_what_is_allowed_stays(tmp_path: Path) -> None:
    made = policy(
        tmp_path,
        "allow: [{value: Support@Example.com}, {rule: email, pattern: '.*@example\\.org'}, {rule: card, value: x}]\n",
    )
    text = "support@example.com ann@example.org ann@example.net password=hunter2"
    assert made.text(text)[0] == "support@example.com ann@example.org [email] password=[password]"


def test_pseudonyms_tell_values_apart_and_nothing_else(tmp_path: Path) -> None:
    wish = "replace: {email: pseudonym, card: last4, iban: last4}"
    made = policy(tmp_path, wish)
    clean, redactions = made.text("ann@example.com ANN@example.com bob@example.com 4242 4242 4242 4242")
    first, second, third, card = clean.split(" ", 3)
    assert first == second != third
    assert first.startswith("[email:")
    assert len(first) == len("[email:3f9a1c]")
    assert card == "[card …4242]"
    assert len(redactions) == 4
    assert made.text(clean) == (clean, ())
    assert made.text(first, "db.password") == (first, ())
    assert policy(tmp_path, wish, b"o" * 32).text("ann@example.com")[0] != first, "another key, other pseudonyms"
    assert made.text("DE89370400440532013000")[0] == "[iban …3000]"


def test_what_is_on_trial_is_counted_and_not_taken(tmp_path: Path) -> None:
    made = policy(tmp_path, "rules: {phone: true}\ndry_run: [ip]\n").for_service("shop")
    text = "203.0.113.7 at +41 22 730 5989"
    assert made.text(text)[0] == "203.0.113.7 at [phone]"
    assert made.would_take(made.text(text)[0]) == ("dry_run:ip",)
    whole = policy(tmp_path, "rules: {phone: true, email: false}\nallow: [{value: a@b.com}]\ndry_run: true\n")
    assert whole.text("a@b.com at +41 22 730 5989")[0] == "[email] at +41 22 730 5989"
    assert whole.would_take("[email] at +41 22 730 5989") == ("dry_run:phone",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: {emial: false}", ["rules: 'emial'", "there are:", "email"]),
        ("rule: {email: false}", ["rule: no such key"]),
        ("rules: {email: perhaps}", ["rules.email", "'perhaps'"]),
        ("add: [{name: a, replacement: '[a]'}]", ["add.0", "a pattern or keys"]),
        ("add: [{name: a, pattern: '(?=x)y', replacement: '[a]'}]", ["add.0.pattern", "(?=x)y", "linear time"]),
        ("add: [{name: a, pattern: '(a)\\1', replacement: '[a]'}]", ["add.0.pattern", "linear time"]),
        ("add: [{name: a, pattern: 'x*', replacement: '[a]'}]", ["add.0.pattern", "matches the empty text"]),
        ("add: [{name: a, pattern: '漢', replacement: '[a]'}]", ["add.0.pattern", "Latin-1"]),
        ("add: [{name: a, pattern: x, replacement: 'a'}]", ["add.0.replacement", "'a'"]),
        ("add: [{name: email, pattern: x, replacement: '[a]'}]", ["add.0.name: 'email'", "already"]),
        (
            "add: [{name: a, pattern: x, replacement: '[a]', examples: [{text: y, becomes: '[a]'}]}]",
            ["add: a: 'y' became 'y', not '[a]'"],
        ),
        ("add: [{name: a, pattern: x, check: crc, replacement: '[a]'}]", ["add.0.check", "'crc'", "luhn"]),
        ("allow: [{rule: email}]", ["allow.0", "a value or a pattern"]),
        ("replace: {email: last4}", ["replace.email", "only for card"]),
        ("replace: {email: hash}", ["replace.email", "'hash'", "pseudonym"]),
        ("dry_run: [email]", ["dry_run: 'email'", "would be written"]),
        ("services: {crm: {rules: {x: true}}}", ["services.crm.rules: 'x'"]),
        ("- a", ["the file"]),
        ("a: [", ["not YAML"]),
    ],
)
def test_a_bad_policy_says_key_value_and_what_is_allowed(tmp_path: Path, text: str, said: list[str]) -> None:
    with pytest.raises(BadPolicy) as error:
        policy(tmp_path, text)
    assert all(part in str(error.value) for part in said), str(error.value)
    assert "policy.yaml" in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPolicy, match=r"redaction.policy: .*absent.yaml: cannot be read"):
        load_policy(tmp_path / "absent.yaml", KEY)


def test_every_rule_of_a_policy_does_what_its_examples_say() -> None:
    for rule in POLICY_RULES:
        assert self_check((rule,)) == []
        assert rule.examples
        assert rule.counter_examples
    assert not {rule.name for rule in POLICY_RULES} & {rule.name for rule in DEFAULT_RULES}


def test_the_check_at_the_start_is_fast() -> None:
    began = time.process_time()
    load_policy(None, KEY)
    assert time.process_time() - began < 10, "0.4 s on a free core"
