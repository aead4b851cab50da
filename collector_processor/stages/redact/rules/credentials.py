"""Secrets by the name of their key: keyword arguments, JSON, YAML, headers, query strings, environment dumps, command lines, reprs, XML.

One pattern shape finds a key and its separator; what follows is judged in ``values.py``. The same keys, as attribute keys, take the whole value.
"""

from __future__ import annotations

from collections.abc import Sequence

from collector_processor.stages.redact import keys, values
from collector_processor.stages.redact.rule import WORD, Check, Example, Match, Rule, Span, compiled, vocabulary
from collector_processor.stages.redact.source_lines import on_source_line

_KEY = r"[0-9A-Za-z_.$\xc0-\xff-]*"
_CLOSING = r"(?:\\*[\"'`])?"
_ASSIGN = r"(?:[ \t]*(?:=>|[:=]{1,2}|%3[AaDd])|\][ \t]*=>?)"
_IS = r"[ \t]+(?:is|was|IS|WAS)[ \t]*:?[ \t]"
_TUPLE = r"\\*[\"'],[ \t]*b?\\*[\"']"

# Where a key is not a carrier by what stands before it: ``unexpected token: …``.
_PARSER_WORDS = vocabulary("unexpected expected unknown illegal next syntax lexer near current last bad")
_SCHEME = compiled(
    r"(?i)(?:bearer|basic|token|apikey|api-key|negotiate|ntlm|digest|aws4-hmac-sha256|oauth|signature|hawk|splunk|key|jwt|ssws|hmac[\w-]*)[ \t:=]+"
)
_ONE_TOKEN_SCHEMES = (
    "bearer",
    "basic",
    "token",
    "apikey",
    "api-key",
    "negotiate",
    "ntlm",
    "splunk",
    "key",
    "jwt",
    "ssws",
)
_CREDENTIAL = compiled(r"[0-9A-Za-z._~+/=:%|-]+")
_PAIR = compiled(r"[^\s=;,\"']{1,128}=[^\s;,\"']+")
_CLI_PROSE = vocabulary("option options flag flags argument arguments parameter parameters instead must needs required")


def _pattern(kind: str) -> str:
    key = rf"{_KEY}(?i:{keys.pattern_of(kind)})"
    return rf"({key})(?:{_CLOSING}{_ASSIGN}|{_IS}|{_TUPLE}|>)|(-{key})[ \t]+"


def _cue(kind: str) -> str:
    return rf"(?i:{keys.pattern_of(kind)})(?:{_CLOSING}{_ASSIGN}|{_IS}|{_TUPLE}|>|[ \t])"


def _carried(kind: str) -> Check:
    """The check of the rule for one kind of key."""

    def check(text: str, match: Match) -> Sequence[Span]:
        command_line = match.span(2)[0] >= 0
        key_start, key_end = match.span(2 if command_line else 1)
        key = text[key_start:key_end]
        if keys.kind_of(key) != kind:
            return ()
        separator = text[key_end : match.end()]
        position = match.end()
        if separator == ">":
            return _element(text, key_start, position)
        if "," in separator:  # ("authorization", "…"): the pattern has taken the opening quote
            return _header_tuple(text, key, key_start, position, kind)
        if separator.endswith("::"):
            return ()
        while position < len(text) and text[position] in " \t":
            position += 1
        if position == len(text):
            return ()
        value = values.quoted(text, position)
        if value is not None:
            return _spans(text, value, kind)
        if on_source_line(text, match.start()):
            return ()
        if kind in (keys.AUTHORIZATION, keys.COOKIE):
            header = _header(text, position, kind)
            if header is not None:
                return header
        if kind == keys.AUTHORIZATION and not key.lower().endswith("authorization"):
            return ()  # a bare "auth" says too little: only with quotes or a scheme
        value = values.unquoted(text, position)
        if _is_unquoted_secret(text, value, kind, separator, key_start, command_line):
            return ((value.start, value.end),)
        return ()

    return check


def _spans(text: str, value: values.Value, kind: str) -> Sequence[Span]:
    inside = text[value.start : value.end]
    if values.is_nothing(inside) or values.is_sentence(inside) or not _fits(inside, kind):
        return ()
    if kind == keys.AUTHORIZATION:
        header = _header(text, value.start, kind, value.end)
        return header if header is not None else ((value.start, value.end),)
    return ((value.start, value.end),)


def _fits(value: str, kind: str) -> bool:
    """What a value of this kind at least looks like."""
    if kind == keys.PIN:
        return value.isdigit() and 3 <= len(value) <= 8
    if kind == keys.SSN:
        digits = value.replace("-", "").replace(" ", "").replace(".", "")
        return digits.isdigit() and len(digits) == 9
    if kind == keys.AUTHORIZATION:
        return len(value) >= 6
    return any(character in WORD for character in value)


def _is_unquoted_secret(
    text: str, value: values.Value, kind: str, separator: str, key_start: int, command_line: bool
) -> bool:
    inside = text[value.start : value.end]
    if values.is_nothing(inside) or not _fits(inside, kind) or values.is_reference(inside, kind):
        return False
    if inside[0] in "({[<" or inside[:2] == "--":
        return False
    if kind == keys.TOKEN and (len(inside) < 6 or _word_before(text, key_start) in _PARSER_WORDS):
        return False  # positions and counts; what a parser met
    if kind == keys.PASSWORD and len(inside) < 4 and inside.isdigit():
        return False  # "pass: 3, fail: 2"
    if command_line:
        return inside[0] != "-" and not (
            values.is_word(inside) and (inside.lower() in _CLI_PROSE or _more_words(text, value.end))
        )
    mark = separator.strip(" \t\\\"'`]")
    if mark == "==":
        return False  # a comparison
    if mark[:2].lower() in ("is", "wa"):
        return len(inside) >= 5 and any(c.isdigit() for c in inside) and any(c.isalpha() for c in inside)
    if (
        values.is_type(inside)
        and (mark == ":" or _is_default(text, value.end))
        and (inside in _TYPE_NAMES or "[" in inside or "<" in inside)
    ):
        return False
    if mark == ":" and (values.is_word(inside) or inside.isdigit()):
        return not _more_words(text, value.end)
    return True


_TYPE_NAMES = vocabulary("String Str SecretStr Any Bool Boolean Bytes Int Integer Long Object Text Token Password Secret Buffer Uint8Array")


def _is_default(text: str, end: int) -> bool:
    return text[end : end + 3].lstrip(" ").startswith("=")


def _more_words(text: str, end: int) -> bool:
    """Whether the sentence goes on: a blank and a letter or a quote after the value."""
    after = text[end + 1 : end + 2]
    return text[end : end + 1] in (" ", "\t") and (after.isalpha() or after in ("'", '"', "`"))


def _word_before(text: str, start: int) -> str:
    head = text[max(0, start - 24) : start].rstrip(" \t'\"`")
    at = len(head)
    while at and head[at - 1].isalpha():
        at -= 1
    return head[at:].lower()


def _element(text: str, key_start: int, position: int) -> Sequence[Span]:
    """``<password>…</password>``."""
    if text[key_start - 1 : key_start] != "<":
        return ()
    end = text.find("<", position, position + values.MAX_VALUE)
    if end <= position or text[end : end + 2] != "</" or values.is_nothing(text[position:end]):
        return ()
    return ((position, end),)


def _header_tuple(text: str, key: str, key_start: int, position: int, kind: str) -> Sequence[Span]:
    """``("x-api-key", "…")``: only pairs in brackets whose first is a header's name; ``["password", "email"]`` lists names."""
    opening = text[max(0, key_start - 4) : key_start].rstrip("\\\"'b")
    if not opening.endswith(("(", "[")) or (kind not in (keys.AUTHORIZATION, keys.COOKIE) and "-" not in key):
        return ()
    value = values.quoted(text, position - 1)
    return _spans(text, value, kind) if value is not None else ()


def _header(text: str, position: int, kind: str, limit: int | None = None) -> Sequence[Span] | None:
    """The credentials of an ``Authorization`` value after its scheme, or all cookies; None when the value is no header's."""
    if kind == keys.COOKIE:
        if _PAIR.match(text[position : position + 512].encode("latin-1")) is None:
            return None
        line = values.rest_of_line(text, position)
        return ((line.start, line.end),)
    bracket = 1 if text[position] == "[" else 0  # Go prints header values as lists
    window = text[position + bracket : min(limit or len(text), position + 2048)].encode("latin-1")
    scheme = _SCHEME.match(window)
    if scheme is None:
        return None
    start = position + bracket + scheme.end()
    if window[: scheme.end()].lower().startswith(tuple(name.encode() for name in _ONE_TOKEN_SCHEMES)):
        credential = _CREDENTIAL.match(window, scheme.end())
        end = start + (credential.end() - scheme.end() if credential is not None else 0)
    else:
        end = limit if limit is not None else values.rest_of_line(text, start).end
    inside = text[start:end].rstrip(".,;")
    if len(inside) < 4 or values.is_nothing(inside) or values.is_word(inside):
        return ()
    return ((start, start + len(inside)),)


def _rule(
    name: str, replacement: str, what: str, examples: Sequence[Example], counter_examples: Sequence[str]
) -> Rule:
    return Rule(
        name=name,
        replacement=replacement,
        what=what,
        pattern=_pattern(name),
        cue=_cue(name),
        check=_carried(name),
        keys=tuple(sorted(keys.WORDS[name])),
        examples=tuple(examples),
        counter_examples=tuple(counter_examples),
    )


RULES = (
    _rule(
        keys.AUTHORIZATION,
        "[authorization]",
        "`Authorization` values under their key: after a scheme that is kept (Bearer, Basic, Digest …) or alone",
        (
            Example("Authorization: Bearer 9f8a7b6c5d4e", "Authorization: Bearer [authorization]"),
            Example('{"Authorization": "Basic dXNlcjpwYXNz"}', '{"Authorization": "Basic [authorization]"}'),
            Example(
                "curl -H 'authorization: token 0a1b2c3d4e5f' https://api",
                "curl -H 'authorization: token [authorization]' https://api",
            ),
            Example(
                "map[Authorization:[Bearer 0a1b2c3d4e5f] Accept:[*/*]]",
                "map[Authorization:[Bearer [authorization]] Accept:[*/*]]",
            ),
            Example("(b'authorization', b'Bearer 0a1b2c3d4e5f')", "(b'authorization', b'Bearer [authorization]')"),
            Example('"auth": "dXNlcjpwYXNzd29yZA=="', '"auth": "[authorization]"'),
            Example("Bearer 9f8a7b6c5d4e", "[authorization]", "http.request.header.authorization"),
        ),
        (
            "Authorization failed for user 12",
            "authorization: required",
            "author=Ann",
            "auth: Bearer realm",
            'missing header "Authorization"',
            "Unsupported authorization scheme: Digest",
        ),
    ),
    _rule(
        keys.COOKIE,
        "[cookie]",
        "`Cookie` and `Set-Cookie` headers and session ids that are cookies (`JSESSIONID`, `PHPSESSID`, `connect.sid`)",
        (
            Example("Cookie: sid=31d4d96e; theme=dark", "Cookie: [cookie]"),
            Example("'Set-Cookie': 'sid=31d4d96e; Path=/'", "'Set-Cookie': '[cookie]'"),
            Example("/cart;JSESSIONID=1A530637289A03B0", "/cart;JSESSIONID=[cookie]"),
            Example("sid=31d4d96e", "[cookie]", "http.request.header.cookie"),
        ),
        ("session_id 81 has ended", "cookie: expired", "Cookies are disabled", "session.id=7f3e"),
    ),
    _rule(
        keys.PASSWORD,
        "[password]",
        "values under a key whose last word is password, passwd, pwd, pass, passphrase … in every notation",
        (
            Example("login(user='ann', password='s3cr3t!')", "login(user='ann', password='[password]')"),
            Example('{"dbPassword": "hunter2", "port": 5432}', '{"dbPassword": "[password]", "port": 5432}'),
            Example('body={\\"password\\":\\"hunter2\\"}', 'body={\\"password\\":\\"[password]\\"}'),
            Example("DB_PASSWORD=p@ss,word HOME=/root", "DB_PASSWORD=[password] HOME=/root"),
            Example(
                "POST /login?user=ann&password=hunter2&next=%2F", "POST /login?user=ann&password=[password]&next=%2F"
            ),
            Example("mysqldump --password hunter2 shop", "mysqldump --password [password] shop"),
            Example(
                "Server=db;User Id=sa;Password=S3cr3t;Timeout=3", "Server=db;User Id=sa;Password=[password];Timeout=3"
            ),
            Example("<Password>hunter2</Password>", "<Password>[password]</Password>"),
            Example("User(name=ann, password=hunter2)", "User(name=ann, password=[password])"),
            Example("my password is hunter2 and", "my password is [password] and"),
            Example('Config { password: Some("hunter2") }', 'Config { password: Some("[password]") }'),
            Example("[password] => hunter2", "[password] => [password]"),
            Example("hunter2", "[password]", "db.password"),
        ),
        (
            "invalid password",
            "password must be 8 characters",
            "password: must be at least 8 characters",
            '{"password": ["This field is required."]}',
            "password=None",
            "def login(user: str, password: str) -> Session:",
            '  File "auth.py", line 3, in login\n    authenticate(user, password=password)\nValueError',
            "connect(password=settings.DB_PASSWORD)",
            "password=***** host=db",
            "PASSWORD=${DB_PASSWORD}",
            "password_file=/run/secrets/db",
            "passed=12 failed=3",
            "Wrong password: try again",
            "the password is incorrect",
        ),
    ),
    _rule(
        keys.TOKEN,
        "[token]",
        "values under a key whose last word is token (access, refresh, csrf, auth …) or jwt; not paging tokens",
        (
            Example("GET /feed?token=a81fd0c2e9&page=2", "GET /feed?token=[token]&page=2"),
            Example('{"access_token":"a81fd0c2e9","expires_in":3600}', '{"access_token":"[token]","expires_in":3600}'),
            Example("X-Auth-Token: a81fd0c2e9", "X-Auth-Token: [token]"),
            Example("deploy --token=a81fd0c2e9", "deploy --token=[token]"),
        ),
        (
            "token expired",
            "SyntaxError: Unexpected token: punctuation",
            "Unexpected token } in JSON at position 4",
            "max_tokens=4096",
            "token_type=bearer",
            "nextToken=AAAAB3Nz",
            "invalid token: signature has expired",
            "token=get_token(request)",
        ),
    ),
    _rule(
        keys.SECRET,
        "[secret]",
        "values under a key whose last word is secret or credentials",
        (
            Example("client_secret=8Kq~v91", "client_secret=[secret]"),
            Example('"clientSecret" : "8Kq~v91"', '"clientSecret" : "[secret]"'),
        ),
        ("secret not found: db-main", "secretName: db-main", 'kubernetes secret "db-main" not found'),
    ),
    _rule(
        keys.KEY,
        "[key]",
        "values under a key that ends in API key, access key, secret key, account key, private key …",
        (
            Example("X-Api-Key: 7f3e9a", "X-Api-Key: [key]"),
            Example('aws_secret_access_key = "wJalr/XUtnFEMI+K7"', 'aws_secret_access_key = "[key]"'),
            Example("--softlayer-api-key abcd1234", "--softlayer-api-key [key]"),
            Example(
                "AccountName=shop;AccountKey=Eby8vdM02xNOcqF==;EndpointSuffix=core",
                "AccountName=shop;AccountKey=[key];EndpointSuffix=core",
            ),
            Example("7f3e9a", "[key]", "x-api-key"),
        ),
        (
            "KeyError: 'api_key'",
            "primary_key=81",
            "public_key: ssh-ed25519 AAAAC3",
            "cache key: user:81",
            "Invalid API key",
        ),
    ),
    _rule(
        keys.PIN,
        "[pin]",
        "3 to 8 digits under a key PIN, OTP, CVV, CVC or security code",
        (Example("cvv=737&pan=", "cvv=[pin]&pan="), Example('"pin": "4821"', '"pin": "[pin]"')),
        ("status_code=404", "pin: none", "error code: 1234", "country_code=49"),
    ),
)
