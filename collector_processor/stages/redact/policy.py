"""What an installation wants otherwise: a policy over the rules, for all services and for single ones.

A policy switches rules on and off, adds some, lets values stay, and chooses what stands in a value's place. What it
says for a service comes on top of what it says for all. Pure: ``policy_file.py`` reads it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from collector_processor.stages.redact import keyed
from collector_processor.stages.redact.engine import Redaction, Redactor, Word, self_check
from collector_processor.stages.redact.fold import fold
from collector_processor.stages.redact.pattern import BadPattern, Match, Pattern, Span
from collector_processor.stages.redact.rule import Check, Example, Rule, stands_alone
from collector_processor.stages.redact.rules import DEFAULT_RULES, POLICY_RULES
from collector_processor.stages.redact.rules.cards import luhn

KNOWN = {rule.name: rule for rule in (*DEFAULT_RULES, *POLICY_RULES)}
MAX_SERVICES = 4096
DRY_RUN = "dry_run:"
"""In front of a rule's name where its findings are counted and not taken."""
_LAST_FOUR = ("card", "iban", "phone")


class BadPolicy(ValueError):
    """What is wrong with a policy: the key, its value and what is allowed."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class AddedExample(_Section):
    text: str
    becomes: str
    key: str | None = None


class AddedRule(_Section):
    """A rule of the installation's own. ``pattern`` or ``keys`` or both."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
    pattern: str | None = None
    keys: tuple[str, ...] = ()
    check: Literal["none", "alone", "luhn", "mod97"] = "alone"
    replacement: Annotated[str, Field(pattern=r"^\[[A-Za-z][A-Za-z._-]{0,28}\]$")]
    examples: tuple[AddedExample, ...] = ()
    counter_examples: tuple[str, ...] = ()


class Allowed(_Section):
    """A value that stays: ``value`` as it is (in any case), or ``pattern`` over the whole of it."""

    rule: str | None = None
    value: str | None = None
    pattern: str | None = None


class Wishes(_Section):
    rules: dict[str, bool] = {}
    add: tuple[AddedRule, ...] = ()
    allow: tuple[Allowed, ...] = ()
    replace: dict[str, Literal["word", "pseudonym", "last4"]] = {}
    dry_run: bool | tuple[str, ...] = ()


class PolicyDocument(Wishes):
    """The whole file."""

    services: dict[str, Wishes] = {}


class ServiceRedactor:
    """The rules of one service: those that take, and behind them those that only count."""

    def __init__(self, taking: Redactor, counting: Redactor | None) -> None:
        self._taking, self._counting = taking, counting

    def text(self, text: str, key: str | None = None) -> tuple[str, tuple[Redaction, ...]]:
        """As ``Redactor.text``."""
        return self._taking.text(text, key)

    def would_take(self, clean: str, key: str | None = None) -> tuple[str, ...]:
        """Names, under ``dry_run:``, of what the rules on trial find in a clean text, one a finding."""
        if self._counting is None:
            return ()
        return tuple([DRY_RUN + one.rule for one in self._counting.text(clean, key)[1]])

    def for_service(self, service: str) -> ServiceRedactor:
        """Itself."""
        return self

    def rule(self, name: str) -> Rule:
        """The rule of that name. Raises KeyError."""
        return self._taking.rule(name)


class Policy:
    """``Policy(document, key).for_service("checkout").text(…)``. Raises ``BadPolicy``."""

    def __init__(self, document: PolicyDocument, pseudonym_key: bytes) -> None:
        self._key = pseudonym_key
        problems = self_check()
        for rule in POLICY_RULES:
            problems += self_check((rule,))
        if problems:
            raise BadPolicy("\n".join(problems))
        self._default = self._made(document, "")
        self._services = {
            name: self._made(_on_top(document, wishes), f"services.{name}.")
            for name, wishes in document.services.items()
        }

    def text(self, text: str, key: str | None = None) -> tuple[str, tuple[Redaction, ...]]:
        """As any service without wishes of its own has it."""
        return self._default.text(text, key)

    def would_take(self, clean: str, key: str | None = None) -> tuple[str, ...]:
        """As any service without wishes of its own has it."""
        return self._default.would_take(clean, key)

    def rule(self, name: str) -> Rule:
        """The rule of that name. Raises KeyError."""
        return self._default.rule(name)

    def for_service(self, service: str) -> ServiceRedactor:
        """What redacts the texts of that service."""
        return self._services.get(service, self._default)

    def _made(self, wishes: Wishes, where: str) -> ServiceRedactor:
        added: dict[str, list[Rule]] = {}
        for place, one in enumerate(wishes.add):
            if one.name in KNOWN or one.name in added:
                raise BadPolicy(f"{where}add.{place}.name: {one.name!r}: there is such a rule already")
            added[one.name] = _rules_of(one, f"{where}add.{place}")
        names = {*KNOWN, *added}
        trial = self._trial(wishes, where, names, set(added))
        everything = wishes.dry_run is True
        on = {name: rule.by_default for name, rule in KNOWN.items()}
        if not everything:
            on.update(wishes.rules)
        _refuse_unknown(wishes, where, names)
        taking: list[Rule] = []
        for name, own in added.items():
            taking += own if name not in trial else []
        taking += [rule for rule in KNOWN.values() if on[rule.name] and rule.name not in trial]
        counting = [rule for rule in KNOWN.values() if rule.name in trial]
        counting += [rule for name in added if name in trial for rule in added[name]]
        allowed = None if everything else _allowance(wishes.allow, where, names)
        words = (
            {}
            if everything
            else self._words(wishes.replace, where, names, {**KNOWN, **{n: r[0] for n, r in added.items()}})
        )
        problems = [
            f"{where}add: {problem}" for rules in added.values() for problem in self_check(rules, DEFAULT_RULES)
        ]
        if problems:
            raise BadPolicy("\n".join(problems))
        return ServiceRedactor(
            Redactor(taking, allowed=allowed, words=words),
            Redactor(counting, allowed=allowed) if counting else None,
        )

    def _trial(self, wishes: Wishes, where: str, names: set[str], added: set[str]) -> set[str]:
        if wishes.dry_run is True:
            return added | {name for name, switched in wishes.rules.items() if switched and name in KNOWN}
        trial = set(wishes.dry_run or ())
        for name in sorted(trial - names):
            raise BadPolicy(f"{where}dry_run: {name!r}: no such rule; there are: {', '.join(sorted(names))}")
        for name in sorted(trial):
            if name in KNOWN and KNOWN[name].by_default:
                raise BadPolicy(
                    f"{where}dry_run: {name!r}: a rule that takes by default cannot be on trial: what it finds would "
                    f"be written; switch it off with rules: {{{name}: false}} if that is meant"
                )
        return trial

    def _words(
        self, replace: Mapping[str, str], where: str, names: set[str], rules: Mapping[str, Rule]
    ) -> dict[str, Word]:
        words: dict[str, Word] = {}
        for name, kind in replace.items():
            if name not in names:
                raise BadPolicy(f"{where}replace: {name!r}: no such rule; there are: {', '.join(sorted(names))}")
            label = rules[name].replacement[1:-1]
            if kind == "pseudonym":
                words[name] = _pseudonymous(label, self._key)
            elif kind == "last4":
                if name not in _LAST_FOUR:
                    raise BadPolicy(f"{where}replace.{name}: 'last4': only for {', '.join(_LAST_FOUR)}")
                words[name] = _last_four(label)
        return words


def _pseudonymous(label: str, key: bytes) -> Word:
    def word(value: str) -> str:
        said = f"{label}\0{value.strip().casefold()}".encode("utf-8", "surrogatepass")
        return f"[{label}:{hmac.new(key, said, hashlib.sha256).hexdigest()[:6]}]"

    return word


def _last_four(label: str) -> Word:
    def word(value: str) -> str:
        characters = [character for character in fold(value).decode("latin-1") if character.isalnum()]
        return f"[{label} …{''.join(characters[-4:])}]" if len(characters) >= 8 else f"[{label}]"

    return word


def _on_top(document: PolicyDocument, wishes: Wishes) -> Wishes:
    return Wishes(
        rules={**document.rules, **wishes.rules},
        add=(*document.add, *wishes.add),
        allow=(*document.allow, *wishes.allow),
        replace={**document.replace, **wishes.replace},
        dry_run=wishes.dry_run if "dry_run" in wishes.model_fields_set else document.dry_run,
    )


def _refuse_unknown(wishes: Wishes, where: str, names: set[str]) -> None:
    for name in wishes.rules:
        if name not in names:
            raise BadPolicy(f"{where}rules: {name!r}: no such rule; there are: {', '.join(sorted(names))}")


def _compiled(pattern: str, key: str) -> Pattern:
    try:
        return Pattern(pattern)
    except BadPattern as error:
        raise BadPolicy(
            f"{key}: {pattern!r}: not a pattern that runs in linear time: {error}; RE2's syntax is allowed: "
            "no back references, no look-around, repetitions up to 1000"
        ) from None


def _rules_of(one: AddedRule, key: str) -> list[Rule]:
    if one.pattern is None and not one.keys:
        raise BadPolicy(f"{key}: {one.name!r}: a pattern or keys are needed")
    examples = [Example(example.text, example.becomes, example.key) for example in one.examples]
    rules: list[Rule] = []
    if one.pattern is not None:
        compiled = _compiled(one.pattern, f"{key}.pattern")
        if compiled.search(b"") is not None:
            raise BadPolicy(
                f"{key}.pattern: {one.pattern!r}: matches the empty text; something is needed that must be there"
            )
        rules.append(
            Rule(
                name=one.name,
                replacement=one.replacement,
                what="added by policy",
                pattern=one.pattern,
                check=_CHECKS[one.check],
                examples=tuple(examples),
                counter_examples=one.counter_examples,
            )
        )
    if one.keys:
        rules.append(
            keyed.rule(
                name=one.name,
                replacement=one.replacement,
                what="added by policy",
                phrases=one.keys,
                examples=() if rules else examples,
                counter_examples=() if rules else one.counter_examples,
            )
        )
    return rules


def _value(text: str, match: Match) -> Span:
    """Group 1 where the pattern has one, else the whole."""
    return match[1] if len(match) > 1 and match[1][0] >= 0 else match[0]


def _when(valid: Callable[[str], bool]) -> Check:
    def check(text: str, match: Match) -> Sequence[Span]:
        span = _value(text, match)
        return (span,) if stands_alone(text, *span) and valid(text[slice(*span)]) else ()

    return check


def _digits(value: str) -> str:
    return "".join(character for character in value if "0" <= character <= "9")


def _mod97(value: str) -> bool:
    plain = "".join(c for c in value.upper() if c.isascii() and c.isalnum())
    return len(plain) > 4 and int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


_CHECKS: dict[str, Check] = {
    "none": lambda text, match: (_value(text, match),),
    "alone": _when(lambda value: True),
    "luhn": _when(lambda value: len(_digits(value)) > 1 and luhn(_digits(value))),
    "mod97": _when(_mod97),
}


def _allowance(allow: Sequence[Allowed], where: str, names: set[str]) -> Callable[[str, str], bool] | None:
    exact: dict[str | None, set[str]] = {}
    patterns: list[tuple[str | None, Pattern]] = []
    for place, one in enumerate(allow):
        key = f"{where}allow.{place}"
        if (one.value is None) == (one.pattern is None):
            raise BadPolicy(f"{key}: a value or a pattern is needed, and not both")
        if one.rule is not None and one.rule not in names:
            raise BadPolicy(f"{key}.rule: {one.rule!r}: no such rule; there are: {', '.join(sorted(names))}")
        if one.value is not None:
            exact.setdefault(one.rule, set()).add(fold(one.value).decode("latin-1").casefold())
        else:
            patterns.append((one.rule, _compiled(one.pattern or "", f"{key}.pattern")))
    if not allow:
        return None

    def stays(rule: str, value: str) -> bool:
        data = fold(value)
        plain = data.decode("latin-1").casefold()
        if any(plain in exact[of] for of in (None, rule) if of in exact):
            return True
        return any(of in (None, rule) and pattern.fullmatch(data) is not None for of, pattern in patterns)

    return stays
