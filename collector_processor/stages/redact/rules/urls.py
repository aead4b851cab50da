"""Credentials inside addresses: ``scheme://user:password@host`` and its relatives. Scheme, user and host stay."""

from __future__ import annotations

from collections.abc import Sequence

from collector_processor.stages.redact import values
from collector_processor.stages.redact.pattern import Match, Pattern, Span
from collector_processor.stages.redact.rule import Example, Rule

MAX_URL = 4096
_BREAK = Pattern(r"[\s\"'`<>]")
_HOST_AFTER = Pattern(r"@[0-9A-Za-z\[][0-9A-Za-z._:\[\]-]*(?:[/?#,;)\]}.]|\z|\\)")


def _userinfo(text: str, match: Match) -> Sequence[Span]:
    start = match[0][1]
    limit = min(len(text), start + MAX_URL)
    window = text[start:limit].encode("latin-1")
    stop = _BREAK.search(window)
    end = stop[0][0] if stop is not None else len(window)
    authority_end = min(
        (at for at in (window.find(mark, 0, end) for mark in (b"/", b"?", b"#")) if at >= 0), default=end
    )
    at = window.rfind(b"@", 0, authority_end)
    colon = window.find(b":", 0, authority_end)
    has_port = at < 0 and _is_port(window[colon + 1 : authority_end])
    if colon >= 0 and not has_port and (at < 0 or (colon < at and not _has_web_path(text, match))):
        at = max(at, _late_host(window, authority_end, end))  # a password that holds a raw "/", "?" or "#"
    if at < 0:
        return ()
    if not 0 <= colon < at:
        # No password: a user stays, a token in its place (https://TOKEN@host) does not.
        user = text[start : start + at]
        return ((start, start + at),) if len(user) >= 20 and user.isalnum() and not user.isalpha() else ()
    password = text[start + colon + 1 : start + at]
    if values.is_mask(password):
        return ()
    return ((start + colon + 1, start + at),)


def _has_web_path(text: str, match: Match) -> bool:
    """Paths of web addresses may hold an "@"; those of databases and brokers do not."""
    return text[match[0][0] : match[0][1]].lower().endswith(("http://", "https://", "ws://", "wss://", "ftp://"))


def _is_port(digits: bytes) -> bool:
    return not digits or digits.isdigit()


def _late_host(window: bytes, position: int, end: int) -> int:
    at = window.find(b"@", position, end)
    while at >= 0:
        if window[at - 1 : at] != b"/" and _HOST_AFTER.match(window, at, end) is not None:
            return at
        at = window.find(b"@", at + 1, end)
    return -1


def _group(text: str, match: Match) -> Sequence[Span]:
    start, end = match[1]
    return () if values.is_mask(text[start:end]) else ((start, end),)


RULES = (
    Rule(
        name="url-password",
        replacement="[password]",
        spreads=True,
        what="the password in `scheme://user:password@host`, a token in place of the user",
        pattern=r"[A-Za-z][0-9A-Za-z+.-]*://",
        cue=r"://[^\s\"'`<>]*@",
        check=_userinfo,
        examples=(
            Example("postgresql://shop:s3cr3t@db:5432/shop", "postgresql://shop:[password]@db:5432/shop"),
            Example("redis://:s3cr3t@cache:6379/0", "redis://:[password]@cache:6379/0"),
            Example("postgres://shop:p@ss/w0rd@db/shop", "postgres://shop:[password]@db/shop"),
            Example(
                "mongodb+srv://ann:p%40ss@c0.example.net/?w=majority",
                "mongodb+srv://ann:[password]@c0.example.net/?w=majority",
            ),
            Example("https://0123456789abcdef0123@git.example.com/x", "https://[password]@git.example.com/x"),
        ),
        counter_examples=(
            "http://localhost:5000/<%= @variable %>",
            "https://packages.example.org:443/@babel/core",
            "https://url:8000 @something else",
            "ssh://git@github.com/org/repo",
            "postgresql://shop@db:5432/shop",
            "render@https://cdn.example.com:8443/app.js:1:2",
            "postgresql://shop:***@db:5432/shop",
            "postgresql://{user}:{password}@{host}",
        ),
    ),
    Rule(
        name="dsn-password",
        replacement="[password]",
        spreads=True,
        what="the password in `user:password@tcp(host)` (Go, MySQL) and `jdbc:oracle:thin:user/password@`",
        pattern=r"(?:\b[\w.-]+:|\bthin:[\w.-]+/)([^\s\"'`@/]+)@(?:tcp|unix|cloudsql|//|\w[\w.-]*:\d+[:/])",
        cue=r"@(?:tcp|unix|cloudsql)\(|\bthin:",
        check=lambda text, match: _group(text, match) if _is_dsn(text, match) else (),
        examples=(
            Example("shop:s3cr3t@tcp(db:3306)/shop", "shop:[password]@tcp(db:3306)/shop"),
            Example("jdbc:oracle:thin:scott/t1ger@//db:1521/x", "jdbc:oracle:thin:scott/[password]@//db:1521/x"),
        ),
        counter_examples=("jdbc:oracle:thin:@//db:1521/x", "fn@tcp(db)"),
    ),
    Rule(
        name="url-signature",
        replacement="[token]",
        spreads=True,
        what="the signature of a signed address (`?Signature=…`): whoever has it has what it signs",
        pattern=r"(?i)[?&](?:signature|hmac|x-[a-z]{2,8}-signature)=([0-9A-Za-z%+/=_~.-]{16,700})",
        check=_group,
        examples=(
            Example(
                "GET /o?Expires=17&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D",
                "GET /o?Expires=17&Signature=[token]",
            ),
        ),
        counter_examples=("?signature=missing", "signature=(self, name: str, value: str)"),
    ),
    Rule(
        name="function-key",
        replacement="[key]",
        spreads=True,
        what="the key in an address of Azure Functions (`azurewebsites.net/…?code=…`)",
        pattern=r"\bazurewebsites\.net/[^\s\"'<>]{0,400}?[?&]code=([0-9A-Za-z%+/=_-]{20,300})",
        cue=r"azurewebsites\.net/",
        check=_group,
        examples=(
            Example(
                "POST https://shop.azurewebsites.net/api/pay?code=0aB1cD2eF3gH4iJ5kL6mN7oP== 500",
                "POST https://shop.azurewebsites.net/api/pay?code=[key] 500",
            ),
        ),
        counter_examples=("https://shop.azurewebsites.net/api/pay?code=404",),
    ),
    Rule(
        name="encoded-url-password",
        replacement="[password]",
        spreads=True,
        what="the same in a URL-encoded address: `https%3A%2F%2Fuser%3Apassword%40host`",
        pattern=r"%3[Aa]%2[Ff]%2[Ff][^\s&%\"']{0,128}%3[Aa]([^\s&\"'/]{1,256}?)%40",
        cue=r"%3[Aa]%2[Ff]%2[Ff]",
        check=_group,
        examples=(
            Example("next=https%3A%2F%2Fann%3As3cr3t%40host%2Fx", "next=https%3A%2F%2Fann%3A[password]%40host%2Fx"),
        ),
        counter_examples=("next=https%3A%2F%2Fhost%3A8443%2Fx",),
    ),
)


def _is_dsn(text: str, match: Match) -> bool:
    return text.startswith(("tcp(", "unix(", "cloudsql("), match[1][1] + 1) or text.startswith("thin:", match[0][0])
