"""Numbers of people and their accounts that are recognised by structure alone."""

from __future__ import annotations

import string
from collections.abc import Sequence

from collector_processor.stages.redact import keys
from collector_processor.stages.redact.pattern import Match, Span
from collector_processor.stages.redact.rule import Example, Rule, stands_alone

# Length of an IBAN by country: SWIFT's IBAN registry.
_IBAN_LENGTHS = """
    AD=24 AE=23 AL=28 AT=20 AZ=28 BA=20 BE=16 BG=22 BH=22 BI=27 BR=29 BY=28 CH=21 CR=22 CY=28 CZ=24 DE=22 DJ=27 DK=18
    DO=28 EE=20 EG=29 ES=24 FI=18 FK=18 FO=18 FR=27 GB=22 GE=22 GI=23 GL=18 GR=27 GT=28 HN=28 HR=21 HU=28 IE=22 IL=23
    IQ=23 IS=26 IT=27 JO=30 KW=30 KZ=20 LB=28 LC=32 LI=21 LT=20 LU=20 LV=21 LY=25 MC=27 MD=24 ME=22 MK=19 MN=20 MR=27
    MT=31 MU=30 NI=28 NL=18 NO=15 OM=23 PK=24 PL=28 PS=29 PT=25 QA=29 RO=24 RS=22 RU=33 SA=24 SC=31 SD=18 SE=24 SI=19
    SK=24 SM=27 SO=23 ST=25 SV=28 TL=23 TN=24 TR=26 UA=29 VA=22 VG=24 XK=20 YE=30
"""
_LETTERS = {ord(letter): str(value) for value, letter in enumerate(string.ascii_uppercase, 10)}
IBAN_LENGTHS = {part[:2]: int(part[3:]) for part in _IBAN_LENGTHS.split()}


def _iban(text: str, match: Match) -> Sequence[Span]:
    start = match[0][0]
    length = IBAN_LENGTHS.get(text[start : start + 2].upper(), 0)
    if not length:
        return ()
    # As it is printed: in one piece, or in groups of four with one separator; else with separators anywhere.
    end = start + length if text[start + 4 : start + 5] not in " -" else start + length + (length - 1) // 4
    value = text[start:end].replace(" ", "").replace("-", "")
    if len(value) != length:
        end = _end_of_groups(text, start, length)
        value = text[start:end].replace(" ", "").replace("-", "")
    if len(value) != length or not value.isascii() or not value.isalnum() or not stands_alone(text, start, end):
        return ()
    return ((start, end),) if int((value[4:] + value[:4]).upper().translate(_LETTERS)) % 97 == 1 else ()


def _end_of_groups(text: str, start: int, length: int) -> int:
    position = start
    while length and position < len(text):
        if text[position].isalnum():
            length -= 1
        elif text[position] not in " -" or not text[position - 1].isalnum():
            return start
        position += 1
    return position


def _encoded_iban(text: str, match: Match) -> Sequence[Span]:
    start, end = match[0]
    value = text[start:end].replace("%20", "").replace("+", "")
    if len(value) != IBAN_LENGTHS.get(value[:2]) or text[end : end + 1].isalnum():
        return ()
    if text[start - 1 : start].isalnum() and text[start - 3 : start - 2] != "%":
        return ()
    return ((start, end),) if int((value[4:] + value[:4]).translate(_LETTERS)) % 97 == 1 else ()


def _ssn(text: str, match: Match) -> Sequence[Span]:
    start, end = match[0]
    area, group, serial = text[start : start + 3], text[start + 4 : start + 6], text[start + 7 : end]
    separator = text[start + 3]
    if area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000" or text[start + 6] != separator:
        return ()
    if not stands_alone(text, start, end):
        return ()
    around = text[start - 1 : start], text[end : end + 1]
    for neighbour, beyond in ((around[0], text[start - 2 : start - 1]), (around[1], text[end + 1 : end + 2])):
        # Part of a longer number, a version, a column of a table or an access log.
        if neighbour in ("-", ".", "/", ":", "+") and beyond.isdigit():
            return ()
        if separator == " " and neighbour == " " and (beyond.isdigit() or beyond == '"'):
            return ()
    return ((start, end),)


def _ssn_under_key(text: str, match: Match) -> Sequence[Span]:
    if keys.kind_of(text[slice(*match[1])]) != keys.SSN or not stands_alone(text, *match[2]):
        return ()
    return (match[2],)


RULES = (
    Rule(
        name="iban",
        replacement="[iban]",
        what="IBANs: country, its length, check digits (mod 97); with or without blanks",
        pattern=r"\b[A-Za-z]{2}\d{2}[ -]?[0-9A-Za-z]{4}[ -]?[0-9A-Za-z]{4}",
        check=_iban,
        shortest=12,
        examples=(
            Example("transfer to DE89370400440532013000 failed", "transfer to [iban] failed"),
            Example("IBAN: GB82 WEST 1234 5698 7654 32.", "IBAN: [iban]."),
        ),
        counter_examples=("DE89370400440532013001", "AB12CD34EF56AB78", "GB82WEST123456987654321"),
    ),
    Rule(
        name="encoded-iban",
        replacement="[iban]",
        what="the same in URL-encoding, with `%20` or `+` between the groups",
        pattern=r"[A-Z]{2}\d{2}(?:(?:%20|\+)[0-9A-Z]{4}){2,7}(?:(?:%20|\+)[0-9A-Z]{1,3})?",
        check=_encoded_iban,
        examples=(Example("iban=GB82+WEST+1234+5698+7654+32&x", "iban=[iban]&x"),),
        counter_examples=("GB82+WEST+1234+5698+7654+33",),
    ),
    Rule(
        name="us-ssn",
        replacement="[ssn]",
        what="US social security numbers with separators: area, group and serial that exist",
        pattern=r"\d{3}[ .-]\d{2}[ .-]\d{4}",
        check=_ssn,
        shortest=11,
        examples=(Example("ssn 078-05-1123", "ssn [ssn]"), Example("my ssn: 123 45 6789.", "my ssn: [ssn].")),
        counter_examples=(
            "666-12-7856",
            "078 00 1123",
            "2024-05-1123-44-5555",
            '"GET / HTTP/1.1" 200 12 3456',
            "078-05.1123",
        ),
    ),
    Rule(
        name=keys.SSN,
        replacement="[ssn]",
        what="nine digits under a key SSN or social security number",
        pattern=r"(?i)([\w.-]*(?:ssn|security[ _-]?number))[\"'\\]*[ \t]*[:=][ \t]*[\"'\\]*"
        r"(\d{9}|\d{3}[ .-]\d{2}[ .-]\d{4})",
        check=_ssn_under_key,
        keys=tuple(sorted(keys.WORDS[keys.SSN])),
        examples=(Example('"ssn": "078051123"', '"ssn": "[ssn]"'),),
        counter_examples=("session=078051123",),
    ),
)
