"""Values that a key in the text announces: one pattern shape finds key and separator, the check judges what follows.

Keyword arguments, JSON (also inside JSON), YAML, headers, query strings, form bodies, environment dumps, connection
strings, command lines, XML elements, and the reprs of many languages are all a key, a separator and a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from collector_processor.stages.redact import keys, values
from collector_processor.stages.redact.headers import header, is_scheme
from collector_processor.stages.redact.pattern import Match, Span
from collector_processor.stages.redact.rule import WORD, Check, Example, Rule, vocabulary
from collector_processor.stages.redact.source_lines import on_source_line

_KEY = r"[0-9A-Za-z_.$\xc0-\xff-]*"
_CLOSING = r"(?:\\*[\"'`]|%(?:25)?2[27]|%(?:25)?5[Dd]|&quot;|&#0?3[49];|\\+u0022)?"
_ASSIGN = (
    r"(?:[ \t]*(?:=>|[:=]{1,2}|%(?:25)?3[AaDd])|[ \t]+(?:->[ \t]|string[ \t]*=)"
    r"|\][ \t]*=>?(?:\\?n|\n[ \t]{1,16})?|\)=\()"
)
_IS = r"[ \t]+(?:is|was|IS|WAS)[ \t]*:?[ \t]"
_TUPLE = r"\\*[\"'],[ \t]*b?\\*[\"']|,[ \t]?(?:<<)?\""
_SEPARATOR = f"(?:{_CLOSING}{_ASSIGN}|{_IS}|{_TUPLE}|>|&gt;)"
_NO_WORD = r"\[(?:[^a-z]|[a-z-]*(?:[^a-z\]-]|\z))|\[[a-z-]*\]"
_QUOTED = "|".join(rf"{quote}(?:[^\[]|{_NO_WORD}[^{quote}])" for quote in "\"'`")
_VALUE = rf"[ \t]*\\*(?:{_QUOTED}|[^>\[ \t\"'`\\]|{_NO_WORD}[^ \t\n\r\"'`&;,)\]}}<>|\\])"
"""The beginning of a value that is more than the word of a redaction: what is clean has no cue and needs no second
look."""

_KEY_RUN = re.compile(r"[0-9A-Za-z_.$\xc0-\xff-]+")
_KEY_OF_WORDS = re.compile(
    rf"([0-9A-Za-z_.$\xc0-\xff -]*?)(?:{_SEPARATOR}|[ \t]+)",
    re.ASCII,
)
"""For the keys that hold blanks (``api key: …``): group 1 is the key."""

_SEPARATES = ("", "=", ":")
_ESCAPED = re.compile("(?:25)?[0-9A-Fa-f]{2}(?=.)", re.DOTALL)
_TYPED = re.compile(r"&?[A-Za-z_][\w.]{1,24}[?!]?[ \t]{0,4}=[ \t]{0,4}(?=[\"'`])", re.ASCII)
"""What stands between ``password:`` and its literal in Python, TypeScript, Kotlin, Swift and Rust."""
_BLOCK = re.compile(r"\|[+-]?[ \t]{0,4}\r?\n[ \t]{1,32}([^\s\[][^\n]{0,512})")
"""A block of YAML (``password: |``): group 1 is its first line."""
_NEXT_LINE = re.compile(r"[ \t]{0,4}\r?\n[ \t]{0,64}(?=[\"'])")
_YAML_TAG = re.compile("!(?:vault|secret|env|env_var|ref|reference|sub|getatt|join|importvalue)", re.IGNORECASE)
"""What says where the value comes from (CloudFormation, Ansible, Home Assistant)."""
_MACHINE_MADE = re.compile(r"[0-9A-Za-z][0-9A-Za-z+/=_-]{7,}")
_LETTER = re.compile("[A-Za-z]")
_WORDLIKE = re.compile(r"[0-9A-Za-z_\xc0-\xff]")
_DIGIT = re.compile("[0-9]")
_WORD_OR_DASH = WORD | {"-"}
# Where a key is not a carrier by what stands before it: ``unexpected token: …``.
PARSER_WORDS = vocabulary("unexpected expected unknown illegal next syntax lexer near current last bad")
_LOOKED_FOR = vocabulary("such unknown missing no")
_CLI_PROSE = vocabulary("option options flag flags argument arguments parameter parameters instead must needs required")
_TYPE_NAMES = vocabulary(
    "String Str SecretStr Any Bool Boolean Bytes ByteArray CharArray Int Integer Long Object Text Token "
    "Password Secret Buffer Uint8Array"
)


def pattern(ending: str) -> str:
    """RE2 for keys that end so, with the separator behind: blanks alone after a key of a command line
    (``--password x``). Without groups, for RE2 takes four times as long to find those."""
    key = rf"{_KEY}(?i:{ending})"
    return rf"{key}{_SEPARATOR}|-{key}[ \t]+"


def cue(ending: str) -> str:
    """The smaller pattern that decides whether ``pattern`` is searched."""
    end = rf"(?i:{ending})"
    return rf"{end}{_SEPARATOR}{_VALUE}|-{_KEY}{end}[ \t]+(?:[^ \t:=\[]|{_NO_WORD})"


def rule(
    *,
    name: str,
    replacement: str,
    what: str,
    phrases: Sequence[str],
    by_default: bool = True,
    examples: Sequence[Example] = (),
    counter_examples: Sequence[str] = (),
) -> Rule:
    """A rule for the values of keys that end in the words of one of ``phrases``, in text and as attribute keys."""
    parts = {tuple(keys.words(phrase)) for phrase in phrases}
    ending = "|".join(sorted("[_. -]?".join(map(re.escape, words)) for words in parts if words))

    def named(key: str) -> bool:
        words = tuple(keys.bare_words(key))
        return any(words[start:] in parts for start in range(len(words)))

    return Rule(
        name=name,
        replacement=replacement,
        what=what,
        pattern=pattern(ending),
        cue=cue(ending),
        check=carried(name, named),
        keys=tuple(sorted(phrases)),
        by_default=by_default,
        examples=tuple(examples),
        counter_examples=tuple(counter_examples),
    )


def carried(kind: str, named: Callable[[str], bool]) -> Check:
    """The check of the rule for the keys that ``named`` takes."""

    def check(text: str, match: Match) -> Sequence[Span]:
        key_start, position = match[0]
        key_end = _KEY_RUN.match(text, key_start).end()  # type: ignore[union-attr] # a key begins every match
        key_start = _behind_escape(text, key_start, key_end)
        if text[key_end] == " " and text[key_end:position].lstrip(" \t")[:1] not in _SEPARATES:
            key_end = _end_of_words(text, key_start, position)
        key = text[key_start:key_end]
        if not named(key):
            return ()
        separator = text[key_end:position]
        mark = separator.strip(" \t")
        before = text[key_start - 1] if key_start else ""
        if not mark and before in _WORD_OR_DASH:
            return ()  # "Set-Cookie header": the dash joins words
        if before == ":" and _in_address(text, key_start):
            return ()  # ``https://ann:xPW:7@host``: the middle of a password that urls.py takes
        if before == "/" and separator == ":" and _is_user(text, key_start, position):
            return ()  # ``https://x-access-token:…@host``: urls.py takes it, and leaves the host
        if separator in (">", "&gt;"):
            return _element(text, key_start, position, separator)
        if separator == ")=(":  # Key (api_token)=(…) already exists
            end = text.find(")", position, position + values.MAX_VALUE)
            return () if end < 0 or values.is_nothing(text[position:end]) else ((position, end),)
        if mark[:1] == ",":  # {password,"…"} of Erlang
            return _erlang_tuple(text, key_start, position, kind)
        if "," in separator:  # ("authorization", "…"): the pattern has taken the opening quote
            return _header_tuple(text, key, key_start, position, kind)
        if separator.endswith("::"):
            return ()
        while position < len(text) and text[position] in " \t":
            position += 1
        if position == len(text):
            return ()
        if text[position] in "\r\n" and separator[0] in "\"'":  # JSON that is printed with its values on lines below
            line = _NEXT_LINE.match(text, position)
            position = line.end() if line is not None else position
        if mark == ":":
            typed = _TYPED.match(text, position, position + 64)
            position = typed.end() if typed is not None else position
            block = _BLOCK.match(text, position)
            if block is not None:
                return () if values.is_nothing(block[1]) else (block.span(1),)
        first = text[position]
        if first in "\"'`" and before == first and separator[0] in ":=":
            return ()  # the header 'Cookie:' is missing: the quotes hold the key and its colon
        if first == "{" and before == ";":  # Driver={…};Pwd={a;b}
            return _braced(text, position)
        if first == "[" and values.is_mask(text[position : text.find("]", position, position + 32) + 1]):
            return ()  # the word of a redaction
        value = values.quoted(text, position)
        if value is not None:
            compared = kind == keys.TOKEN and mark.endswith("==")
            return () if compared and values.is_word(text[value.start : value.end]) else _spans(text, value, kind)
        if on_source_line(text, key_start) or mark[:6] == "string":
            return ()
        if kind in (keys.AUTHORIZATION, keys.COOKIE):
            whole = kind == keys.AUTHORIZATION or key.lower().endswith(("cookie", "cookies"))
            credentials = header(text, position, kind) if whole else None
            if credentials is not None:
                return credentials
            if kind == keys.AUTHORIZATION and not key.lower().endswith("authorization"):
                return ()  # a bare "auth" says too little: only with quotes or a scheme
            if kind == keys.COOKIE and whole and mark != "=":
                return ()
        value = values.unquoted(text, position, encoded="%3" in separator or "%25" in separator)
        if before == ";" and kind == keys.COOKIE and "?" in text[value.start : value.end]:
            value = value._replace(end=text.index("?", value.start))  # /cart;jsessionid=…?page=2
        if (
            mark == "="
            and kind in (keys.PASSWORD, keys.SECRET, keys.KEY)
            and _is_machine_made(text[value.start : value.end])
        ):
            return ((value.start, value.end),)  # as what follows would find, and most secrets are
        if _is_unquoted_secret(text, value, kind, separator, key_start, key_end, not mark):
            return ((value.start, value.end),)
        return ()

    return check


def _behind_escape(text: str, start: int, end: int) -> int:
    """Where the key begins behind a URL-encoded mark (``%3Fapi_key``), whose digits look like a part of it."""
    if text[start - 1 : start] != "%":
        return start
    escape = _ESCAPED.match(text, start, end)
    return escape.end() if escape is not None else start


def _is_user(text: str, start: int, end: int) -> bool:
    """Whether a key and its colon are the user of an address with a password."""
    if text[max(0, start - 3) : start] != "://":
        return False
    rest = text[end : end + 256].split(maxsplit=1)
    return bool(rest) and "@" in rest[0]


def _end_of_words(text: str, start: int, end: int) -> int:
    match = _KEY_OF_WORDS.fullmatch(text, start, end)
    return match.end(1) if match is not None else end - 1


def _spans(text: str, value: values.Value, kind: str) -> Sequence[Span]:
    inside = text[value.start : value.end]
    if values.is_nothing(inside) or values.is_sentence(inside) or not _fits(inside, kind):
        return ()
    if kind == keys.AUTHORIZATION:
        if is_scheme(inside):
            return ()
        credentials = header(text, value.start, kind, value.end)
        return credentials if credentials is not None else ((value.start, value.end),)
    return ((value.start, value.end),)


def _is_machine_made(value: str) -> bool:
    """Letters and digits, eight or more: no state, no word, no name in a program."""
    return (
        _MACHINE_MADE.fullmatch(value) is not None
        and _DIGIT.search(value) is not None
        and _LETTER.search(value) is not None
    )


def _fits(value: str, kind: str) -> bool:
    """What a value of this kind at least looks like."""
    if kind == keys.PIN:
        return value.isdigit() and 3 <= len(value) <= 8
    if kind == keys.SSN:
        digits = value.replace("-", "").replace(" ", "").replace(".", "")
        return digits.isdigit() and len(digits) == 9
    if kind == keys.AUTHORIZATION:
        return len(value) >= 6
    if kind == keys.SESSION:
        return len(value) >= 16 and _DIGIT.search(value) is not None
    return _WORDLIKE.search(value) is not None


def _is_unquoted_secret(
    text: str, value: values.Value, kind: str, separator: str, key_start: int, key_end: int, command_line: bool
) -> bool:
    inside = text[value.start : value.end]
    if values.is_nothing(inside, quoted=False) or not _fits(inside, kind):
        return False
    if not _in_form(text, key_start, value.end) and _is_code(inside, kind, separator):
        return False
    if inside[0] in "({[<" or inside[:2] in ("--", "$("):
        return False
    if kind == keys.AUTHORIZATION and is_scheme(inside):
        return False
    if inside[0] == "!" and separator[-1] == ":" and _YAML_TAG.fullmatch(inside) is not None:
        return False
    if inside[0] == "$" and separator[0] in " \t" and values.is_variable(inside):
        return False  # ``$password = $_POST['password']``
    if kind == keys.SECRET and separator[-1] == ":" and word_before(text, key_start) in _LOOKED_FOR:
        return False  # no such secret: its name
    if kind == keys.TOKEN and (len(inside) < 6 or word_before(text, key_start) in PARSER_WORDS):
        return False  # positions and counts; what a parser met
    if kind == keys.PASSWORD and len(inside) < 4 and inside.isdigit():
        return False  # "pass: 3, fail: 2"
    if command_line:
        return inside[0] != "-" and not (
            values.is_word(inside) and (inside.lower() in _CLI_PROSE or _more_words(text, value.end))
        )
    mark = separator.strip(" \t\\\"'`]")
    if mark == ":" and separator[0] in " \t" and separator[-1] == ":" and text[key_end + len(separator)] not in " \t":
        return False  # ``pass :role:``: markup, or a symbol
    if mark == "==":
        return False  # a comparison
    if mark[:2].lower() in ("is", "wa", "->"):
        return len(inside) >= 5 and any(c.isdigit() for c in inside) and any(c.isalpha() for c in inside)
    if (
        values.is_type(inside)
        and (mark == ":" or _is_default(text, value.end))
        and (inside in _TYPE_NAMES or "[" in inside or "<" in inside or _is_annotation(text, value))
    ):
        return False
    if mark == ":" and (values.is_word(inside) or inside.isdigit()):
        return not _more_words(text, value.end)
    return True


def _is_code(inside: str, kind: str, separator: str) -> bool:
    """``password=self.password``, ``token = Name.Namespace``, ``key: Hashed``."""
    if values.is_reference(inside, kind):
        return True
    if kind not in (keys.TOKEN, keys.KEY, keys.SECRET):
        return False
    if values.is_dotted_name(inside):
        return True
    # What machines make has digits. Without blanks around "=" it is no assignment of a program.
    assigned = separator[:1] in " \t" or separator.endswith(":")
    return kind != keys.SECRET and assigned and len(inside) < 16 and values.is_word(inside)


def _in_address(text: str, position: int) -> bool:
    """Also in an ARN, where ``secret:`` is a kind of resource and its name follows."""
    word = text[max(0, position - 96) : position].rsplit(maxsplit=1)[-1]
    return "://" in word[-64:] or "arn:" in word


def _in_form(text: str, key_start: int, end: int) -> bool:
    """A query string or form body: what stands there came from outside, whatever it looks like."""
    return text[key_start - 1 : key_start] in ("?", "&") or text[end : end + 1] == "&"


def _is_annotation(text: str, value: values.Value) -> bool:
    """``Optional[HiddenText]``, ``CookieTypes | None``, ``Hidden = None``."""
    return text[value.start - 1] == "[" or text[value.end : value.end + 3] in (" | ", " = ")


def _is_default(text: str, end: int) -> bool:
    return text[end : end + 3].lstrip(" ").startswith("=")


def _more_words(text: str, end: int) -> bool:
    """Whether the sentence goes on: a blank and a letter or a quote after the value."""
    after = text[end + 1 : end + 2]
    return text[end : end + 1] in (" ", "\t") and (after.isalpha() or after in ("'", '"', "`"))


def word_before(text: str, start: int) -> str:
    """The word that stands in front of ``start``, in small letters."""
    head = text[max(0, start - 24) : start].rstrip(" \t'\"`")
    at = len(head)
    while at and head[at - 1].isalpha():
        at -= 1
    return head[at:].lower()


def _element(text: str, key_start: int, position: int, separator: str) -> Sequence[Span]:
    """``<password>…</password>``, also with entities in place of the brackets, or with CDATA inside."""
    opening, limit = ("<", position + values.MAX_VALUE) if separator == ">" else ("&lt;", position + 512)
    if not text.startswith(opening, max(0, key_start - len(opening)), key_start):
        return ()
    if text.startswith("<![CDATA[", position):
        position += len("<![CDATA[")
        end = text.find("]]>", position, limit)
    else:
        end = text.find(opening, position, limit)
        if text[end + len(opening) : end + len(opening) + 1] != "/":
            return ()
    if end <= position or values.is_nothing(text[position:end]):
        return ()
    return ((position, end),)


_BRACED = re.compile(r"\{((?:[^{}\n]|\}\}){1,256})\}")


def _braced(text: str, position: int) -> Sequence[Span]:
    """A value of ODBC in braces; a name in braces is a place where a value would come."""
    match = _BRACED.match(text, position)
    return () if match is None or match[1].isidentifier() else (match.span(1),)


def _erlang_tuple(text: str, key_start: int, position: int, kind: str) -> Sequence[Span]:
    if text[key_start - 1 : key_start] != "{":
        return ()
    value = values.quoted(text, position - 1)
    return () if value is None else _spans(text, value, kind)


def _header_tuple(text: str, key: str, key_start: int, position: int, kind: str) -> Sequence[Span]:
    """``("x-api-key", "…")``: only pairs in brackets whose first is a header's name; ``["password", "email"]`` lists
    names."""
    opening = text[max(0, key_start - 4) : key_start].rstrip("\\\"'b")
    if key[0] == "-":  # ['deploy', '--token', '…']
        value = values.quoted(text, position - 1)
        return () if value is None or text[value.start : value.start + 1] == "-" else _spans(text, value, kind)
    if not opening.endswith(("(", "[")):
        return ()
    value = values.quoted(text, position - 1)
    if value is None or values.is_word(text[value.start : value.end]):
        return ()
    if kind not in (keys.AUTHORIZATION, keys.COOKIE) and "-" not in key and text[value.end + 1 : value.end + 2] != ")":
        return ()
    return _spans(text, value, kind)
