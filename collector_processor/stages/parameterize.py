"""A message without what changes from one occurrence to the next: ``order <int> of <email> failed after <duration>``.

One alternation, tried from left to right; the first alternative that matches at a place wins, so more specific ones
stand first. Every repetition is bounded or runs over a class that what follows it excludes, and words are entered at
their first character only: the time is linear in the length of the text. Words, versions (``1.2.3``, ``utf-8``,
``HTTP/1.1``, ``python3.11``) and names with ``::`` stay. E-mail addresses, card-like and phone-like numbers are always
replaced, because messages go into fingerprints and titles.
"""

from __future__ import annotations

import ipaddress
import re

_END = r"(?!\w)"
_HEX2, _HEX4 = "[0-9a-fA-F]{2}", "[0-9a-fA-F]{4}"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?(?:\s?(?:Z|UTC|GMT|[AP]M|[+-][0-9]{2}:?[0-9]{2}))?"
_UNIT = (
    "(?:ns|us|µs|μs|ms|sec|secs|seconds?|minutes?|mins?|hours?|hrs?|days?|weeks?"
    "|milliseconds?|microseconds?|nanoseconds?)"
)
_TLD = (
    "(?:com|net|org|edu|gov|mil|int|io|dev|app|ai|co|cloud|info|biz|internal|intra|local|localdomain|lan|corp|home"
    "|example|test|invalid|arpa|svc|eu|de|fr|uk|nl|ru|cn|jp|br|au|ca|ch|pl|us)"
)
_PRERELEASE = r"(?:[\-+.]?(?:a|b|c|rc|alpha|beta|dev|post|final|snapshot)[.\-]?[0-9]{0,9})?"


def _first(characters: str, *, after: str = r"\w.") -> str:
    """One of ``characters``, with none of ``after`` before it. The character stands in front, so that the engine skips
    an alternative by it."""
    return f"{characters}(?<![{after}]{characters})"


_DIGIT = _first("[0-9]")
_NUMBER = _DIGIT + r"[0-9]{0,39}(?:\.[0-9]{1,40})?"
_LETTER = _first("[A-Za-z]", after=r"\w")

# (token, pattern). A token of None keeps what it matches; one in lower case is decided by a function.
_ALTERNATIVES: tuple[tuple[str | None, str], ...] = (
    # Brackets inside: an IPv6 host, or what redaction left of a password.
    (
        "<url>",
        _LETTER + r"(?!ode:)[a-zA-Z0-9+.\-]{1,20}://(?:\[[0-9a-zA-Z:.\-]{1,45}\]|[^\s\"'<>)\]}`,;]){1,4096}",
    ),
    (
        "<email>",
        _first(r"[\w.+%\-]", after=r"\w.+%\-")
        + r"[\w.+%\-]{0,63}@(?:[A-Za-z0-9\-]{1,63}\.){0,8}[A-Za-z0-9\-]{1,63}"
        + _END,
    ),
    ("<token>", r"eyJ(?<![\w\-]eyJ)[\w\-]{6,4096}\.[\w\-]{2,4096}(?:\.[\w\-]{0,4096})?(?![\w\-])"),
    ("<uuid>", rf"[0-9a-fA-F]{{8}}-{_HEX4}-{_HEX4}-{_HEX4}-[0-9a-fA-F]{{12}}(?![0-9A-Za-z])"),
    (
        "<date>",
        _first("[0-9]", after=r"\w")
        + r"(?:[0-9]{3}-[0-9]{2}-[0-9]{2}|[0-9]{3}/[0-9]{1,2}/[0-9]{1,2}|[0-9]{0,1}/[0-9]{1,2}/[0-9]{4})"
        + rf"(?:[T ,]\s?{_CLOCK})?{_END}",
    ),
    (
        "<date>",
        rf"(?:{_DAY},? )?(?:[0-9]{{1,2}}[ -]{_MONTH}[ -][0-9]{{4}}|{_MONTH} {{1,2}}[0-9]{{1,2}}(?:,? [0-9]{{4}})?)"
        rf"(?:,? {_CLOCK})?{_END}",
    ),
    ("<date>", _first("[0-9]", after=r"\w:.") + _CLOCK.replace("{1,2}", "{0,1}", 1) + r"(?![\w:])"),
    (
        "<mac>",
        _first("[0-9a-fA-F]", after=r"\w:\-") + rf"[0-9a-fA-F](?:(?::{_HEX2}){{5}}|(?:-{_HEX2}){{5}})(?![\w:\-])",
    ),
    ("<ip>", _DIGIT + r"[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?(?!\w|\.[0-9])"),
    (
        "ip6",
        _first("[0-9a-fA-F:]", after=r"\w:.")
        + r"(?:(?<=:):|[0-9a-fA-F]{0,3}:[0-9a-fA-F]{0,4}:)[0-9a-fA-F:]{0,33}"
        + r"(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?:/[0-9]{1,3})?(?![\w:])",
    ),
    (
        None,
        r"(?i:[uilcwsrthxoapeb](?<!\w[a-z])(?:tf[-_]?(?:8|16|32)(?:[-_]?[lb]e)?|cs-?[24]|so[-_]?8859(?:-[0-9]{1,2})?"
        r"|so-?[0-9]{4,5}|p[0-9]{3,4}|indows-[0-9]{4}|atin-?[0-9]|ha-?[0-9]{1,3}(?:[-/][0-9]{3})?|fc ?[0-9]{3,4}"
        r"|ttp/[0-9](?:\.[0-9])?|ls ?v?[0-9](?:\.[0-9])?|86[_-]64|auth ?[12](?:\.0)?|pv[46]|md64|rm64"
        r"|ython ?[0-9](?:\.[0-9]{1,2}){0,2}|s[0-9]{1,4}|ase[0-9]{2})(?!\w))",
    ),
    (
        "<phone>",
        _first(r"\+", after=r"\w+")
        + r"[0-9]{1,3}[ .\-]?(?:\([0-9]{1,4}\)[ .\-]?)?[0-9]{1,4}(?:[ .\-]?[0-9]{2,4}){1,4}"
        + _END,
    ),
    ("<phone>", _first(r"\(", after=r"\w") + r"[0-9]{3}\) ?[0-9]{3}[ .\-][0-9]{4}" + _END),
    ("<phone>", _first("[0-9]", after=r"\w\-") + r"[0-9]{2}[.\-][0-9]{3}[.\-][0-9]{4}(?![\w\-])"),
    ("<phone>", _first("0", after=r"\w") + r"[0-9](?:[ .][0-9]{2}){4}" + _END),
    ("<card>", _first("[0-9]", after=r"\w.\-") + r"(?:[ \-]?[0-9]){12,18}(?!\w|[.\-][0-9])"),
    ("<path>", r"[A-Za-z](?<![\w\\/][A-Za-z]):[\\/][^\s\"'<>|:*?,;)]{1,1024}"),
    ("<path>", r"\\\\[\w.\-]{1,64}\\[^\s\"'<>|:*?,;)]{1,1024}"),
    (
        "<path>",
        _first(r"[/~.]", after=r"\w./<>:\-") + r"(?:(?<=/)|(?:(?<=\.)\.)?/)"
        r"(?:[\w.+@%~\-]{1,255}(?:/[\w.+@%~\-]{0,255}){1,64}|[\w+@%~\-]{1,200}\.[\w.]{1,50})",
    ),
    ("<hex>", r"0(?<!\w0)[xX][0-9a-fA-F]{1,128}" + _END),
    ("<size>", rf"{_NUMBER}\s?(?:[kKMGTPE]i?[bB]|bytes?|B){_END}"),
    ("<duration>", rf"{_NUMBER}\s?{_UNIT}{_END}"),
    (
        "<duration>",
        rf"{_DIGIT}[0-9]{{0,8}}(?:\.[0-9]{{1,9}})?[wdhms](?:[0-9]{{1,9}}(?:\.[0-9]{{1,9}})?[wdhms]){{0,5}}{_END}",
    ),
    (
        "<duration>",
        r"P(?<!\wP)(?=T?[0-9])(?:[0-9]{1,9}[YMWD]){0,4}(?:T(?:[0-9]{1,9}(?:\.[0-9]{1,9})?[HMS]){1,3})?" + _END,
    ),
    (None, _first("[0-9]") + r"[0-9]{0,8}(?:\.[0-9]{1,9}){2,4}" + _PRERELEASE + r"(?![\w.])"),
    (None, _first("[vV]", after=r"\w") + r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,4}" + _PRERELEASE + _END),
    (
        "<host>",
        _first("[A-Za-z0-9]", after=r"\w.@\-")
        + rf"[A-Za-z0-9\-]{{0,62}}\.(?:[A-Za-z0-9\-]{{1,63}}\.){{0,7}}{_TLD}(?![\w\-]|\.\w)",
    ),
    ("<host>", _first("[a-z]", after=r"\w.\-") + r"[a-z0-9\-]{0,62}-[a-f0-9]{8,10}-[a-z0-9]{5}(?![\w\-])"),
    # Data by where they stand: what is assigned or compared, an element of a list, a value of JSON, a SQL literal.
    ("<str>", r"\"(?:(?<==\")|(?<== \")|(?<=\": \")|(?<=[,(\[]\")|(?<=, \")|(?<=[\"'\]]:\"))[^\"\n]{0,1024}\"(?!\s?:)"),
    ("<str>", r"'(?:(?<==')|(?<== ')|(?<=[,(\[]')|(?<=, ')|(?<=[\"'\]]:')|(?<=[\"'\]]: '))[^'\n]{0,1024}'(?!\s?:)"),
    ("<bool>", r"[tfnTFN](?:(?<=[\"']:[tfnTFN])|(?<=[\"']: [tfnTFN]))(?:rue|alse|ull|one)(?!\w)"),
    ("detail", r"\((?<==\()[^()<>\n]{1,256}\)"),
    ("quoted", r"\"(?<![\w\"'`]\")[^\"\n]{1,1024}\"(?![\w\"'`])"),
    ("quoted", r"'(?<![\w\"'`]')[^'\n]{1,1024}'(?![\w\"'`])"),
    ("quoted", r"`(?<![\w\"'`]`)[^`\n]{1,1024}`(?![\w\"'`])"),
    ("word", r"[A-Za-z0-9](?:(?<=[0-9])|(?=[A-Za-z]{0,64}[0-9]))[A-Za-z0-9]{5,}(?![A-Za-z0-9])"),
    (
        "<float>",
        r"[-+0-9](?<![\w.][-+0-9])(?:(?<=[0-9])|[0-9])[0-9]{0,39}"
        r"(?:\.[0-9]{1,40}(?:[eE][-+]?[0-9]{1,4})?|[eE][-+]?[0-9]{1,4})(?!\w|\.[0-9])",
    ),
    ("<int>", r"[-+0-9](?<![\w.][-+0-9])(?:(?<=[0-9])|[0-9])[0-9]{0,2}(?:,[0-9]{3}){1,12}(?!\w|,[0-9])"),
    ("<int>", r"[-+0-9](?<![A-Za-z0-9.][-+0-9])(?:(?<=[0-9])|[0-9])[0-9]*(?![A-Za-z0-9]|\.[0-9])"),
)

# Nothing begins inside of a word: one check instead of one an alternative.
_PATTERN = re.compile("(?<![A-Za-z0-9])(?:" + "|".join(f"({pattern})" for _, pattern in _ALTERNATIVES) + ")")
_TOKENS = tuple(token for token, _ in _ALTERNATIVES)
_CANDIDATE = re.compile(r"[0-9@/\\\"'`]|\.[a-z]|::|localhost|=\(")
"""A text without any of these has nothing to replace."""

_PLAIN_QUOTED = re.compile(r"[^\W\d][\w.$:\-/\[\]<>]{0,120}|[^\w\s]{1,8}")
_HEX_WORD = re.compile(r"[0-9a-f]{7,}|[0-9A-F]{8,}")
_DIGITS = re.compile("[0-9]")
_VALUE_FOLLOWS = re.compile(
    r"(?:(?<!\w)(?:user|username|customer|account|member|tenant|person|owner|author|patient|employee|value|literal|string"
    r"|text|entry|got|received|input|login|password|token|e-?mail|mail|host|hostname|city|address|query|term|tag)"
    r"(?: is| was| named| called)?[ :]{1,2}"
    r"|(?:to|as) (?:an? )?(?:float|int|integer|number|bool|boolean|date|datetime|decimal|uuid|json): "
    r"|base <?\w{1,4}>?: )\Z",
    re.IGNORECASE,
)
_NAME_LIKE = re.compile(r"(?:[A-Z]?[a-z]{2,}[0-9]{0,4}|[A-Z]{1,5}[0-9]{0,4})+")
_NUMBER_TAIL = re.compile(r"([A-Za-z]+)[0-9]{4,}")


def parameterize(message: str) -> str:
    """The message with its volatile and personal parts replaced. Any text in; never raises."""
    if _CANDIDATE.search(message) is None:
        return message
    return _PATTERN.sub(_replace, message)


def _replace(match: re.Match[str]) -> str:
    group = match.lastindex
    assert group is not None  # noqa: S101  # the alternation has no branch without a group
    kind, text = _TOKENS[group - 1], match[0]
    if kind is None:
        return text
    if kind == "ip6":
        return "<ip>" if _is_ip6(text) else _rescan(text)
    if kind == "quoted":
        return _quoted(text, match)
    if kind == "word":
        return _word(text, match)
    if kind == "detail":
        return _detail(text)
    if kind == "<card>" and text.isdigit():
        return "<int>"  # the ids of one kind, whatever their length
    return kind


def _is_ip6(text: str) -> bool:
    """An address, not the ``::`` of a C++ or Rust name: ``a::b`` is both, so a digit is asked for."""
    if text.count(":") < 2 or not _DIGITS.search(text):
        return False
    try:
        ipaddress.IPv6Address(text.partition("/")[0])
    except ValueError:
        return False
    return True


def _rescan(text: str) -> str:
    """What looked like an address and is none: its parts, each for itself."""
    return ":".join(parameterize(part) for part in text.split(":"))


def _quoted(text: str, match: re.Match[str]) -> str:
    """Quoted names tell errors apart ('NoneType' object has no attribute 'get'); quoted data do not."""
    mark, inner = text[0], text[1:-1]
    if inner.startswith("<") and inner.endswith(">"):
        return text
    plain = _PLAIN_QUOTED.fullmatch(inner) is not None
    if plain and not _DIGITS.search(inner):
        return f"{mark}<str>{mark}" if _is_value(match) else text
    if plain or " " not in inner.strip():
        inside = _PATTERN.sub(_replace, inner)
        if inside.startswith("<") or (plain and not _DIGITS.search(inside)) or (plain and inside == inner):
            return f"{mark}{inside}{mark}"
    return f"{mark}<str>{mark}"


def _is_value(match: re.Match[str]) -> bool:
    """Whether what stands in front says that a quoted word is data: ``User 'ann'``, ``to float: 'abc'``."""
    start = match.start()
    return _VALUE_FOLLOWS.search(match.string, max(0, start - 64), start) is not None


def _detail(text: str) -> str:
    """PostgreSQL's ``Key (email)=(ann)``: numbers stay told from texts."""
    inside = parameterize(text[1:-1])
    return f"({inside})" if inside.startswith("<") and inside.endswith(">") else "(<str>)"


def _word(text: str, match: re.Match[str]) -> str:
    """A run of letters and digits: a hex digest, a generated id, a number behind a prefix (``ORD12345``), or a name
    like ``Base64Decoder``."""
    digits = len(_DIGITS.findall(text))
    if digits == len(text):
        return "<int>"
    if _HEX_WORD.fullmatch(text) and (len(text) >= 8 or digits >= 2):
        return "<hex>"
    tail = _NUMBER_TAIL.fullmatch(text)
    if tail is not None:
        return tail[1] + "<int>"
    if len(text) >= 16 and digits >= 3:
        return "<id>"
    if len(text) >= 10 and digits >= 4:
        return "<id>"
    start = match.start()
    behind = match.string[start - 1 : start] in ("_", "-")
    if behind and len(text) >= 12 and text.lower() != text != text.upper() and not _NAME_LIKE.fullmatch(text):
        return "<id>"  # cus_NffrFeUfNV2Hib
    return text
