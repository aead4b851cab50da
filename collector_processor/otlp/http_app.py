"""OTLP over HTTP as a plain ASGI application: ``POST /v1/traces``, ``/v1/logs``, ``/v1/metrics``.

It only speaks HTTP: reads the body within its limits, hands a ``Request`` to the handler, writes the outcome. Errors
that HTTP itself has (no such path, method or media type) are plain text; every other error is ``google.rpc.Status`` in
the encoding of the request.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from collector_processor.otlp.access_log import AccessLog
from collector_processor.otlp.admission import Admission
from collector_processor.otlp.content_encoding import (
    SUPPORTED,
    BodyTooLarge,
    BrokenBody,
    UnsupportedEncoding,
    check_encoding,
    decompress,
)
from collector_processor.otlp.cors import Headers
from collector_processor.otlp.exchange import BadData, Encoding, Handler, Outcome, Refusal, Request, Retry, TooLarge
from collector_processor.otlp.ingest_keys import IngestKey
from collector_processor.otlp.messages import SIGNAL_OF_PATH
from collector_processor.otlp.status import CONTENT_TYPES, to_http

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_SECONDS: Final = 30.0
"""In which a body must have arrived: a client that dribbles would hold its part of the buffer for ever."""
_ON_LOOP_BYTES: Final = 512 * 1024
"""After decompression, which takes two milliseconds; what turns out larger starts again in a thread."""
_DECOMPRESSING: Final = 2
"""At once in threads: each may hold twice the limit of a request, and no byte of that is in flight yet."""

_ENCODING_OF_MEDIA_TYPE: Final[dict[str, Encoding]] = {name: encoding for encoding, name in CONTENT_TYPES.items()}

log = logging.getLogger(__name__)


class Disconnected(Exception):
    """The client went away before its request was complete."""


class OtlpHttp:
    """The application. ``max_buffered_bytes`` bounds the bodies of all requests that are still arriving."""

    def __init__(
        self,
        handler: Handler,
        *,
        max_request_bytes: int,
        admission: Admission | None = None,
        max_buffered_bytes: int | None = None,
        body_seconds: float = BODY_SECONDS,
        access: AccessLog | None = None,
    ) -> None:
        self._handler = handler
        self._max_request_bytes = max_request_bytes
        self._max_buffered_bytes = max_buffered_bytes if max_buffered_bytes is not None else 4 * max_request_bytes
        self._body_seconds = body_seconds
        self._buffered_bytes = 0
        self._decompressing = asyncio.Semaphore(_DECOMPRESSING)
        self._admission = admission or Admission()
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        origins = self._admission.origins
        cors = origins.headers(headers.get(b"origin"))
        signal = SIGNAL_OF_PATH.get(scope["path"])
        if signal is None:
            await _plain(send, 404, f"not found; {', '.join(SIGNAL_OF_PATH)} are here", cors)
            return
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            allowed = origins.preflight(headers.get(b"origin"), headers.get(b"access-control-request-headers"))
            if allowed is None:
                await _plain(send, 403, "this origin may not send", cors)
            else:
                await _respond(send, 204, allowed, b"")
            return
        if scope["method"] != "POST":
            await _plain(send, 405, "the method must be POST", [*cors, (b"allow", b"POST")])
            return
        media_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
        encoding = _ENCODING_OF_MEDIA_TYPE.get(media_type)
        if encoding is None:
            allowed_types = " or ".join(CONTENT_TYPES.values())
            await _plain(send, 415, f"the content type must be {allowed_types}", cors)
            return
        try:
            content_encoding = check_encoding(headers.get(b"content-encoding", b"").decode("latin-1"))
        except UnsupportedEncoding as error:
            answer = to_http(signal, BadData(str(error)), encoding)
            accept = (b"accept-encoding", ", ".join(SUPPORTED).encode())
            await _respond(send, 415, [*answer.headers, *cors, accept], answer.body)
            return

        began = time.perf_counter()
        texts = _texts(headers)
        key: IngestKey | None = None
        size = 0

        async def handle() -> Outcome:
            nonlocal key, size
            admitted = self._admission.admit(signal, texts, "http")
            if isinstance(admitted, Refusal):
                if b"expect" not in headers:
                    await self._discard(receive)
                return admitted
            key = admitted
            body = await self._read(receive, headers)
            if not isinstance(body, bytes):
                return body
            try:
                body = await self._decompressed(body, content_encoding)
            except BodyTooLarge as error:
                return TooLarge(str(error))
            except BrokenBody as error:
                return BadData(str(error))
            size = len(body)
            request = Request(signal=signal, payload=body, encoding=encoding, peer=_peer(scope), headers=texts)
            return self._admission.take(signal, key, size) or await self._handler(request)

        try:
            outcome = await handle()
        except Disconnected:
            return
        except Exception as error:
            # Clients drop what a 500 answers; nothing that goes wrong in here is a reason for that.
            log.error("an OTLP/HTTP request failed inside the service: %s", type(error).__name__)
            outcome = Retry("the service failed on this request")
        if self._access is not None:
            took = time.perf_counter() - began
            self._access.write(f"http/{encoding}", signal, _peer(scope), key, size, outcome, took)
        answer = to_http(signal, outcome, encoding)
        await _respond(send, answer.status, [*answer.headers, *cors], answer.body)

    async def _read(self, receive: Receive, headers: dict[bytes, bytes]) -> bytes | Outcome:
        """The body as sent, or why it was not taken. Raises ``Disconnected``."""
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length[:20]) > self._max_request_bytes:
            if b"expect" not in headers:  # who asks before sending needs no more than the answer
                await self._discard(receive)
            return self._too_large()
        try:
            return await asyncio.wait_for(self._buffer(receive), self._body_seconds)
        except asyncio.TimeoutError:
            return Retry(f"the body did not arrive within {self._body_seconds:g} seconds")

    async def _decompressed(self, body: bytes, content_encoding: str) -> bytes:
        """On the loop when little comes out; 12 KB may stand for 64 MiB, which take a second. Raises what
        ``decompress`` raises."""
        limit = self._max_request_bytes
        short = min(limit, _ON_LOOP_BYTES)
        if len(body) <= short:
            try:
                return decompress(body, content_encoding, short)
            except BodyTooLarge:
                if short == limit:
                    raise
        if not content_encoding:
            return body
        async with self._decompressing:
            return await asyncio.to_thread(decompress, body, content_encoding, limit)

    async def _buffer(self, receive: Receive) -> bytes | Outcome:
        pieces: list[bytes] = []
        size = 0
        try:
            while True:
                piece, more = await _piece(receive)
                size += len(piece)
                self._buffered_bytes += len(piece)
                if size > self._max_request_bytes:
                    pieces.clear()
                    await self._discard(receive)
                    return self._too_large()
                if self._buffered_bytes > self._max_buffered_bytes:
                    return Retry("too many requests are arriving at once")
                pieces.append(piece)
                if not more:
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        finally:
            self._buffered_bytes -= size

    async def _discard(self, receive: Receive) -> None:
        """Read on for a while without keeping anything: a client that is still sending sees no answer, only a broken
        connection, and would send the whole again."""

        async def drain() -> None:
            size, more = 0, True
            while more and size <= self._max_request_bytes:
                piece, more = await _piece(receive)
                size += len(piece)

        try:
            await asyncio.wait_for(drain(), self._body_seconds)
        except asyncio.TimeoutError:
            pass

    def _too_large(self) -> TooLarge:
        return TooLarge(f"a request may have {self._max_request_bytes} bytes (otlp.max_request_bytes)")


async def _piece(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] != "http.request":
        raise Disconnected
    return message.get("body", b""), message.get("more_body", False)


async def _plain(send: Send, status: int, text: str, headers: Headers) -> None:
    content_type = (b"content-type", b"text/plain; charset=utf-8")
    await _respond(send, status, [content_type, *headers], text.encode() + b"\n")


async def _respond(send: Send, status: int, headers: Headers, body: bytes) -> None:
    if status != 204:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return f"{client[0]}:{client[1]}" if client else ""


def _texts(headers: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
