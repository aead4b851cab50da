"""The answer over gRPC to an error: ``google.rpc.Status`` with its details, and trailers. Pure.

Written byte by byte: eight small messages need neither generated code nor a dependency of the application.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from otel_errors.handled import REFERENCE_HEADER, Handled

__all__ = ["accept_language", "details_of", "trailers_of"]

Trailer = tuple[str, str | bytes]

DETAILS_KEY: Final = "grpc-status-details-bin"
MAX_DETAILS_BYTES: Final = 4096
"""All trailers together may have 8 KiB by default."""
_TYPES: Final = "type.googleapis.com/google.rpc."


def details_of(handled: Handled, number: int, domain: str = "") -> bytes:
    """``google.rpc.Status``: the status ``number``, the text for the user, ``ErrorInfo``, ``LocalizedMessage``, and
    where there is something to say ``RequestInfo`` (the reference), ``RetryInfo`` and ``BadRequest`` (fields).

    >>> from otel_errors.app_errors import ConflictError
    >>> from otel_errors.handler import ErrorHandler
    >>> details = details_of(ErrorHandler().handle(ConflictError("row version 3")), 10)
    >>> b"STATE_CONFLICT" in details, b"row version" in details
    (True, False)
    """
    status = _number(1, number) + _text(2, handled.message)
    metadata = {"code": handled.code, "error_code": str(handled.error.error_code)}
    info = _text(1, handled.code.replace("-", "_")) + _text(2, domain)
    info += b"".join(_message(3, _text(1, key) + _text(2, value)) for key, value in metadata.items())
    details = [
        _any("ErrorInfo", info),
        _any("LocalizedMessage", _text(1, handled.language) + _text(2, handled.message)),
    ]
    if handled.reference:
        details.append(_any("RequestInfo", _text(1, handled.reference)))
    if handled.retry_after is not None:
        details.append(_any("RetryInfo", _message(1, _number(1, handled.retry_after))))
    status += b"".join(details)
    return status + _bad_request(handled, MAX_DETAILS_BYTES - len(status) - 64)


def trailers_of(handled: Handled, number: int, domain: str = "") -> list[Trailer]:
    """The details, and the reference and the seconds to wait for clients that do not read those.

    >>> from otel_errors.app_errors import RateLimitError
    >>> from otel_errors.handler import ErrorHandler
    >>> trailers = dict(trailers_of(ErrorHandler().handle(RateLimitError(retry_after=3)), 8))
    >>> sorted(trailers), trailers["retry-after"]
    (['grpc-status-details-bin', 'retry-after', 'support-reference'], '3')
    """
    trailers: list[Trailer] = [(DETAILS_KEY, details_of(handled, number, domain))]
    if handled.reference:
        trailers.append((REFERENCE_HEADER.lower(), handled.reference))
    if handled.retry_after is not None:
        trailers.append(("retry-after", str(handled.retry_after)))
    return trailers


def _bad_request(handled: Handled, room: int) -> bytes:
    errors = handled.problem().get("errors")
    violations = b""
    for one in errors if isinstance(errors, list) else ():
        if isinstance(one, dict):
            violation = _message(1, _text(1, str(one.get("field", ""))) + _text(2, str(one.get("detail", ""))))
            if len(violations) + len(violation) > room:
                break
            violations += violation
    return _any("BadRequest", violations) if violations else b""


def _any(kind: str, message: bytes) -> bytes:
    """An element of ``Status.details``."""
    return _message(3, _text(1, _TYPES + kind) + _message(2, message))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value) if value else b""


def _text(field: int, value: str) -> bytes:
    return _message(field, value.encode("utf-8", "replace")) if value else b""


def _message(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def accept_language(metadata: Iterable[tuple[str, str | bytes]] | None) -> str | None:
    """Of the call's metadata.

    >>> accept_language([("user-agent", "shop/1"), ("accept-language", "de")])
    'de'
    """
    for key, value in metadata or ():
        if key == "accept-language" and isinstance(value, str):
            return value
    return None
