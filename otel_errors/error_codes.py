"""The catalogue of error codes: a stable word, a number, an HTTP and a gRPC status, once for each kind of error.

A code is what support, dashboards, translations and callers hold on to: it never changes, whatever class or text is
behind it. The numbers below 1000 are HTTP's and belong to the codes that are declared here; an application declares its
own from 1000 up. ``python -m otel_errors.error_codes [MODULE …]`` prints the catalogue as a Markdown table, after it
imported the modules that declare more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["ErrorCode", "ErrorCodeConflict", "catalogue", "declare", "find", "for_status", "markdown_table"]

CODE: Final = re.compile(r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*")
MAX_CODE_CHARACTERS: Final = 64
FIRST_OWN_NUMBER: Final = 1000
LAST_NUMBER: Final = 999_999

_GRPC: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    410: "NOT_FOUND",
    412: "FAILED_PRECONDITION",
    422: "INVALID_ARGUMENT",
    423: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@dataclass(frozen=True)
class ErrorCode:
    """One entry. ``str()`` of it is the code.

    >>> str(NOT_FOUND), NOT_FOUND.number, NOT_FOUND.status, NOT_FOUND.grpc_status
    ('RESOURCE-NOT-FOUND', 404, 404, 'NOT_FOUND')
    """

    code: str
    """``CHECKOUT-PAYMENT-DECLINED``: upper case words; never changed, never reused."""
    number: int
    """The same for callers that want a number. Below 1000 it is the HTTP status of one of the codes declared here."""
    status: int
    """HTTP's, 400 to 599."""
    meaning: str
    """One sentence for developers and support; users get the texts of ``otel_errors.messages``."""
    critical: bool = False
    """Errors with this code page somebody, unless the exception says otherwise."""

    @property
    def grpc_status(self) -> str:
        """The name in ``grpc.StatusCode`` that says the same as the HTTP status.

        >>> UPSTREAM_TIMEOUT.grpc_status
        'DEADLINE_EXCEEDED'
        """
        return _GRPC.get(self.status, "FAILED_PRECONDITION" if self.status < 500 else "INTERNAL")

    def __str__(self) -> str:
        return self.code


class ErrorCodeConflict(ValueError):
    """A code or number that cannot be declared: malformed, out of its range, or taken by another entry.

    >>> try:
    ...     declare("RESOURCE-NOT-FOUND", number=1404, status=404, meaning="Taken.")
    ... except ErrorCodeConflict as error:
    ...     print(error)
    code: 'RESOURCE-NOT-FOUND' is declared already, as number 404
    """


_by_code: dict[str, ErrorCode] = {}
_by_number: dict[int, ErrorCode] = {}


def declare(code: str, *, number: int, status: int, meaning: str, critical: bool = False) -> ErrorCode:
    """Add an entry; the same entry again is no conflict (modules are reloaded). Raises ``ErrorCodeConflict``, which
    names the key, the value and what is allowed.

    >>> DECLINED = declare(
    ...     "CHECKOUT-PAYMENT-DECLINED", number=1001, status=402, meaning="The bank declined the payment."
    ... )
    >>> find("CHECKOUT-PAYMENT-DECLINED") is find(1001) is DECLINED
    True
    """
    if not isinstance(number, int) or not FIRST_OWN_NUMBER <= number <= LAST_NUMBER:
        known = _by_code.get(code)
        if known is not None:
            raise ErrorCodeConflict(f"code: {code!r} is declared already, as number {known.number}")
        raise ErrorCodeConflict(
            f"number: {number!r}: a whole number from {FIRST_OWN_NUMBER} to {LAST_NUMBER} is needed"
        )
    return _declare(ErrorCode(code, number, status, meaning, critical))


def _declare(entry: ErrorCode) -> ErrorCode:
    if not isinstance(entry.code, str) or not CODE.fullmatch(entry.code) or len(entry.code) > MAX_CODE_CHARACTERS:
        raise ErrorCodeConflict(
            f"code: {entry.code!r}: upper case words joined by '-' are needed, at most {MAX_CODE_CHARACTERS} characters"
        )
    if not isinstance(entry.status, int) or not 400 <= entry.status <= 599:
        raise ErrorCodeConflict(f"status: {entry.status!r}: an HTTP status from 400 to 599 is needed")
    if not isinstance(entry.meaning, str) or not entry.meaning.strip():
        raise ErrorCodeConflict(f"meaning: {entry.meaning!r}: a sentence is needed")
    known = _by_code.get(entry.code) or _by_number.get(entry.number)
    if known == entry:
        return known
    if entry.code in _by_code:
        raise ErrorCodeConflict(f"code: {entry.code!r} is declared already, as number {_by_code[entry.code].number}")
    if entry.number in _by_number:
        raise ErrorCodeConflict(f"number: {entry.number!r} is declared already, as {_by_number[entry.number]}")
    _by_code[entry.code] = _by_number[entry.number] = entry
    return entry


def find(code: str | int) -> ErrorCode | None:
    """The entry of a code or number, or None.

    >>> find(503).code, find("NO-SUCH-CODE")
    ('SERVICE-UNAVAILABLE', None)
    """
    return _by_code.get(code) if isinstance(code, str) else _by_number.get(code)


def for_status(status: int) -> ErrorCode:
    """The entry declared here that says least wrong about an HTTP status.

    >>> str(for_status(404)), str(for_status(418)), str(for_status(507))
    ('RESOURCE-NOT-FOUND', 'VALIDATION-FAILED', 'INTERNAL-ERROR')
    """
    known = _by_number.get(status)
    if known is not None and known.status == status:
        return known
    return VALIDATION_FAILED if 400 <= status < 500 else INTERNAL_ERROR


def catalogue() -> list[ErrorCode]:
    """Every entry, by number.

    >>> [entry.number for entry in catalogue()][:3]
    [400, 401, 403]
    """
    return [_by_number[number] for number in sorted(_by_number)]


def markdown_table(entries: list[ErrorCode] | None = None) -> str:
    """The catalogue as the table of ``docs/application-errors.md``.

    >>> print(markdown_table([NOT_FOUND]))
    | code | number | HTTP | gRPC | critical | |
    |---|---|---|---|---|---|
    | `RESOURCE-NOT-FOUND` | 404 | 404 | `NOT_FOUND` | no | What was asked for does not exist. |
    <BLANKLINE>
    """
    lines = ["| code | number | HTTP | gRPC | critical | |", "|---|---|---|---|---|---|"]
    for entry in catalogue() if entries is None else entries:
        critical = "yes" if entry.critical else "no"
        cells = (f"`{entry.code}`", str(entry.number), str(entry.status), f"`{entry.grpc_status}`", critical)
        lines.append("| " + " | ".join((*cells, " ".join(entry.meaning.split()).replace("|", "\\|"))) + " |")
    return "\n".join(lines) + "\n"


def _standard(code: str, status: int, meaning: str, critical: bool = False) -> ErrorCode:
    return _declare(ErrorCode(code, status, status, meaning, critical))


VALIDATION_FAILED: Final = _standard("VALIDATION-FAILED", 400, "What was sent does not pass validation.")
AUTHENTICATION_REQUIRED: Final = _standard("AUTHENTICATION-REQUIRED", 401, "Who is asking is not known.")
ACCESS_DENIED: Final = _standard("ACCESS-DENIED", 403, "Who is asking may not do this.")
NOT_FOUND: Final = _standard("RESOURCE-NOT-FOUND", 404, "What was asked for does not exist.")
CONFLICT: Final = _standard("STATE-CONFLICT", 409, "The change does not fit the present state.")
GONE: Final = _standard("RESOURCE-GONE", 410, "What was asked for existed and was removed for good.")
UNPROCESSABLE: Final = _standard("UNPROCESSABLE-CONTENT", 422, "What was sent is well-formed and makes no sense here.")
RATE_LIMITED: Final = _standard("RATE-LIMITED", 429, "Too many requests in too short a time.")
INTERNAL_ERROR: Final = _standard("INTERNAL-ERROR", 500, "An error of the application itself.", critical=True)
BAD_GATEWAY: Final = _standard("BAD-GATEWAY", 502, "Another service gave an answer that cannot be used.")
SERVICE_UNAVAILABLE: Final = _standard(
    "SERVICE-UNAVAILABLE", 503, "The service, or one that it needs, cannot answer now.", critical=True
)
UPSTREAM_TIMEOUT: Final = _standard("UPSTREAM-TIMEOUT", 504, "Another service did not answer in time.")


def _main(modules: list[str]) -> None:
    import importlib

    # Run as a program, this module is another one than the modules that declare import.
    registry = importlib.import_module("otel_errors.error_codes")
    for module in modules:
        importlib.import_module(module)
    print(registry.markdown_table(), end="")


if __name__ == "__main__":
    import os
    import sys

    sys.path.insert(0, os.getcwd())
    _main(sys.argv[1:])
