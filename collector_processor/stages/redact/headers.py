"""Values of ``Authorization`` and ``Cookie`` headers: the scheme stays, the credentials go."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector_processor.stages.redact import keys, values
from collector_processor.stages.redact.pattern import Span
from collector_processor.stages.redact.rule import vocabulary

_SCHEME = re.compile(
    r"(?:bearer|basic|token|apikey|api-key|negotiate|ntlm|splunk|key|jwt|ssws"
    r"|(digest|aws4-hmac-sha256|oauth|signature|hawk|hmac[\w-]*))[ \t:=]+",
    re.ASCII | re.IGNORECASE,
)
"""Group 1: schemes whose credentials are a list up to the end of the line; after the others stands one token."""
_CREDENTIAL = re.compile(r"[^\s\"'`,;&<>(){}\[\]\\]+")
_LIST = re.compile(r"(?:[\w-]{1,64}=(?:\\*\"[^\"\n\\]*\\*\"|[^\s,\"']+)[, \t]*)+", re.ASCII)
_OTHER_SCHEME = re.compile(r"[A-Za-z][A-Za-z-]{2,30}[ \t]+(\[[a-z-]+\]|(?=\S*\d)[^\s\"',;]{8,})")
_PAIR = re.compile(r"[^\s=;,\"']{1,128}=[^\s;,\"']+")


_SCHEMES = vocabulary(
    "bearer basic token apikey api-key negotiate ntlm digest oauth oauth1 oauth2 hawk kerberos saml ldap mtls"
)


def is_scheme(value: str) -> bool:
    """A scheme without credentials: they are missing, or somebody says which scheme is meant."""
    return value.strip(" :,;.").lower() in _SCHEMES


def header(text: str, position: int, kind: str, limit: int | None = None) -> Sequence[Span] | None:
    """What goes of the value that begins at ``position`` (and ends at ``limit``, when that is known).

    The credentials after the scheme of an ``Authorization``, or all cookies; None when the value is no such header's.
    """
    if kind == keys.COOKIE:
        if _PAIR.match(text, position, position + 512) is None:
            return None
        line = values.rest_of_line(text, position)
        return ((line.start, line.end),)
    bracket = 1 if text[position] == "[" else 0  # Go prints header values as lists
    known = min(limit or len(text), position + 2048)
    scheme = _SCHEME.match(text, position + bracket, known)
    if scheme is None:
        other = _OTHER_SCHEME.match(text, position + bracket, known)
        if other is None:
            return None
        return () if other[1][0] == "[" and values.is_mask(other[1]) else (other.span(1),)
    start = scheme.end()
    if scheme[1] is None:
        credential = _CREDENTIAL.match(text, start, known)
        end = credential.end() if credential is not None else start
    else:
        pairs = _LIST.match(text, start, known)
        end = limit if limit is not None else max(values.rest_of_line(text, start).end, pairs.end() if pairs else 0)
    inside = text[start:end].rstrip(".,;")
    if len(inside) < 4 or values.is_nothing(inside) or values.is_word(inside):
        return ()
    return ((start, start + len(inside)),)
