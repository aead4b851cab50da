"""The next hop: one OTLP/gRPC endpoint, over a connection that is made when first needed and kept.

What the hop's answer means for our client:

| the hop says                             | outcome                                                       |
|------------------------------------------|---------------------------------------------------------------|
| OK                                       | Accepted, with its partial success                            |
| INVALID_ARGUMENT, FAILED_PRECONDITION,   | BadData: it will never take this                              |
| UNIMPLEMENTED, NOT_FOUND, ALREADY_EXISTS |                                                               |
| RESOURCE_EXHAUSTED without RetryInfo     | TooLarge: its limit is smaller than ours                      |
| all else, no answer, no connection       | Retry, after the hop's own delay when it names one            |

UNKNOWN and INTERNAL are retried although the specification lets a client drop on them: grpc itself makes them of a
broken connection and of a hop that stumbles, and our client gives up by its own deadline. UNAUTHENTICATED and
PERMISSION_DENIED mean that the operator has to mend something here, not that the data is bad.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from collector_processor.otlp.exchange import (
    RETRY_SECONDS,
    Accepted,
    BadData,
    Outcome,
    Request,
    Retry,
    TelemetrySignal,
    TooLarge,
)
from collector_processor.otlp.messages import SERVICES

_NEVER: Final = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
    }
)
_OPERATOR: Final = frozenset({grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED})

log = logging.getLogger(__name__)


class Forwarder:
    """Sends requests on. ``endpoint``: ``http://host:port`` in the clear, ``https://host:port`` over TLS with the
    system's roots (or ``root_certificates``, PEM); without a port 4317. ``identity``: our key and certificate, for a
    hop that asks. ``headers``: names in lower case."""

    def __init__(
        self,
        endpoint: str,
        *,
        timeout_seconds: float,
        root_certificates: bytes | None = None,
        identity: tuple[bytes, bytes] | None = None,
        headers: Sequence[tuple[str, str]] = (),
        gzip: bool = False,
    ) -> None:
        self._target, self._secure = _target(endpoint)
        self._timeout_seconds = timeout_seconds
        self._root_certificates = root_certificates
        self._identity = identity or (None, None)
        self._headers = tuple(headers)
        self._compression = grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression
        self._channel: grpc.aio.Channel | None = None
        self._calls: dict[TelemetrySignal, Any] = {}

    async def forward(self, request: Request) -> Outcome:
        """Send a protobuf request on and wait for the answer, at most the timeout. Never raises."""
        try:
            call = self._call(request.signal)
            response = await call(request.payload, timeout=self._timeout_seconds, metadata=self._headers)
            return _accepted(request.signal, response)
        except grpc.aio.AioRpcError as error:
            if error.code() in _OPERATOR:
                log.error("the next hop %s does not let us in: %s", self._target, error.code().name)
            return _refused(error)
        except Exception as error:  # the channel is closed under us, or grpcio fails in a way of its own
            log.error("forwarding to %s failed: %s", self._target, type(error).__name__)
            return Retry("forwarding failed")

    async def aclose(self) -> None:
        """Close the connection; calls that run have the timeout to end."""
        channel, self._channel = self._channel, None
        self._calls.clear()
        if channel is not None:
            await channel.close(self._timeout_seconds)

    def _call(self, signal: TelemetrySignal) -> Any:
        call = self._calls.get(signal)
        if call is None:
            if self._channel is None:
                self._channel = self._connect()
            call = self._calls[signal] = self._channel.unary_unary(SERVICES[signal].method)
        return call

    def _connect(self) -> grpc.aio.Channel:
        options = [
            ("grpc.enable_retries", 0),  # the client of ours that waits is who retries
            ("grpc.initial_reconnect_backoff_ms", 100),
            # Two minutes by default: a hop that is back would stay unused for as long.
            ("grpc.max_reconnect_backoff_ms", 5000),
        ]
        if self._secure:
            credentials = grpc.ssl_channel_credentials(self._root_certificates, *self._identity)
            return grpc.aio.secure_channel(self._target, credentials, options, self._compression)
        return grpc.aio.insecure_channel(self._target, options, self._compression)


def _target(endpoint: str) -> tuple[str, bool]:
    scheme, separator, rest = endpoint.partition("://")
    host = rest.partition("/")[0]
    if not separator or scheme not in ("http", "https") or not host:
        raise ValueError(f"forward.endpoint: {endpoint!r}: http://host:port or https://host:port is needed")
    has_port = host.rpartition(":")[2].isdigit() and (host.count(":") == 1 or "]:" in host)
    return host if has_port else f"{host}:4317", scheme == "https"


def _accepted(signal: TelemetrySignal, response: bytes) -> Outcome:
    service = SERVICES[signal]
    try:
        partial = service.response.FromString(response).partial_success  # type: ignore[attr-defined]
    except DecodeError:
        return Accepted()  # OK is what counts; what else it said cannot be read
    return Accepted(rejected=getattr(partial, service.rejected_field), message=partial.error_message)


def _refused(error: grpc.aio.AioRpcError) -> Outcome:
    code = error.code()
    reason = f"the next hop: {code.name}: {error.details() or ''}"
    delay = _delay_of(error)
    if code in _NEVER:
        return BadData(reason)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and delay is None:
        return TooLarge(reason)
    return Retry(reason, RETRY_SECONDS if delay is None else delay)


def _delay_of(error: grpc.aio.AioRpcError) -> float | None:
    """The seconds that the hop asks to wait, from either place where RetryInfo travels."""
    for key, value in error.trailing_metadata() or ():
        try:
            if key == "google.rpc.retryinfo-bin":
                return _seconds(error_details_pb2.RetryInfo.FromString(value))
            if key == "grpc-status-details-bin":
                for detail in status_pb2.Status.FromString(value).details:
                    info = error_details_pb2.RetryInfo()
                    if detail.Unpack(info):
                        return _seconds(info)
        except (DecodeError, TypeError):
            continue
    return None


def _seconds(info: error_details_pb2.RetryInfo) -> float:
    return float(max(info.retry_delay.seconds + info.retry_delay.nanos / 1e9, 0.0))
