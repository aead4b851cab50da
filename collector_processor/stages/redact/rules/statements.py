"""Secrets by their place in a statement: SQL, command lines, elements with name and value, quotes in running text."""

from __future__ import annotations

from collections.abc import Sequence

from collector_processor.stages.redact import keys, values
from collector_processor.stages.redact.rule import Example, Match, Rule, Span, compiled

_WORDS = compiled(r"[A-Za-z \t._-]+")


def _quoted_after(text: str, match: Match) -> Sequence[Span]:
    value = values.quoted(text, match.end() - 1)
    if value is None or values.is_nothing(text[value.start : value.end]):
        return ()
    return ((value.start, value.end),)


def _said(text: str, match: Match) -> Sequence[Span]:
    """``password 'hunter2' rejected``: quotes around letters alone are a field or a message."""
    spans = _quoted_after(text, match)
    if spans and (len(spans[0]) != 2 or _WORDS.fullmatch(text[slice(*spans[0])].encode("latin-1")) is not None):
        return ()
    return spans if spans and spans[0][1] - spans[0][0] <= 128 else ()


def _group(text: str, match: Match) -> Sequence[Span]:
    start, end = match.span(1)
    return () if values.is_nothing(text[start:end]) else ((start, end),)


def _named_element(text: str, match: Match) -> Sequence[Span]:
    if keys.kind_of(text[slice(*match.span(1))]) is None:
        return ()
    return _quoted_after(text, match)


RULES = (
    Rule(
        name="sql-password",
        replacement="[password]",
        what="`IDENTIFIED BY '…'`, `WITH PASSWORD '…'`, `SET PASSWORD … = '…'` in SQL",
        pattern=r"(?i)\b(?:identified[ \t]+(?:with[ \t]+\w+[ \t]+)?by(?:[ \t]+password)?"
        r"|(?:with|encrypted)[ \t]+password|set[ \t]+password[^'\n]{0,80}=)[ \t]*'",
        check=_quoted_after,
        examples=(
            Example("CREATE USER ann IDENTIFIED BY 'hunter'", "CREATE USER ann IDENTIFIED BY '[password]'"),
            Example("ALTER ROLE ann WITH PASSWORD 'hunter'", "ALTER ROLE ann WITH PASSWORD '[password]'"),
        ),
        counter_examples=("identified by email", "with password '' "),
    ),
    Rule(
        name="said-password",
        replacement="[password]",
        what="a password in quotes in running text, when it is more than letters",
        pattern=r"(?i)\b(?:password|passwd|passphrase|passcode)[ \t]+(?:is[ \t]+|was[ \t]+)?['\"`]",
        check=_said,
        examples=(Example("wrong password 'hunter2' for ann", "wrong password '[password]' for ann"),),
        counter_examples=("password 'too short'", "unknown keyword password 'value'"),
    ),
    Rule(
        name="command-password",
        replacement="[password]",
        what="`curl -u user:password`, `sshpass -p password`",
        pattern=r"(?:\bcurl\b[^\n|;]{0,200}?[ \t](?:-u|--user)[ \t=]*[\"']?[^\s:\"']{1,64}:"
        r"|\bsshpass[ \t]+-p[ \t]*[\"']?)([^\s\"'`]+)",
        cue=r"\b(?:curl\b|sshpass[ \t]+-p)",
        check=_group,
        examples=(
            Example("curl -s -u ann:hunter2 https://api", "curl -s -u ann:[password] https://api"),
            Example("sshpass -p hunter2 ssh ann@db", "sshpass -p [password] ssh ann@db"),
        ),
        counter_examples=("curl -u ann:$TOKEN_1 https://api", "curl -s https://api:8443/u"),
    ),
    Rule(
        name="named-element",
        replacement="[secret]",
        what='`<add key="Password" value="…"/>`, `<input name="token" value="…">`, '
        '`{"name": "DB_PASSWORD", "value": "…"}`',
        pattern=r"(?i)\b(?:key|name|type|id)\\*[\"']?[ \t]*[:=][ \t]*\\*[\"']([\w.-]{2,80})\\*[\"'],?"
        r"[ \t]+\\*[\"']?value\\*[\"']?[ \t]*[:=][ \t]*[\"']",
        check=_named_element,
        examples=(
            Example('<add key="DbPassword" value="hunter2"/>', '<add key="DbPassword" value="[secret]"/>'),
            Example('{"name": "DB_PASSWORD", "value": "hunter2"}', '{"name": "DB_PASSWORD", "value": "[secret]"}'),
        ),
        counter_examples=('<input type="text" value="12">', '<add key="Password" value=""/>'),
    ),
)
