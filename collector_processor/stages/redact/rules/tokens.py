"""Tokens that show their issuer by their form: a format a line; most need no check beyond standing alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from collector_processor.stages.redact.rule import Check, Example, Match, Rule, Span, compiled, stands_alone


def _alone(glue: str) -> Check:
    def check(text: str, match: Match) -> Sequence[Span]:
        start, end = match.span()
        return ((start, end),) if stands_alone(text, start, end, glue) else ()

    return check


_ALONE = _alone("")
_ALONE_BASE64 = _alone("-")

_MAX_HEADER = 2048
_BASE64URL = compiled(r"[0-9A-Za-z_=-]+")


def _jwt(text: str, match: Match) -> Sequence[Span]:
    """The first segment must decode to a JSON object."""
    start, end = match.span()
    if start and (text[start - 1].isalnum() or text[start - 1] in "_-"):
        return ()
    header = text[start : min(text.index(".", start, end), start + _MAX_HEADER)]
    try:
        decoded = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except (ValueError, RecursionError):
        return ()
    return ((start, end),) if isinstance(decoded, dict) and decoded else ()


def _bearer(text: str, match: Match) -> Sequence[Span]:
    """Prose goes on with a word ("bearer token required"); a token has digits, or is long and mixes cases."""
    start, end = match.span(1)
    value = text[start:end].rstrip(".=")
    mixed = any(c.isdigit() for c in value) or (len(value) >= 20 and value.lower() != value and value.upper() != value)
    return ((start, end),) if mixed and len(value) >= 8 else ()


def _basic(text: str, match: Match) -> Sequence[Span]:
    """Only what decodes to ``user:password``."""
    start, end = match.span(1)
    value = text[start:end].rstrip("=")
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        return ()
    return ((start, end),) if b":" in decoded else ()


def _issued(
    name: str,
    replacement: str,
    issuer: str,
    pattern: str,
    example: str,
    check: Check = _ALONE,
    counter_examples: Sequence[str] = (),
) -> Rule:
    return Rule(
        name=name,
        replacement=replacement,
        what=issuer,
        pattern=pattern,
        check=check,
        examples=(Example(f"rejected {example}, status 401", f"rejected {replacement}, status 401"),),
        counter_examples=(f"the form is {example[:10]}", *counter_examples),
    )


# Secret scanners refuse repositories that hold such texts, so the examples are put together here.
_R = "0123456789abcdefABCDEF"
_R40 = (_R * 2)[:40]

RULES = (
    Rule(
        name="jwt",
        replacement="[jwt]",
        what="JSON Web Tokens, signed, unsigned or encrypted: the header decodes to a JSON object",
        pattern=r"eyJ[0-9A-Za-z_=-]{4,}\.[0-9A-Za-z_=-]{4,}(?:\.[0-9A-Za-z_=-]*){0,3}",
        check=_jwt,
        examples=(
            Example(
                "bad jwt eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVP-mB92K27uhbUJU",
                "bad jwt [jwt]",
            ),
        ),
        counter_examples=("eyJAAAA.eyJBBB", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"),
    ),
    Rule(
        name="bearer",
        replacement="[token]",
        what="what follows `Bearer` outside a header, when it is no word",
        pattern=r"(?i:\bbearer)(?:[ \t]+|%20)([0-9A-Za-z._~+/=-]{8,})",
        check=_bearer,
        examples=(Example("got Bearer 9f8a7b6c5d4e from client", "got Bearer [token] from client"),),
        counter_examples=("bearer authentication is required", "Bearer token expired"),
    ),
    Rule(
        name="basic",
        replacement="[credentials]",
        what="what follows `Basic` when it decodes to `user:password`",
        pattern=r"(?i:\bbasic)[ \t]+([0-9A-Za-z+/]{6,}={0,2})",
        check=_basic,
        examples=(Example("sent Basic dXNlcjpwYXNz", "sent Basic [credentials]"),),
        counter_examples=("basic authentication failed", "Basic constraints"),
    ),
    _issued(
        "aws-key-id",
        "[aws-key]",
        "AWS access key ids",
        r"(?:A3T[0-9A-Z]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}",
        "AKIA" + "Z234567ABCDEFGHI",
    ),
    _issued(
        "github-token",
        "[github-token]",
        "GitHub tokens",
        r"(?:gh[oprsu]_[0-9A-Za-z]{36,255}|github_pat_\w{22,255})",
        "ghp_" + _R40[:36],
    ),
    _issued(
        "gitlab-token",
        "[gitlab-token]",
        "GitLab tokens: personal, deploy, runner, agent, CI, OAuth …",
        r"(?:gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|oas|ffct|wt)|gloas)-[\w-]{20,255}|GR1348941[\w-]{20,50}",
        "glpat-" + _R[:20],
        check=_ALONE_BASE64,
    ),
    _issued(
        "slack-token",
        "[slack-token]",
        "Slack tokens",
        r"xox[abceoprs](?:-\d+)?-[0-9A-Za-z-]{10,250}|xapp-\d-[0-9A-Za-z-]{10,250}",
        "xoxb-" + "123456789012-" + _R,
    ),
    _issued(
        "slack-webhook",
        "[webhook]",
        "Slack webhook addresses",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/[0-9A-Za-z/_-]{20,100}",
        "hooks.slack.com/services/" + "T00000000/B00000000/" + _R,
    ),
    _issued(
        "stripe-key",
        "[stripe-key]",
        "Stripe secret and restricted keys, webhook secrets",
        r"(?:[rs]k_(?:live|test)_[0-9A-Za-z]{10,247}|whsec_[0-9A-Za-z+/=]{24,100})",
        "sk_live_" + _R,
    ),
    _issued(
        "openai-key",
        "[api-key]",
        "OpenAI and Anthropic keys",
        r"sk-(?:proj-|svcacct-|admin-|ant-)?[0-9A-Za-z_-]{20,250}",
        "sk-" + _R40,
        check=_ALONE_BASE64,
    ),
    _issued(
        "google-key",
        "[google-key]",
        "Google API keys and OAuth access tokens",
        r"AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{20,250}",
        "AIza" + _R40[:35],
        check=_ALONE_BASE64,
    ),
    _issued(
        "pypi-token",
        "[pypi-token]",
        "PyPI upload tokens",
        r"pypi-AgE[0-9A-Za-z_-]{40,500}",
        "pypi-AgE" + _R40,
        check=_ALONE_BASE64,
    ),
    _issued("npm-token", "[npm-token]", "npm access tokens", r"npm_[0-9A-Za-z]{36}", "npm_" + _R40[:36]),
    _issued(
        "sendgrid-key",
        "[sendgrid-key]",
        "SendGrid keys",
        r"SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{39,50}",
        "SG." + _R + "." + (_R40 + "xyz"),
    ),
    _issued(
        "discord-token",
        "[discord-token]",
        "Discord bot tokens: an id in base64, a time stamp, a signature",
        r"[MNO][0-9A-Za-z_-]{23,25}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27,40}",
        "MTk4NjIyNDgzNDcxOTI1MjQ4" + ".Cl2FMQ." + "ZnCjm1XVW7vRze4b7Cq4se7kKWs",
        check=_ALONE_BASE64,
    ),
    _issued(
        "telegram-token",
        "[telegram-token]",
        "Telegram bot tokens",
        r"\d{8,10}:AA[0-9A-Za-z_-]{33}",
        "123456789:AA" + _R40[:33],
        check=_ALONE_BASE64,
    ),
)
