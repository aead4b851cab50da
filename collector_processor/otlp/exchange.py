"""What passes between the servers, the pipeline and the next hop: a request in, an outcome out.

An outcome says what became of the data, in the terms that decide what the client does next (keep it, send it again,
drop it). ``status.py`` is the one place that knows which code each wire protocol has for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal

import msgspec

TelemetrySignal = Literal["traces", "logs", "metrics"]
Encoding = Literal["protobuf", "json"]

RETRY_SECONDS: Final = 1.0
"""The delay that a ``Retry`` asks for when nobody knows better: short, exporters give up after ten seconds."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One export request as it came off the wire."""

    signal: TelemetrySignal
    payload: bytes
    """Decompressed, in ``encoding``."""
    encoding: Encoding = "protobuf"
    peer: str = ""
    """Who sent it, as the transport names it; for logs."""
    headers: Mapping[str, str] = {}
    """HTTP headers or gRPC metadata, names in lower case."""

    def __repr__(self) -> str:
        # Neither telemetry nor an ingest key may reach a log through a careless %r.
        return f"Request({self.signal}, {self.encoding}, {len(self.payload)} bytes)"


class Accepted(msgspec.Struct, frozen=True):
    """The data is where it should be. ``rejected`` items are not, or ``message`` is a warning (a partial success)."""

    rejected: int = 0
    message: str = ""


class Retry(msgspec.Struct, frozen=True):
    """Not now: the client should send the same request again after ``delay_seconds``."""

    reason: str
    delay_seconds: float = RETRY_SECONDS
    too_many: bool = False
    """This client is over a limit of its own (429 over HTTP), where others may be served."""


class BadData(msgspec.Struct, frozen=True):
    """Never: this request cannot be read or will not be taken; sending it again is of no use."""

    reason: str


class TooLarge(msgspec.Struct, frozen=True):
    """Never in this size: smaller requests are welcome."""

    reason: str


class Unauthenticated(msgspec.Struct, frozen=True):
    """Never without a key that is known here."""

    reason: str


class Forbidden(msgspec.Struct, frozen=True):
    """Never with this key from there."""

    reason: str


Refusal = Retry | BadData | TooLarge | Unauthenticated | Forbidden
Outcome = Accepted | Refusal
Handler = Callable[[Request], Awaitable[Outcome]]
