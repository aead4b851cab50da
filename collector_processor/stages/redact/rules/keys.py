"""Private keys in PEM armour, also with escaped line ends (JSON) and cut off at a length limit."""

from __future__ import annotations

from collections.abc import Sequence

from collector_processor.stages.redact.rule import Example, Match, Rule, Span, compiled

MAX_BLOCK = 16384
_BODY = compiled(
    r"(?:\s|\\+[nrt]|[\"'+, ])*(?:(?:Proc-Type|DEK-Info|Version|Comment|Hash): "
    r"[^\n\\]{0,200}(?:\s|\\+[nr])+)*[0-9A-Za-z+/=]{16,}"
)
_LINES = compiled(r"(?:(?:\s|\\+[nrt]|[\"'+, ])*[0-9A-Za-z+/=]{16,})*(?:(?:\s|\\+[nrt])*[0-9A-Za-z+/]{2,}={0,2})?")
_END = compiled(r"-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----")


def _block(text: str, match: Match) -> Sequence[Span]:
    """The whole block; without an end line, as far as the base64 goes. A mention without a body stays."""
    start, end = match.span()
    window = text[end : end + MAX_BLOCK].encode("latin-1")
    body = _BODY.match(window)
    if body is None:
        return ()
    closing = _END.search(window)
    if closing is not None:
        return ((start, end + closing.end()),)
    return ((start, end + _LINES.match(window, body.end()).end()),)


RULES = (
    Rule(
        name="private-key",
        replacement="[private-key]",
        what="private key blocks in PEM armour (RSA, EC, OpenSSH, PGP, PKCS#8), whole or cut off",
        pattern=r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----",
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
)
