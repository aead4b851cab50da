"""Secrets made up per class, inside exception texts of many languages: each goes, the text around it stays."""

from __future__ import annotations

import itertools
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_processor.stages.redact import Redactor
from collector_processor.stages.redact.rules.cards import is_card
from collector_processor.stages.redact.rules.identity import IBAN_LENGTHS

REDACTOR = Redactor(strict=True)
ALNUM = string.ascii_letters + string.digits

AROUND = st.sampled_from(
    [
        ("", ""),
        ("ValueError: bad input ", ""),
        ("java.lang.IllegalStateException: rejected <", ">\n\tat com.shop.Pay.charge(Pay.java:12)"),
        ('Traceback (most recent call last):\n  File "a.py", line 3, in f\nshop.Declined: (', ") order 8812"),
        ("panic: no such thing: ", "\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:8 +0x1d"),
        ("Fehler für Größe 漢 😀 ", " – Ende"),
        ("{'value': '", "', 'n': 1}"),
        ('{"value":"', '"}'),
    ]
)


def _luhn_completed(digits: str) -> str:
    return next(digits + check for check in string.digits if is_card(digits + check))


CARDS = st.one_of(
    st.tuples(st.just("4"), st.text(string.digits, min_size=14, max_size=14)),
    st.tuples(st.sampled_from(["51", "55", "2221", "2720"]), st.text(string.digits, min_size=15, max_size=15)).map(
        lambda parts: (parts[0], parts[1][: 15 - len(parts[0])])
    ),
    st.tuples(st.sampled_from(["34", "37"]), st.text(string.digits, min_size=12, max_size=12)),
    st.tuples(st.sampled_from(["6011", "3528", "3589"]), st.text(string.digits, min_size=11, max_size=11)),
).map(lambda parts: _luhn_completed("".join(parts)))

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
EMAILS = st.builds(
    lambda local, labels, ending: f"{local}@{'.'.join(labels)}.{ending}",
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,12}(\.[A-Za-z0-9_+-]{1,8}){0,2}", fullmatch=True).filter(
        lambda local: not local.startswith("celery") and local != "git"
    ),
    st.lists(LABEL, min_size=1, max_size=3).filter(lambda labels: not any(label.isdigit() for label in labels)),
    st.sampled_from(["com", "org", "net", "de", "co.uk", "io", "dev", "shop", "example", "xn--p1ai"]),
)


@st.composite
def ibans(draw: st.DrawFn) -> str:
    country = draw(st.sampled_from(sorted(IBAN_LENGTHS)))
    body = draw(st.text(string.digits, min_size=IBAN_LENGTHS[country] - 4, max_size=IBAN_LENGTHS[country] - 4))
    number = int("".join(str(int(character, 36)) for character in body + country + "00"))
    return f"{country}{98 - number % 97:02}{body}"


@settings(max_examples=150, deadline=None)
@given(CARDS, AROUND, st.sampled_from(["", " ", "-"]))
def test_cards(card: str, around: tuple[str, str], separator: str) -> None:
    sizes = (4, 6, 5) if len(card) == 15 else (4, 4, 4, 4)
    cuts = [sum(sizes[:n]) for n in range(len(sizes) + 1)]
    text = separator.join(card[a:b] for a, b in itertools.pairwise(cuts))
    assert REDACTOR.text(around[0] + text + around[1])[0] == f"{around[0]}[card]{around[1]}"


@settings(max_examples=100, deadline=None)
@given(CARDS, AROUND, st.sampled_from(string.digits))
def test_a_wrong_check_digit_is_an_order_number(card: str, around: tuple[str, str], last: str) -> None:
    text = around[0] + card[:-1] + last + around[1]
    assert REDACTOR.text(text)[0] == (text if last != card[-1] else text.replace(card, "[card]"))


@settings(max_examples=100, deadline=None)
@given(CARDS, st.sampled_from(["a", "f-", "_", "0"]), st.booleans())
def test_a_card_inside_something_longer_stays(card: str, glue: str, after: bool) -> None:
    text = f"id {card}{glue[::-1]}" if after else f"id {glue}{card}"
    if glue != "0" or not (is_card(glue + card) or is_card(card + glue)):
        assert REDACTOR.text(text) == (text, ())


@settings(max_examples=120, deadline=None)
@given(EMAILS, AROUND)
def test_emails(email: str, around: tuple[str, str]) -> None:
    assert REDACTOR.text(around[0] + email + around[1])[0] == f"{around[0]}[email]{around[1]}"


@settings(max_examples=150, deadline=None)
@given(ibans(), AROUND, st.booleans())
def test_ibans(iban: str, around: tuple[str, str], grouped: bool) -> None:
    text = " ".join(iban[n : n + 4] for n in range(0, len(iban), 4)) if grouped else iban
    clean = REDACTOR.text(around[0] + text + around[1])[0]
    assert clean == f"{around[0]}[iban]{around[1]}"


QUOTED = [
    "password='{}'",
    '"password": "{}"',
    "{{'db_password': '{}', 'n': 1}}",
    'secret="{}"',
    'api_key: "{}"',
    'token => "{}"',
    r"\"pwd\":\"{}\"",
    "X-Api-Key': '{}'",
]
BARE = [
    "DB_PASSWORD={}",
    "?token={}&page=2",
    "user=ann&password={}&x=1",
    "--api-key {} -v",
    "--client-secret={}",
    "Pwd={};Timeout=3",
    "X-Auth-Token: {}",
    "Authorization: Bearer {}",
]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(QUOTED),
    st.text(ALNUM + "!#$%^*()+,./:;<=>?@[]_{|}~- é漢", min_size=6, max_size=30),
    AROUND.filter(lambda a: "{'" not in a[0] and '{"' not in a[0]),
)
def test_quoted_secrets(form: str, secret: str, around: tuple[str, str]) -> None:
    secret = "x9" + secret.strip(" ") + "7"  # neither a mask nor a template nor a sentence
    clean = REDACTOR.text(around[0] + form.format(secret) + around[1])[0]
    before, _, after = form.format("\0").partition("\0")
    assert secret not in clean
    assert clean.startswith(around[0] + before + "[")
    assert clean.endswith("]" + after + around[1])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(BARE), st.text(ALNUM + "_~.-+", min_size=6, max_size=30), AROUND)
def test_bare_secrets(form: str, secret: str, around: tuple[str, str]) -> None:
    secret = "x9" + secret + "7"
    clean = REDACTOR.text(f"{around[0]}{form.format(secret)}{around[1]}")[0]
    before, _, after = form.format("\0").partition("\0")
    assert secret not in clean
    assert clean.startswith(around[0] + before + "[")
    assert clean.endswith("]" + after + around[1])


@pytest.mark.parametrize("scheme", ["postgresql", "mysql+pymysql", "redis", "amqps", "https", "mongodb+srv", "ftp"])
@settings(max_examples=40, deadline=None)
@given(st.text(ALNUM + "!$%^*()+_.~-:", min_size=4, max_size=20), AROUND.filter(lambda a: "<" not in a[0]))
def test_passwords_in_addresses(scheme: str, password: str, around: tuple[str, str]) -> None:
    password = "p9" + password + "7"
    text = f"{around[0]}{scheme}://ann:{password}@db.example.com:5432/shop{around[1]}"
    assert REDACTOR.text(text)[0] == text.replace(password, "[password]")


UUID = st.uuids().map(str)
HEX = st.text("0123456789abcdef", min_size=7, max_size=64)
LOOK_ALIKES = st.one_of(
    UUID,
    UUID.map(lambda uuid: uuid.replace("-", "").upper()),
    HEX.map("0x{}".format),
    HEX.map("sha256:{}".format),
    st.integers(0, 2**32 - 1).map("com.shop.Order@{:x}".format),  # Object.toString: at most eight digits
    st.integers(1_500_000_000_000, 1_999_999_999_999).map(str),
    st.integers(1_500_000_000_000_000_000, 1_999_999_999_999_999_999).map(str),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.tuples(*[st.integers(0, 40)] * 3).map(lambda v: "v{}.{}.{}".format(*v)),
    st.tuples(*[st.integers(0, 255)] * 4).map(lambda v: "{}.{}.{}.{}".format(*v)),
    st.tuples(*[st.integers(0, 40)] * 3).map(lambda v: "lodash@{}.{}.{}".format(*v)),
    st.floats(allow_nan=False).filter(lambda number: not number.is_integer() or abs(number) < 1e11).map(repr),
    st.integers(1, 99999).map("render@https://cdn.example.com/static/app.js:{}:17".format),
    st.integers(1, 99999).map("token_count={}".format),
    st.integers(1, 99999).map("src/auth/token-service.ts:{}".format),
)


@settings(max_examples=120, deadline=None)
@given(LOOK_ALIKES, AROUND)
def test_look_alikes(text: str, around: tuple[str, str]) -> None:
    whole = around[0] + text + around[1]
    assert REDACTOR.text(whole) == (whole, ())
