"""What identifies a person less directly, and is often needed to find an error: only where a policy asks for it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from collector_processor.stages.redact import keyed
from collector_processor.stages.redact.pattern import Match, Span
from collector_processor.stages.redact.rule import Example, Rule, stands_alone

_NOBODY = frozenset({"runner", "root", "app", "shared", "public", "default", "node", "ubuntu", "ec2-user", "www-data"})


def _address(text: str, match: Match) -> Sequence[Span]:
    start, end = match[0]
    value = text[start:end].partition("%")[0]
    glue = ":" if ":" in value else ""
    if not stands_alone(text, start, end, glue) or (text[end : end + 1] == "." and text[end + 1 : end + 2].isdigit()):
        return ()
    if text[start - 1 : start] == "." or (text[start - 1 : start] == "v" and "." in value):
        return ()
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return ()
    return () if address.is_loopback or address.is_unspecified or address.is_link_local else (match[0],)


def _mac(text: str, match: Match) -> Sequence[Span]:
    value = "".join(character for character in text[slice(*match[0])] if character.isalnum()).lower()
    separators = {character for character in text[slice(*match[0])] if not character.isalnum()}
    nobody = value in ("0" * 12, "f" * 12)
    return (match[0],) if len(separators) == 1 and not nobody and stands_alone(text, *match[0], ":-.") else ()


def _phone(text: str, match: Match) -> Sequence[Span]:
    start, end = match[0]
    digits = sum(map(str.isdigit, text[start:end]))
    before = text[start - 1 : start]
    if not 9 <= digits <= 15 or not stands_alone(text, start, end, "-./+:") or before in ("#", "@"):
        return ()
    return (match[0],)


def _home(text: str, match: Match) -> Sequence[Span]:
    return () if text[slice(*match[1])].lower() in _NOBODY else (match[1],)


def _keyed(name: str, word: str, what: str, phrases: Sequence[str], examples: Sequence[Example], stays: str) -> Rule:
    return keyed.rule(
        name=name,
        replacement=word,
        what=what,
        phrases=phrases,
        by_default=False,
        examples=examples,
        counter_examples=(stays,),
    )


RULES = (
    Rule(
        name="ip",
        replacement="[ip]",
        what="IP addresses of both versions; not loopback, link-local or unspecified ones",
        pattern=r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|(?:[0-9A-Fa-f]{1,4}:|::)[0-9A-Fa-f:]{1,38}(?:\d{1,3}(?:\.\d{1,3}){3})?",
        check=_address,
        by_default=False,
        examples=(
            Example("peer 203.0.113.7:8080 reset", "peer [ip]:8080 reset"),
            Example("from 2001:db8::8a2e:370:7334", "from [ip]"),
        ),
        counter_examples=("127.0.0.1:4317", "version 1.2.3.4.5", "std::cout", "Time 12:34:56", "::1"),
    ),
    Rule(
        name="mac",
        replacement="[mac]",
        what="MAC addresses",
        pattern=r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}",
        check=_mac,
        by_default=False,
        examples=(Example("device 00:1A:2B:3C:4D:5E", "device [mac]"),),
        counter_examples=("FF:FF:FF:FF:FF:FF", "00:1A:2B:3C:4D"),
    ),
    Rule(
        name="phone",
        replacement="[phone]",
        what="telephone numbers: international with `+`, North American, others in groups",
        pattern=r"\(?\+\d{1,3}\)?(?:[ .-]?\(?\d{1,5}\)?){2,6}|(?:1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}"
        r"|0\d{1,4}[ -]\d{3,8}(?:[ -]\d{2,8}){0,3}",
        check=_phone,
        by_default=False,
        examples=(
            Example("call +41 22 730 5989 now", "call [phone] now"),
            Example("call (415) 555-0132", "call [phone]"),
        ),
        counter_examples=("build 2024-05-11", "order 4155550132"),
    ),
    Rule(
        name="user-path",
        replacement="[user]",
        what="the user's directory in paths: `/home/ann/`, `/Users/ann/`, `C:\\Users\\ann\\`",
        pattern=r"(?:/home/|/Users/|[A-Za-z]:\\+Users\\+)([0-9A-Za-z_.\xc0-\xff-]{1,64})(?:[/\\]|\b)",
        check=_home,
        by_default=False,
        examples=(
            Example('File "/home/ann/shop/a.py"', 'File "/home/[user]/shop/a.py"'),
            Example(r"at C:\Users\ann\a.cs:12", r"at C:\Users\[user]\a.cs:12"),
        ),
        counter_examples=("/usr/lib/python3/a.py", "/home/runner/work/a.py"),
    ),
    _keyed(
        "person-name",
        "[name]",
        "names of people under a key that says so (`first_name`, `user.name`, `customerName` …)",
        (
            "first name",
            "last name",
            "full name",
            "given name",
            "family name",
            "middle name",
            "maiden name",
            "surname",
            "user name",
            "username",
            "customer name",
            "display name",
            "contact name",
            "cardholder name",
            "enduser id",
            "cardholder",
            "nickname",
        ),
        (
            Example('"firstName": "Ann", "n": 1', '"firstName": "[name]", "n": 1'),
            Example("ann", "[name]", "user.name"),
        ),
        "file_name=a.py",
    ),
    _keyed(
        "birth-date",
        "[birth-date]",
        "dates of birth under a key that says so",
        ("dob", "birth date", "date of birth", "birthday", "birthdate", "birth day", "born"),
        (Example("date_of_birth=1984-02-29", "date_of_birth=[birth-date]"),),
        "date=1984-02-29",
    ),
    _keyed(
        "position",
        "[position]",
        "geographic positions under a key that says so",
        ("latitude", "longitude", "lat", "lon", "lng", "geo location", "coordinates", "geo position"),
        (Example('"lat": "52.5200", "n": 1', '"lat": "[position]", "n": 1'), Example("52.5", "[position]", "geo.lat")),
        "late=3",
    ),
)
