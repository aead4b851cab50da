"""Private keys in PEM armour, also with escaped line ends (JSON) and cut off at a length limit."""

from __future__ import annotations

from collections.abc import Sequence

from collector_processor.stages.redact.pattern import Match, Pattern, Span
from collector_processor.stages.redact.rule import Example, Rule

MAX_BLOCK = 16384
_BODY = Pattern(
    r"(?:\s|\\+[nrt]|[\"'+, ])*(?:(?:Proc-Type|DEK-Info|Version|Comment|Hash): "
    r"[^\n\\]{0,200}(?:\s|\\+[nr])+)*[0-9A-Za-z+/=]{16,}"
)
_LINES = Pattern(r"(?:(?:\s|\\+[nrt]|[\"'+, ])*[0-9A-Za-z+/=]{16,})*(?:(?:\s|\\+[nrt])*[0-9A-Za-z+/]{2,}={0,2})?")
_END = Pattern(r"----[- ]END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?[- ]----")


def _block(text: str, match: Match) -> Sequence[Span]:
    """The whole block; without an end line, as far as the base64 goes. A mention without a body stays."""
    start, end = match[0]
    window = text[end : end + MAX_BLOCK].encode("latin-1")
    body = _BODY.match(window)
    if body is None:
        return ()
    closing = _END.search(window)
    if closing is not None:
        return ((start, end + closing[0][1]),)
    lines = _LINES.match(window, body[0][1])
    return ((start, end + (lines or body)[0][1]),)


_BASE64 = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/=")


def _headless(text: str, match: Match) -> Sequence[Span]:
    """What is left of a block whose beginning was cut off: the base64 in front of the end line."""
    start = end = match[0][0]
    limit = max(0, end - MAX_BLOCK)
    while start > limit:
        character = text[start - 1]
        if character in _BASE64 or character in "\r\n\t \\":
            start -= 1
        else:
            break
    body = text[start:end]
    start += len(body) - len(body.lstrip())
    return ((start, match[0][1]),) if any(len(line) >= 16 for line in body.split()) else ()


_BREAK = r"(?:\s|\\+[nr])+"
_MAC = rf"{_BREAK}Private-(?:MAC|Hash): [0-9a-f]+"

RULES = (
    Rule(
        name="private-key",
        replacement="[private-key]",
        what="private key blocks in PEM armour (RSA, EC, OpenSSH, SSH2, PGP, PKCS#8), whole or cut off",
        pattern=r"----[- ]BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?[- ]----",
        check=_block,
        examples=(
            Example(
                "key: -----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7v4\nq83x\n-----END RSA PRIVATE KEY-----\nok",
                "key: [private-key]\nok",
            ),
            Example(
                r'"pem": "-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBgkqhkiG9w0\n-----END PRIVATE KEY-----\n"',
                r'"pem": "[private-key]\n"',
            ),
            Example("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIGlRHr9z0aZ7", "[private-key]"),
        ),
        counter_examples=(
            "expected -----BEGIN PRIVATE KEY----- in key.pem",
            "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0\n-----END PUBLIC KEY-----",
            "-----BEGIN CERTIFICATE-----\nMIIDXTCCAkWgAwIBAgIJ\n-----END CERTIFICATE-----",
        ),
    ),
    Rule(
        name="private-key-end",
        replacement="[private-key]",
        what="the rest of a private key block whose beginning was cut off",
        pattern=r"-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----",
        check=_headless,
        examples=(Example("q83xMIIEowIBAAKCAQEA7v4\nq83x\n-----END RSA PRIVATE KEY-----\nok", "[private-key]\nok"),),
        counter_examples=("no -----END PRIVATE KEY----- line",),
    ),
    Rule(
        name="putty-key",
        replacement="[private-key]",
        what="the private lines of PuTTY's key files, and their MAC",
        pattern=rf"Private-Lines: \d{{1,4}}{_BREAK}([0-9A-Za-z+/=]{{16,}}(?:{_BREAK}[0-9A-Za-z+/=]{{16,}})*"
        rf"(?:{_MAC}|{_BREAK}[0-9A-Za-z+/]{{2,15}}={{0,2}}(?:{_MAC})?)?)",
        cue="Private-Lines: ",
        check=lambda text, match: (match[1],),
        examples=(
            Example(
                "Private-Lines: 1\nAAABAQCx8Gk2m5P7q9W1e3R5\nPrivate-MAC: 0123456789ab",
                "Private-Lines: 1\n[private-key]",
            ),
        ),
        counter_examples=("Private-Lines: 14",),
    ),
    Rule(
        name="jwk",
        replacement="[private-key]",
        what="the private part of a JSON Web Key: `d`, and `k` of a symmetric one",
        pattern=r"\"kty\\*\"[^{}]{0,900}?\"[dk]\\*\"[ ]?:[ ]?\\*\"([0-9A-Za-z_-]{16,900})",
        cue=r"\"kty\\*\"",
        check=lambda text, match: (match[1],),
        examples=(
            Example(
                '{"kty":"EC","crv":"P-256","d":"jpsQnnGQmL-YBIffH1136cspYG6"}',
                '{"kty":"EC","crv":"P-256","d":"[private-key]"}',
            ),
        ),
        counter_examples=('{"kty":"RSA","n":"jpsQnnGQmL-YBIffH1136cspYG6","e":"AQAB"}',),
    ),
)
