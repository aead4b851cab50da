"""Secrets by their place in a statement: SQL, forms, elements with name and value."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.stages.redact import keys, values
from collector_processor.stages.redact.pattern import Match, Pattern, Span
from collector_processor.stages.redact.rule import Example, Rule


def quoted_after(text: str, match: Match) -> Sequence[Span]:
    """The inside of the quotes that open at the end of the match."""
    position = match[0][1] - 1
    while position > match[0][0] and text[position - 1] == "\\":
        position -= 1
    value = values.quoted(text, position)
    if value is None or values.is_nothing(text[value.start : value.end]):
        return ()
    return ((value.start, value.end),)


def group_1(text: str, match: Match) -> Sequence[Span]:
    """Group 1, when it is a value."""
    start, end = match[1]
    return () if values.is_nothing(text[start:end]) else ((start, end),)


def _named_element(text: str, match: Match) -> Sequence[Span]:
    if keys.kind_of(text[slice(*match[1])]) is None:
        return ()
    if text[match[0][1] - 1] in "\"'\\":
        return quoted_after(text, match)
    value = values.unquoted(text, match[0][1] - 1)
    return () if values.is_nothing(text[value.start : value.end], quoted=False) else ((value.start, value.end),)


def _named_text(text: str, match: Match) -> Sequence[Span]:
    name = match[1] if match[1][0] >= 0 else match[2]
    known = keys.kind_of(text[slice(*name)]) is not None
    return (match[3],) if known and not values.is_nothing(text[slice(*match[3])]) else ()


_INSERT_MAX = 4096
_MAX_BARE = 256
_MARK_OF_VALUES = re.compile(r"[(),\]]")


def _inserted(text: str, match: Match) -> Sequence[Span]:
    """Values of an INSERT by the names of their columns; of bound parameters too, where they are printed behind."""
    columns = [name.strip(' \t\n\r"`[]') for name in text[slice(*match[1])].split(",")]
    secret = {place for place, name in enumerate(columns) if keys.kind_of(name) is not None}
    if not secret:
        return ()
    origin = match[0][1]
    window = text[origin : origin + _INSERT_MAX]
    found: list[Span] = []
    position = 0
    while True:
        spans, position = _tuple_of_values(window, position)
        found += _of_columns(window, spans, secret)
        following = _NEXT_TUPLE.match(window[position : position + 64].encode("latin-1"))
        if following is None or not spans:
            break
        position += following[0][1]
    parameters = _PARAMETERS.search(window[position : position + 400].encode("latin-1"))
    if parameters is not None:
        spans, _ = _tuple_of_values(window, position + parameters[0][1])
        found += _of_columns(window, spans, secret)
    return [(origin + start, origin + end) for start, end in found]


def _of_columns(text: str, spans: Sequence[Span], columns: set[int]) -> list[Span]:
    return [span for place, span in enumerate(spans) if place in columns and _is_literal(text[slice(*span)])]


_NEXT_TUPLE = Pattern(r"\)\s*,\s*\(")
_PARAMETERS = Pattern(r"\[?(?:parameters|params|bindings|with params)[: ]+[\[(]{1,2}")


def _is_literal(value: str) -> bool:
    return len(value) >= 3 and value[0] not in "?$:%@" and not values.is_nothing(value)


def _tuple_of_values(text: str, position: int) -> tuple[list[Span], int]:
    """The insides of the values up to the closing bracket, and where that is."""
    spans: list[Span] = []
    while position < len(text):
        while position < len(text) and text[position] in " \t\n\r,":
            position += 1
        if position >= len(text) or text[position] in ")]":
            break
        value = values.quoted(text, position) if text[position] in "'\"bNE" else None
        if value is not None:
            spans.append((value.start, value.end))
            position = value.end + 1
        else:
            end = _end_of_value(text, position)
            if end < 0:
                break
            spans.append((position, end))
            position = end
    return spans, position


def _end_of_value(text: str, position: int) -> int:
    """Where a value without quotes ends, over brackets of its own; -1 when that is too far for one."""
    depth = 0
    for mark in _MARK_OF_VALUES.finditer(text, position, position + _MAX_BARE):
        if not depth and mark[0] in ",)]":
            return mark.start()
        depth += {"(": 1, ")": -1}.get(mark[0], 0)
    return len(text) if len(text) <= position + _MAX_BARE else -1


def _duplicate(text: str, match: Match) -> Sequence[Span]:
    known = keys.kind_of(text[slice(*match[2])]) is not None
    return (match[1],) if known and not values.is_nothing(text[slice(*match[1])]) else ()


def _form_part(text: str, match: Match) -> Sequence[Span]:
    if keys.kind_of(text[slice(*match[1])]) is None or values.is_nothing(text[slice(*match[2])]):
        return ()
    return (match[2],)


def _is_named(text: str, match: Match) -> bool:
    name = match[1] if match[1][0] >= 0 else match[2]
    return keys.kind_of(text[slice(*name)]) is not None


def _pair(text: str, match: Match) -> Sequence[Span]:
    value = text[slice(*match[2])]
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return (match[2],) if mixed and keys.kind_of(text[slice(*match[1])]) is not None else ()


RULES = (
    Rule(
        name="sql-insert",
        replacement="[secret]",
        spreads=True,
        what="values of an `INSERT` whose column is named as a secret, also as bound parameters printed behind it",
        pattern=r"(?i)\binsert\s+(?:ignore\s+)?into\s+[^\s(]{1,128}\s*\(([^()]{1,900})\)\s*values\s*\(",
        cue=r"(?i)\binsert\s+(?:ignore\s+)?into\s",
        check=_inserted,
        examples=(
            Example(
                "INSERT INTO users (name, password) VALUES ('ann', 'hunter2')",
                "INSERT INTO users (name, password) VALUES ('ann', '[secret]')",
            ),
            Example(
                "INSERT INTO u (name, password) VALUES (?, ?)] [parameters: ('ann', 'hunter2')]",
                "INSERT INTO u (name, password) VALUES (?, ?)] [parameters: ('ann', '[secret]')]",
            ),
        ),
        counter_examples=("INSERT INTO orders (id, total) VALUES (12, '99.90')",),
    ),
    Rule(
        name="duplicate-entry",
        replacement="[secret]",
        spreads=True,
        what="MySQL's `Duplicate entry '…' for key 'users.api_token'`",
        pattern=r"Duplicate entry '([^'\n]{1,500})' for key '([^'\n]{1,128})'",
        check=_duplicate,
        examples=(
            Example(
                "Duplicate entry '9f8a7b6c' for key 'users.api_token'",
                "Duplicate entry '[secret]' for key 'users.api_token'",
            ),
        ),
        counter_examples=("Duplicate entry '81' for key 'users.PRIMARY'",),
    ),
    Rule(
        name="form-part",
        replacement="[secret]",
        spreads=True,
        what="the part of a multipart form whose name is a secret's",
        pattern=r"name=\\*\"([\w.\[\]-]{2,64})\\*\"(?:\r?\n|\\r\\n|\\n){2}([^\r\n\\]{1,900})",
        cue=r"name=\\*\"[\w.\[\]-]{2,64}\\*\"(?:\r?\n|\\r\\n|\\n)",
        check=_form_part,
        examples=(
            Example(
                'form-data; name="password"\r\n\r\nhunter2\r\n--x', 'form-data; name="password"\r\n\r\n[secret]\r\n--x'
            ),
        ),
        counter_examples=('form-data; name="comment"\r\n\r\nhello\r\n--x',),
    ),
    Rule(
        name="soap-password",
        replacement="[password]",
        spreads=True,
        what="`<wsse:Password Type=…>…</…>`: elements with attributes",
        pattern=r"(?i)<(?:[\w-]{1,32}:)?(?:password|passwd|secret|token|apikey|api-key)(?:[ \t][^<>]{0,200})?>"
        r"([^<>]{1,500})</",
        cue=r"(?i)<(?:[\w-]{1,32}:)?(?:password|passwd|secret|token|apikey|api-key)[ \t>]",
        check=group_1,
        examples=(
            Example(
                '<wsse:Password Type="PasswordText">hunter2</wsse:Password>',
                '<wsse:Password Type="PasswordText">[password]</wsse:Password>',
            ),
        ),
        counter_examples=("<label for=password>Password</label>",),
    ),
    Rule(
        name="sql-password",
        replacement="[password]",
        spreads=True,
        what="`IDENTIFIED BY '…'`, `WITH PASSWORD '…'`, `SET PASSWORD … = '…'`, `PRAGMA key = '…'` in SQL",
        pattern=r"(?i)\b(?:identified[ \t]+(?:with[ \t]+\w+[ \t]+)?by(?:[ \t]+password)?"
        r"|(?:with|encrypted)[ \t]+password|set[ \t]+password[^=\n]{0,120}="
        r"|pragma[ \t]+(?:re)?key[ \t]*=)[ \t]*N?\\*[\"']",
        check=quoted_after,
        examples=(
            Example("CREATE USER ann IDENTIFIED BY 'hunter'", "CREATE USER ann IDENTIFIED BY '[password]'"),
            Example("ALTER ROLE ann WITH PASSWORD 'hunter'", "ALTER ROLE ann WITH PASSWORD '[password]'"),
            Example("SET PASSWORD FOR 'a'@'%' = 'hunter'", "SET PASSWORD FOR 'a'@'%' = '[password]'"),
            Example(
                'GRANT ALL ON *.* TO ann IDENTIFIED BY "hunter"', 'GRANT ALL ON *.* TO ann IDENTIFIED BY "[password]"'
            ),
        ),
        counter_examples=("identified by email", "with password '' "),
    ),
    Rule(
        name="named-text",
        replacement="[secret]",
        spreads=True,
        what='`<entry key="db.password">…</entry>`, `<key>ApiKey</key><string>…</string>`',
        pattern=r"(?:\b(?:key|name|id)=\\*[\"']([\w.-]{2,80})\\*[\"'][^<>]{0,100}>"
        r"|<key>([\w.-]{2,80})</key>\s{0,20}<string>)([^<>]{1,500})</",
        cue=r"\b(?:key|name|id)=\\*[\"'][\w.-]+\\*[\"'][^<>]*>[^<>]|</key>\s*<string>",
        check=_named_text,
        examples=(
            Example('<entry key="db.password">hunter2</entry>', '<entry key="db.password">[secret]</entry>'),
            Example("<key>ApiKey</key><string>hunter2</string>", "<key>ApiKey</key><string>[secret]</string>"),
        ),
        counter_examples=('<entry key="db.host">hunter2</entry>',),
    ),
    Rule(
        name="named-element",
        replacement="[secret]",
        spreads=True,
        what='`<add key="Password" value="…"/>`, `<input name="token" value="…">`, '
        '`{"name": "DB_PASSWORD", "value": "…"}`, the same in YAML',
        pattern=r"(?i)\b(?:key|name|type|id|property)\\*[\"']?[ \t]*[:=][ \t]*\\*[\"']?([\w.-]{2,80})\\*[\"']?"
        r"(?:,\s{0,20}|\s{1,20})\\*[\"']?value\\*[\"']?[ \t]*[:=][ \t]*[\"'\\0-9A-Za-z$+/]",
        cue=r"(?i)value\\*[\"']?[ \t]*[:=]",
        check=_named_element,
        examples=(
            Example('<add key="DbPassword" value="hunter2"/>', '<add key="DbPassword" value="[secret]"/>'),
            Example('{"name": "DB_PASSWORD", "value": "hunter2"}', '{"name": "DB_PASSWORD", "value": "[secret]"}'),
            Example("- name: DB_PASSWORD\n  value: hunter2\n", "- name: DB_PASSWORD\n  value: [secret]\n"),
            Example(
                'Property: spring.datasource.password\n    Value: "hunter2"',
                'Property: spring.datasource.password\n    Value: "[secret]"',
            ),
        ),
        counter_examples=('<input type="text" value="12">', '<add key="Password" value=""/>'),
    ),
    Rule(
        name="php-serialized",
        replacement="[secret]",
        spreads=True,
        what='what PHP serialises: `s:8:"password";s:7:"…";`, in sessions `password|s:7:"…";`',
        pattern=r"(?:\bs:\d{1,4}:\\*\"([\w.-]{2,80})\\*\";|\b([\w.-]{2,80})\|)s:\d{1,6}:\\*\"",
        cue=r"[;|]s:\d{1,6}:\\*\"[^\[]",
        check=lambda text, match: quoted_after(text, match) if _is_named(text, match) else (),
        examples=(
            Example('a:1:{s:8:"password";s:7:"hunter2";}', 'a:1:{s:8:"password";s:7:"[secret]";}'),
            Example('name|s:3:"ann";token|s:7:"hunter2";', 'name|s:3:"ann";token|s:7:"[secret]";'),
        ),
        counter_examples=('a:1:{s:4:"host";s:7:"hunter2";}', 'password|s:0:"";'),
    ),
    Rule(
        name="php-argument",
        replacement="[password]",
        spreads=True,
        what="passwords among the arguments of a PHP stack trace: `PDO->__construct('mysql:…', 'shop', '…')`",
        pattern=r"(?:\b(?:PDO->__construct|PDO::connect|mysqli->(?:__construct|real_connect|connect)"
        r"|mysqli_connect|imap_open|oci_connect|odbc_connect)\('[^'\n]{0,64}', '[^'\n]{0,64}', "
        r"|\b(?:ldap_bind|ftp_login|ssh2_auth_password|mysqli_real_connect)\([^'\n]{1,64}, '[^'\n]{0,64}', "
        r"|\bpassword_(?:verify|hash)\()'([^'\n]{1,64})'",
        cue=r"(?:->(?:__construct|real_connect|connect)|::connect|_connect|imap_open|ldap_bind|ftp_login"
        r"|ssh2_auth_password|password_verify|password_hash)\([^\n]*'",
        check=group_1,
        examples=(
            Example(
                "#0 /srv/db.php(12): PDO->__construct('mysql:host=db;d...', 'shop', 'hunter2')",
                "#0 /srv/db.php(12): PDO->__construct('mysql:host=db;d...', 'shop', '[password]')",
            ),
            Example(
                "#1 /srv/a.php(3): password_verify('hunter2', NULL)",
                "#1 /srv/a.php(3): password_verify('[password]', NULL)",
            ),
        ),
        counter_examples=("#0 /srv/a.php(3): Mailer->__construct('shop', 'eu', 'fast')", "password_verify() failed"),
    ),
    Rule(
        name="pair",
        replacement="[secret]",
        spreads=True,
        what="a key and its value as .NET prints a pair: `[Password, …]`, when the value is more than letters",
        pattern=r"(?i)\[([\w.-]{0,60}(?:password|passwd|pwd|secret|token|apikey|api-key|api_key)), "
        r"([^\[\]\s,\"']{6,256})\]",
        cue=r"(?i)(?:password|passwd|pwd|secret|token|apikey|api-key|api_key), [^\[\]\s,\"']{6,256}\]",
        check=_pair,
        examples=(Example("Data: [Password, hunter2] [User, ann]", "Data: [Password, [secret]] [User, ann]"),),
        counter_examples=("fields [password, username] are missing", "[token, 81]"),
    ),
)
