"""Which browsers may send: origins by exact comparison.

Comparing by prefix, suffix or pattern is how ``https://shop.example.attacker.test`` gets in, so there is none, and
``*`` is refused: the ingest key would be worth nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.\-]*://(?:[a-z0-9._\-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?\Z")
_HEADER_NAMES: Final = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~\- ,]{1,1000}\Z")
_DEFAULT_HEADERS: Final = b"content-type, content-encoding, authorization"

Headers = list[tuple[bytes, bytes]]


class AllowedOrigins:
    """The configured origins. Raises ``ValueError`` for one that is none."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._allowed = frozenset(checked_origin(origin) for origin in origins)

    def headers(self, origin: bytes | None) -> Headers:
        """What every response to a request of that ``Origin`` carries; nothing for origins that may not send."""
        if not self._allowed:
            return []
        # A cache must not hand the answer for one origin to another.
        headers: Headers = [(b"vary", b"Origin")]
        if origin is not None and origin in self._allowed:
            headers.append((b"access-control-allow-origin", origin))
            headers.append((b"access-control-expose-headers", b"Retry-After"))
        return headers

    def preflight(self, origin: bytes | None, requested_headers: bytes | None) -> Headers | None:
        """The headers of a preflight's answer, or None when this origin may not send."""
        if origin is None or origin not in self._allowed:
            return None
        # SDKs may be told to send headers of the operator's own; whom we trust to send data we trust to name those.
        names = requested_headers if requested_headers and _HEADER_NAMES.match(requested_headers) else _DEFAULT_HEADERS
        return [
            (b"vary", b"Origin, Access-Control-Request-Headers"),
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-methods", b"POST"),
            (b"access-control-allow-headers", names),
            (b"access-control-max-age", b"7200"),
        ]


def checked_origin(origin: str, key: str = "otlp.http.cors_origins") -> bytes:
    """As a browser sends it. Raises ``ValueError`` for what is no origin; ``key``: where it stands."""
    normal = origin.strip().rstrip("/").lower()
    if not _ORIGIN.match(normal):
        raise ValueError(f"{key}: {origin!r} is not an origin: scheme://host[:port] is needed, exactly")
    return normal.encode()
