"""What one HTTP connection may take of the service: a descriptor, for as long as it is used.

uvicorn waits for ever for a first request, for the rest of a head and for a client that does not read its answer. A
thousand connections that say nothing would take every descriptor of the process, those of the queue and the store too.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS: Final = 30.0
"""In which a request's head must be complete, from the first byte (of a new connection: from its start)."""
STALLED_SECONDS: Final = 60.0
"""How long a client may leave its answer unread."""
MOST_CONNECTIONS: Final = 4096


def max_connections() -> int:
    """Of one server. There are three (gRPC, HTTP, API), and a quarter is left for files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(16, min(MOST_CONNECTIONS, soft // 4))


class BoundedHttp(H11Protocol):
    """uvicorn's connection, with an end. Past ``limit`` the one that has been idle longest makes room; when all are
    busy, the new one is closed."""

    limit = MOST_CONNECTIONS
    head_seconds = HEAD_SECONDS
    stalled_seconds = STALLED_SECONDS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_timer: asyncio.TimerHandle | None = None
        self._stalled_timer: asyncio.TimerHandle | None = None
        self._idle_since = self.loop.time()

    @property
    def _is_idle(self) -> bool:
        """No request is being answered (one whose head is not complete is none yet)."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(self.head_seconds, self._close)
        if len(self.connections) > self.limit:
            self._make_room()

    def _make_room(self) -> None:
        others = (one for one in self.connections if isinstance(one, BoundedHttp) and one is not self and one._is_idle)
        longest_idle = min(others, key=lambda one: one._idle_since, default=self)
        self.connections.discard(longest_idle)  # now, not when the transport comes round to it
        longest_idle._close()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._is_idle:
            self._stop_waiting_for_head()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_seconds, self._close)

    def on_response_complete(self) -> None:
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalled_timer is None:
            # Not closed but aborted: a close would wait for the client to read.
            self._stalled_timer = self.loop.call_later(self.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting_for_reader()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting_for_head()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _stop_waiting_for_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_waiting_for_reader(self) -> None:
        if self._stalled_timer is not None:
            self._stalled_timer.cancel()
            self._stalled_timer = None
