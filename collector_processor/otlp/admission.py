"""Who gets in, decided from the head of a request: before a byte of its body is read where the protocol allows that."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal

from collector_processor.otlp.cors import AllowedOrigins
from collector_processor.otlp.exchange import Forbidden, Refusal, Retry, TelemetrySignal, Unauthenticated
from collector_processor.otlp.ingest_keys import IngestKey, KeyRing
from collector_processor.otlp.token_bucket import TokenBuckets

MEMORY_LOOK_SECONDS: Final = 0.1
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")

Transport = Literal["grpc", "http"]


class Admission:
    """``keys``: None when nobody needs one. ``max_memory_bytes``: of this process; past that the answer is "retry".
    ``refused(signal, reason)`` counts."""

    def __init__(
        self,
        *,
        keys: KeyRing | None = None,
        cors_origins: Iterable[str] = (),
        max_memory_bytes: int | None = None,
        key_bytes: TokenBuckets | None = None,
        refused: Callable[[TelemetrySignal, str], None] = lambda signal, reason: None,
        resident_bytes: Callable[[], int] | None = None,
    ) -> None:
        self._keys = keys
        self._configured = tuple(cors_origins)
        self._max_memory = max_memory_bytes
        self._key_bytes = key_bytes
        self._refused = refused
        self._resident = resident_bytes or _resident_bytes
        self._memory = 0
        self._memory_looked = 0.0
        self._origins = AllowedOrigins([*self._configured, *self._origins_of_keys()])
        self._seen_change = keys.changed if keys is not None else 0

    @property
    def origins(self) -> AllowedOrigins:
        """The configured origins and those of the browser keys, as they are now."""
        keys = self._keys
        if keys is not None:
            origins = self._origins_of_keys()
            if keys.changed != self._seen_change:
                self._seen_change = keys.changed
                self._origins = AllowedOrigins([*self._configured, *origins])
        return self._origins

    def admit(
        self, signal: TelemetrySignal, headers: Mapping[str, str], transport: Transport
    ) -> Refusal | IngestKey | None:
        """Why not; or the key that opened, None where none is needed. ``headers``: names in lower case."""
        if self._max_memory is not None and self._memory_now() > self._max_memory:
            self._refused(signal, "memory")
            return Retry("the service has no memory to spare (otlp.limits.memory_bytes)")
        if self._keys is None:
            return None
        key = self._keys.find(headers.get("authorization", ""))
        if key is None:
            self._refused(signal, "unauthenticated")
            return Unauthenticated("an ingest key is needed: Authorization: Bearer KEY")
        if key.kind == "browser" and (transport != "http" or headers.get("origin", "").lower() not in key.origins):
            self._refused(signal, "forbidden")
            return Forbidden("this key is for the pages of its own origins")
        return key

    def take(self, signal: TelemetrySignal, key: IngestKey | None, size: int) -> Retry | None:
        """A "retry" when ``key`` has sent more bytes than it may for now."""
        if key is None or self._key_bytes is None:
            return None
        wait = self._key_bytes.take(key.digest, size)
        if wait <= 0:
            return None
        self._refused(signal, "key_limit")
        return Retry("the ingest key sends too much (otlp.limits.key_bytes_per_second)", wait, too_many=True)

    def _origins_of_keys(self) -> list[str]:
        return [origin for key in self._keys.keys for origin in key.origins] if self._keys is not None else []

    def _memory_now(self) -> int:
        now = time.monotonic()
        if now - self._memory_looked >= MEMORY_LOOK_SECONDS:
            self._memory_looked, self._memory = now, self._resident()
        return self._memory


def _resident_bytes() -> int:
    """Of this process; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0
