"""Numbers that states give to people, with their check digits. Only where a policy asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collector_processor.stages.redact.pattern import Match, Span
from collector_processor.stages.redact.rule import Check, Example, Rule, stands_alone

_NIF_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_VERHOEFF_D = tuple(
    str.split(
        "0123456789 1234067895 2340178956 3401289567 4012395678 5987604321 6598710432 7659821043 8765932104 9876543210"
    )
)
_VERHOEFF_P = tuple(
    str.split("0123456789 1576283094 5803796142 8916043527 9453126870 4286573901 2793806415 7046913258")
)


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def nhs(digits: str) -> bool:
    """England's NHS numbers: modulus 11 over ten digits."""
    check = 11 - _weighted(digits, range(10, 1, -1)) % 11
    return check % 11 == int(digits[9]) and check != 10


def verhoeff(digits: str) -> bool:
    """The check digit of Aadhaar numbers."""
    state = 0
    for place, digit in enumerate(reversed(digits)):
        state = int(_VERHOEFF_D[state][int(_VERHOEFF_P[place % 8][int(digit)])])
    return state == 0


def cpf(digits: str) -> bool:
    """Brazil's CPF: two check digits."""
    if len(set(digits)) == 1:
        return False
    first = _weighted(digits, range(10, 1, -1)) * 10 % 11 % 10
    second = _weighted(digits, range(11, 1, -1)) * 10 % 11 % 10
    return digits[9:] == f"{first}{second}"


def pesel(digits: str) -> bool:
    """Poland's PESEL: weights 1379, and a month that exists."""
    check = (10 - _weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10
    return check == int(digits[10]) and 1 <= int(digits[2:4]) % 20 <= 12 and 1 <= int(digits[4:6]) <= 31


def resident_id(value: str) -> bool:
    """China's resident identity number: ISO 7064 MOD 11-2, and a date that exists."""
    check = "10X98765432"[_weighted(value, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11]
    return value[17].upper() == check and value[6:8] in ("19", "20") and 1 <= int(value[10:12]) <= 12


def nif(value: str) -> bool:
    """Spain's NIF and NIE: the letter is the number modulo 23."""
    number = str("XYZ".find(value[0].upper())) + value[1:8] if value[0].upper() in "XYZ" else value[:8]
    return _NIF_LETTERS[int(number) % 23] == value[-1].upper()


def nir(digits: str) -> bool:
    """France's numéro de sécurité sociale: 97 minus the rest."""
    return 97 - int(digits[:13]) % 97 == int(digits[13:])


def _checked(valid: Callable[[str], bool]) -> Check:
    def check(text: str, match: Match) -> Sequence[Span]:
        start, end = match[0]
        value = "".join(character for character in text[start:end] if character.isalnum())
        return (match[0],) if stands_alone(text, start, end, "-.") and valid(value) else ()

    return check


def _national(name: str, what: str, pattern: str, valid: Callable[[str], bool], example: str, wrong: str) -> Rule:
    return Rule(
        name=name,
        replacement="[national-id]",
        what=what,
        pattern=pattern,
        check=_checked(valid),
        by_default=False,
        examples=(Example(f"no match for {example}, row 3", "no match for [national-id], row 3"),),
        counter_examples=(f"no match for {wrong}, row 3",),
    )


RULES = (
    _national(
        "us-itin",
        "US individual taxpayer numbers",
        r"9\d{2}-(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])-\d{4}",
        lambda value: True,
        "911-70-1234",
        "911-89-1234",
    ),
    _national(
        "uk-nino",
        "UK national insurance numbers",
        r"(?i)[abceghj-prstw-z][abceghj-nprstw-z] ?\d{2} ?\d{2} ?\d{2} ?[a-d]",
        lambda value: value[:2].upper() not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"),
        "AA 12 34 56 B",
        "BG 12 36 12 A",
    ),
    _national(
        "uk-nhs", "NHS numbers: modulus 11", r"\d{3}[ -]\d{3}[ -]\d{4}|\d{10}", nhs, "401-023-2137", "401-023-2138"
    ),
    _national(
        "in-aadhaar",
        "Aadhaar numbers: Verhoeff digit",
        r"[2-9]\d{3}[ :-]?\d{4}[ :-]?\d{4}",
        verhoeff,
        "3123 4567 8909",
        "3123 4567 8908",
    ),
    _national(
        "br-cpf",
        "Brazil's CPF: two check digits",
        r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}",
        cpf,
        "529.982.247-25",
        "529.982.247-26",
    ),
    _national("pl-pesel", "Poland's PESEL", r"\d{11}", pesel, "44051401359", "44051401358"),
    _national(
        "cn-resident-id",
        "China's resident identity numbers",
        r"[1-9]\d{16}[0-9Xx]",
        resident_id,
        "11010519491231002X",
        "110105194912310021",
    ),
    _national("es-nif", "Spain's NIF and NIE", r"(?:\d{8}|[XYZxyz]-?\d{7})-?[A-Za-z]", nif, "12345678Z", "12345678A"),
    _national(
        "fr-nir",
        "France's social security numbers",
        r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?\d{2} ?\d{3} ?\d{3} ?\d{2}",
        nir,
        "2 55 08 14 168 025 38",
        "2 55 08 14 168 025 39",
    ),
    _national(
        "it-codice-fiscale",
        "Italy's codice fiscale",
        r"(?i)[a-z]{6}\d{2}[abcdehlmprst]\d{2}[a-z]\d{3}[a-z]",
        lambda value: True,
        "RSSMRA85T10A562S",
        "RSSMRA85F10A562S",
    ),
)
