"""Where a value begins and ends after its key, and whether it is one at all.

``None``, ``%s``, ``****``, a type or a sentence is not.

What is judged here is one value in a window of bounded length, and a call of RE2 costs more than the judgement. So
these patterns run on Python's ``re``, and none has two ways through the same characters: each step either ends at a
character that the step before it cannot take, or is a single one. That keeps them linear as well.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from collector_processor.stages.redact import keys
from collector_processor.stages.redact.rule import vocabulary

_JUDGED = 512
"""Characters of a value by which it is told from a template, a reference, a sentence."""
MAX_VALUE = 8192
"""Characters looked at for the end of one value. Beyond, the value is cut there and the rest is read as text."""


class Value(NamedTuple):
    start: int
    end: int
    quoted: bool


# An opening quote: string prefixes of Python, backslashes of a text inside a text, wrappers that print around a secret.
_OPENING = re.compile(
    r"(?:(?:Some|Ok|Just|Optional|SecretStr|Secret|Sensitive|String|string|str|bytes|b64)"
    r"(?:\(|\[|[ \t])(?:\d+\)[ \t]*)?|\(string\)[ \t]*|\[\](?:string|interface ?\{\})\{|<<|[\[(][ \t]*)?"
    r"(?:[bBrRuUfF]{1,2}|[NE])?(\\*[\"'`])",
    re.ASCII,
)
_WRAPPER = re.compile(r"(?:Some|Ok|Just|Optional|Secret|Sensitive)[(\[]|\[")
_MAY_OPEN = frozenset("SOJsbBrRuUfFNE<(\\[`%&")
"""What ``_OPENING`` or ``_ENTITY`` may begin with, besides quotes."""
_STOP = re.compile(r"[\t\n\f\r \"'`<>&;,\\|]")
# What follows a delimiter when the value is over: nothing, or the next pair.
_NEXT_PAIR = re.compile(
    r"[&;,][ \t]*(?:\Z|[\n\r\f\"'\\\]})]|[0-9A-Za-z_.$@%+\[\]-]{1,64}(?:=|:[^/]|\]))|;[0-9A-Za-z ]{1,64}="
)
_LINE_OR_QUOTE = re.compile(r"[\n\r\"'`]|\\[rn]")
_CLOSERS = {")": "(", "]": "[", "}": "{"}

# What stands where a secret would, in quotes or without.
_STATES = vocabulary(
    """none null nil nul undefined nan true false yes no unset empty blank missing absent required optional valid
    invalid expired revoked wrong incorrect changed failed denied unknown hidden masked redacted filtered removed
    omitted encrypted disabled enabled include omit same-origin n/a string number boolean bool object"""
)
# Without quotes, also types and how a sentence goes on.
_PROSE = vocabulary(
    """on off set present failure rejected ok error protected sensitive na any todo tbd integer int float bytes str text
    char varchar array list dict map tuple type function symbol secretstr class self this void never must should cannot
    can't is not was has and or for to in of with without the a an too does doesn't isn't at unauthorized forbidden
    malformed mismatch used already"""
)
_LONGEST_STATE = 24
"""No state is longer, with what punctuation a sentence ends in."""
_SENTENCE = re.compile(
    r"\b(?:must|required?|should|cannot|can't|is (?:not|in|too|re|mis|empty|blank|wrong|un)|isn't|invalid"
    r"|too (?:short|long|weak|common)|at least|"
    r"characters?|may not|missing|expired|this field|do(?:es)? ?n[o']t|did ?n[o']t"
    r"|incorrect|blank|ensure|please|unable|not (?:found|match|allowed|valid|set|provided))\b",
    re.ASCII | re.IGNORECASE,
)
_TEMPLATE = re.compile(
    r"(?:\*+|[xX]{3,}|[·¤]+|\.{3}|-+|_+|#+|\?+"  # masks
    r"|\[[A-Za-z][A-Za-z ._-]*(?::[0-9a-f]{6}| ¤[0-9A-Za-z]{4})?\]|<[^<>]*>"
    r"|[$#]?\{+[^{}]*\}|\$\([^()]*\)|\$[A-Z_][0-9A-Z_]*|\$\d{1,3}|%[-+0-9.]*[sdrvqx]|%\(\w+\)s|%[A-Z_]+%"
    r"|(?:[a-z_]\w*\.)+[A-Z][\w$]*@[0-9a-f]{5,8}|\[[BC]@[0-9a-f]{5,8}"  # objects of Java without a text
    r"|:[A-Za-z_]+|@[A-Za-z_]+)[,;.)\]}]*",
    re.ASCII,
)
_REFERENCE = re.compile(
    r"(?:self|this|cls|settings|config|conf|cfg|os|env|process|request|req|args|kwargs|opts?|options|params|data|form|body"
    r"|user|ctx|context)(?:\.|->|\[)[\w.\[\]()>-]*"
    r"|[A-Za-z_][\w.]*\([\w.,\"' ]*\)?|[A-Za-z_][A-Za-z_.]*[\[(].*",
    re.ASCII,
)
_VARIABLE = re.compile(r"\$[A-Za-z_]\w*(?:->?|::|[.\[({;]|\Z)", re.ASCII)
_DIGIT = re.compile("[0-9]")
_DOTTED = re.compile(r"[A-Za-z_]+(?:\.[A-Za-z_]+)+")
_TYPE = re.compile(
    r"(?:&|\*|\?)*(?:typing\.|std::|java\.lang\.)?(?:[A-Z]\w*|str|string|bytes|int|bool|any)(?:\[.*|<.*|\|.*|\?)?",
    re.ASCII,
)
_PATH = re.compile(
    r"(?:~|\.{1,2})?/(?:var|run|etc|home|usr|opt|tmp|root|mnt|srv|app|dev|proc|data|secrets|Users|private)(?:/.*)?"
    r"|[A-Za-z]:\\.*|https?://.*"
)


_ENCODED_END = re.compile("%(?:25)?(?:26|20|3[Bb]|0[AaDd]|22|7[Dd])")
_ENTITY = re.compile(r"%2[27]|&quot;|&#0?3[49];|\\u0022")
"""A quote, URL-encoded, HTML-encoded or as JSON may write it."""
_REFERENCE_MARK = re.compile(r"[./\\\[(>]")
_ANY_PATH = re.compile(r"(?:/[\w.-]+)+/?", re.ASCII)


def quoted(text: str, position: int) -> Value | None:
    """The inside of the quotes that open at ``position``; an unclosed one reaches to the end of its line."""
    first = text[position]
    if first in "\"'":
        return _closed(text, position + 1, first, 0)
    if first not in _MAY_OPEN:
        return None
    entity = _ENTITY.match(text, position)
    if entity is not None:
        end = text.find(entity[0], entity.end(), entity.end() + MAX_VALUE)
        return Value(entity.end(), end, True) if end >= 0 else None
    opening = _OPENING.match(text, position, position + 64)
    if opening is None:
        return None
    start, end = opening.span(1)
    return _closed(text, end, text[end - 1], end - start - 1)


def _closed(text: str, start: int, quote: str, depth: int) -> Value:
    """From ``start`` to the closing quote; ``depth`` backslashes stood before the opening one."""
    limit = min(len(text), start + MAX_VALUE)
    at = text.find(quote, start, limit)
    while at >= 0:
        backslashes = at
        while backslashes > start and text[backslashes - 1] == "\\":
            backslashes -= 1
        run = at - backslashes
        # At depth 0 an odd run escapes the quote; inside a text in a text the closing quote carries no more
        # backslashes than the opening one.
        if (run % 2 == 0) if depth == 0 else (run <= depth):
            return Value(start, at if depth == 0 else at - min(run, depth), True)
        at = text.find(quote, at + 1, limit)
    if text[start : start + 1] in tuple(" ,)+%;]}"):
        return Value(start, start, True)  # "token=" + repr(value): the quote has closed what began before the key
    newline = text.find("\n", start, limit)
    return Value(start, newline if newline >= 0 else limit, True)


def unquoted(text: str, position: int, *, encoded: bool = False) -> Value:
    """A run up to a blank, a quote, or a delimiter after which the next pair or nothing stands.

    Closing brackets without an opening one are not part of it. ``encoded``: in URL-encoding, so it ends at ``%26``.
    """
    limit = min(len(text), position + MAX_VALUE)
    start = position
    if text[position] in "SOJ[":
        wrapper = _WRAPPER.match(text, position)
        if wrapper is not None and _TEMPLATE.match(text, position, position + 32) is None:
            start = wrapper.end()
    end = start
    while True:
        stop = _STOP.search(text, end, limit)
        if stop is None:
            end = limit
            break
        end = stop.start()
        if text[end] not in "&;," or _NEXT_PAIR.match(text, end, end + 80) is not None:
            break
        end += 1
    if encoded:
        over = _ENCODED_END.search(text, start, end)
        end = over.start() if over is not None else end
    value = text[start:end]
    if value[-1:].isalnum():
        return Value(start, end, False)
    surplus = {closer: value.count(closer) - value.count(opener) for closer, opener in _CLOSERS.items()}
    while end > start and (text[end - 1] in ".,;:" or surplus.get(text[end - 1], 0) > 0):
        if text[end - 1] in surplus:
            surplus[text[end - 1]] -= 1
        end -= 1
    return Value(start, end, False)


def rest_of_line(text: str, position: int) -> Value:
    """A header's value: to the end of the line, or to a quote (``curl -H 'Cookie: a=b'``)."""
    limit = min(len(text), position + MAX_VALUE)
    over = _LINE_OR_QUOTE.search(text, position, limit)
    value = text[position : over.start() if over is not None else limit].rstrip(" \t,;)]}\\")
    return Value(position, position + len(value), False)


def is_mask(value: str) -> bool:
    """Empty, ``****``, ``[Filtered]``, ``%s``, ``${PASSWORD}``: a mask, or a place where a value would come."""
    stripped = value.strip()
    if not stripped.strip(" \t.,;:!"):
        return True
    if stripped[0].isalnum() and stripped[0] not in "xX" and "@" not in stripped:
        return False  # none of these begins so
    return _TEMPLATE.fullmatch(stripped, 0, _JUDGED) is not None


def is_nothing(value: str, *, quoted: bool = True) -> bool:
    """A mask or a state: there is no secret in it. Without quotes, also a word of a sentence or a type."""
    if len(value) > _LONGEST_STATE and value[0].isalnum() and value[0] not in "xX" and "@" not in value:
        return False
    bare = value.strip(" \t\n\r.,;:!").lower()
    return bare in _STATES or (not quoted and bare in _PROSE) or is_mask(value)


def is_sentence(value: str) -> bool:
    """``must be at least 8 characters``: what a validator says of a secret."""
    return " " in value and _SENTENCE.search(value, 0, _JUDGED) is not None


def is_reference(value: str, kind: str) -> bool:
    """Code that names where the secret is (``self.password``, ``get_token()``, ``new_password``), or a path to it."""
    if _REFERENCE_MARK.search(value) is not None and (
        _REFERENCE.fullmatch(value, 0, _JUDGED) is not None or _PATH.fullmatch(value, 0, _JUDGED) is not None
    ):
        return True
    if kind == keys.PASSWORD and "/" in value and _ANY_PATH.fullmatch(value, 0, _JUDGED) is not None:
        return True  # PWD is a directory in every environment
    return value.replace("_", "").replace(".", "").isalpha() and keys.kind_of(value) == kind


def is_variable(value: str) -> bool:
    """``$_POST[``, ``$this->``, ``$row``: a variable of PHP, Perl or a shell, and what is taken of it."""
    return _VARIABLE.match(value) is not None


def is_type(value: str) -> bool:
    """``str``, ``Optional[str]``, ``String``: an annotation."""
    return _DIGIT.search(value) is None and _TYPE.fullmatch(value, 0, _JUDGED) is not None


def is_dotted_name(value: str) -> bool:
    """``Name.Namespace``: a member of something, not a secret."""
    return "." in value and _DOTTED.fullmatch(value, 0, _JUDGED) is not None


def is_word(value: str) -> bool:
    """Letters only, as in running text: ``Lost``, ``expected``."""
    return value.isascii() and value.isalpha() and (len(value) == 1 or value[1:].islower())
