"""Both gRPC servers with real calls of all four shapes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2

from otel_errors.app_errors import RateLimitError, ValidationError
from otel_errors.handler import ErrorHandler
from otel_errors.middleware.grpc_aio import ErrorInterceptor
from otel_errors.middleware.grpc_status import MAX_DETAILS_BYTES, details_of, trailers_of
from tests.otel_errors.conftest import INSTRUMENT
from tests.otel_errors.middleware.applications.shop import INTERNAL
from tests.otel_errors.middleware.conftest import Lookup
from tests.otel_errors.middleware.serving import APPLICATIONS, KeepingReceiver, instrumented
from tests.otel_errors.receiver import Record
from tests.waiting import PATIENCE_SECONDS

SHAPES = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
CASES = ("unknown", "missing", "invalid", "busy", "down", "trailers", "abort")


@dataclass
class Ended:
    """How a call ended."""

    code: grpc.StatusCode
    text: str
    trailers: dict[str, Any]
    messages: list[bytes]

    @property
    def reference(self) -> str:
        return str(self.trailers.get("support-reference", ""))

    def detail(self, kind: type[Any]) -> Any:
        status = status_pb2.Status.FromString(self.trailers["grpc-status-details-bin"])
        found = [one for one in status.details if one.Is(kind.DESCRIPTOR)]
        if not found:
            return None
        message = kind()
        found[0].Unpack(message)
        return message


@dataclass
class Ran:
    ended: dict[tuple[str, str, str], Ended] = field(default_factory=dict)
    """By server, shape and case."""
    errors: list[Record] = field(default_factory=list)
    payloads: list[tuple[str, bytes]] = field(default_factory=list)
    err: str = ""


def call(channel: grpc.Channel, shape: str, case: str, *, language: str = "en", method: str = "") -> Ended:
    request: Any = iter([case.encode()]) if shape.startswith("stream") else case.encode()
    rpc = getattr(channel, shape)(f"/shop.Shop/{method or shape}")
    messages: list[bytes] = []
    try:
        answer = rpc(request, timeout=PATIENCE_SECONDS, metadata=[("accept-language", language)])
        for message in answer if shape.endswith("stream") else ():
            messages.append(message)
    except grpc.RpcError as error:
        trailers = dict(error.trailing_metadata() or ())
        return Ended(error.code(), error.details(), trailers, messages)
    raise AssertionError(f"{shape} {case}: no error")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    home = tmp_path_factory.mktemp("grpc")
    receiver = KeepingReceiver()
    ran = Ran()
    with (home / "err").open("w+b") as err:
        child = subprocess.Popen(
            [INSTRUMENT, sys.executable, str(APPLICATIONS / "grpc_app.py")],
            env=instrumented(receiver.port, ("grpc_server", "grpc_aio_server")),
            cwd=home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
        )
        try:
            assert child.stdout is not None
            ports = child.stdout.readline().split()
            assert len(ports) == 2, (home / "err").read_text()
            for server, port in zip(("sync", "aio"), ports, strict=True):
                with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                    for shape in SHAPES:
                        for case in CASES:
                            ran.ended[server, shape, case] = call(channel, shape, case)
                    ran.ended[server, "unary_unary", "german"] = call(channel, "unary_unary", "german", language="de")
                    if server == "sync":
                        ran.ended[server, "unary_unary", "closed"] = call(
                            channel, "unary_unary", "closed", method="closed"
                        )
            child.communicate(timeout=PATIENCE_SECONDS)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
            receiver.stop()
    ran.errors, ran.payloads = receiver.errors, receiver.payloads
    ran.err = (home / "err").read_text()
    return ran


EXPECTED = {
    "unknown": grpc.StatusCode.INTERNAL,
    "missing": grpc.StatusCode.NOT_FOUND,
    "invalid": grpc.StatusCode.INVALID_ARGUMENT,
    "busy": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "down": grpc.StatusCode.UNAVAILABLE,
    "trailers": grpc.StatusCode.INTERNAL,
    "abort": grpc.StatusCode.NOT_FOUND,
}
both = pytest.mark.parametrize("server", ["sync", "aio"])


@both
@pytest.mark.parametrize("shape", SHAPES)
def test_status_text_and_what_was_sent_before(ran: Ran, server: str, shape: str) -> None:
    for case, code in EXPECTED.items():
        ended = ran.ended[server, shape, case]
        assert ended.code is code, case
        assert ended.messages == ([b"first"] if shape.endswith("stream") else [])
        assert INTERNAL not in ended.text + repr(ended.trailers)
    assert ran.ended[server, shape, "missing"].text.startswith("We could not find what you asked for.")
    unknown = ran.ended[server, shape, "unknown"]
    assert unknown.text.endswith(f"Reference: {unknown.reference}")


@both
@pytest.mark.parametrize("shape", SHAPES)
def test_details_say_it_to_programs(ran: Ran, server: str, shape: str) -> None:
    down = ran.ended[server, shape, "down"]
    info = down.detail(error_details_pb2.ErrorInfo)
    assert (info.reason, info.domain) == ("SERVICE_UNAVAILABLE", "shop")
    assert dict(info.metadata) == {"code": "SERVICE-UNAVAILABLE", "error_code": "503"}
    assert down.detail(error_details_pb2.RequestInfo).request_id == down.reference != ""
    assert down.detail(error_details_pb2.RetryInfo).retry_delay.seconds == 5
    assert down.trailers["retry-after"] == "5"
    invalid = ran.ended[server, shape, "invalid"].detail(error_details_pb2.BadRequest)
    assert [(one.field, one.description) for one in invalid.field_violations] == [("age", "<b>Too low.</b>")]
    assert ran.ended[server, shape, "missing"].detail(error_details_pb2.BadRequest) is None
    assert ran.ended[server, shape, "trailers"].trailers["shop"] == "open"


@both
def test_the_language_of_the_call(ran: Ran, server: str) -> None:
    german = ran.ended[server, "unary_unary", "german"]
    assert german.detail(error_details_pb2.LocalizedMessage).locale == "de"
    assert german.text.startswith("Bei uns ist etwas schiefgegangen."), german.text


@both
def test_an_abort_of_the_application_is_left_alone(ran: Ran, server: str) -> None:
    for shape in SHAPES:
        ended = ran.ended[server, shape, "abort"]
        assert (ended.text, ended.trailers) == ("the framework's own", {})


def test_one_error_each_under_the_reference_of_the_answer(ran: Ran) -> None:
    by_reference: dict[str, set[str]] = {}
    for record in ran.errors:
        by_reference.setdefault(str(record.attributes["otel_errors.support_reference"]), set()).add(record.event_id)
        assert record.attributes["otel_errors.mechanism"] == "grpc"
    references = {key: ended.reference for key, ended in ran.ended.items() if key[2] != "abort"}
    assert set(by_reference) == set(references.values())
    assert len(by_reference) == len(references) == 2 * 4 * 6 + 3
    assert all(len(ids) == 1 for ids in by_reference.values())
    for record in ran.errors:
        case = str(record.attributes["exception.message"]).partition(":")[0]
        severity = {"down": "critical", "missing": "low", "invalid": "low", "busy": "low"}.get(case)
        assert record.attributes.get("otel_errors.severity") == severity, case
        assert record.attributes["otel_errors.handled"] is (severity == "low")
        assert record.trace_id


def test_the_reference_finds_the_event(ran: Ran, lookup: Lookup) -> None:
    lookup.send(ran.payloads)
    events = {str(record.attributes["otel_errors.support_reference"]): record for record in ran.errors}
    for (_, shape, case), ended in ran.ended.items():
        if shape == "unary_unary" and case != "abort":
            found = lookup.find(ended.reference)
            assert found["event_id"] == events[ended.reference].event_id


def test_one_log_line_each(ran: Ran) -> None:
    for key, ended in ran.ended.items():
        if key[2] != "abort":
            assert ran.err.count(f"(reference {ended.reference})") == 1, key
    assert "Exception calling application" not in ran.err
    assert "Unexpected [" not in ran.err


async def test_the_other_kinds_of_methods_of_an_asyncio_server() -> None:
    def fails(request: bytes, context: Any) -> bytes:
        raise RateLimitError(INTERNAL, retry_after=3)

    def streams(request: bytes, context: Any) -> Iterator[bytes]:
        yield b"first"
        raise RateLimitError(INTERNAL, retry_after=3)

    async def writes(request: bytes, context: Any) -> None:
        await context.write(b"first")
        raise RateLimitError(INTERNAL, retry_after=3)

    def aborts(request: bytes, context: Any) -> bytes:
        context.abort(grpc.StatusCode.NOT_FOUND, "the framework's own")
        raise AssertionError

    async def ended(channel: grpc.aio.Channel, method: str) -> tuple[list[bytes], Any]:
        received: list[bytes] = []
        try:
            if method in ("streams", "writes"):
                async for message in channel.unary_stream(f"/shop.Shop/{method}")(b"", timeout=PATIENCE_SECONDS):
                    received.append(message)
            else:
                await channel.unary_unary(f"/shop.Shop/{method}")(b"", timeout=PATIENCE_SECONDS)
        except grpc.RpcError as error:
            return received, error
        raise AssertionError(method)

    server = grpc.aio.server(interceptors=[ErrorInterceptor()])
    calls = {
        "fails": grpc.unary_unary_rpc_method_handler(fails),
        "streams": grpc.unary_stream_rpc_method_handler(streams),
        "writes": grpc.unary_stream_rpc_method_handler(writes),
        "aborts": grpc.unary_unary_rpc_method_handler(aborts),
    }
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.Shop", calls)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            for method in calls:
                received, error = await ended(channel, method)
                assert INTERNAL not in error.details()
                assert received == ([b"first"] if method in ("streams", "writes") else [])
                if method == "aborts":
                    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "the framework's own")
                else:
                    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
                    assert dict(error.trailing_metadata())["retry-after"] == "3"
    finally:
        await server.stop(None)


def test_details_stay_within_what_trailers_may_have() -> None:
    errors = {f"field {number}": ["x" * 400] * 8 for number in range(64)}
    handled = ErrorHandler("shop").handle(ValidationError("bad", field_errors=errors, user_message="y" * 500))
    details = details_of(handled, 3, "shop")
    assert 2048 < len(details) <= MAX_DETAILS_BYTES
    assert status_pb2.Status.FromString(details).code == 3
    assert sum(len(key) + len(value) for key, value in trailers_of(handled, 3)) < 8192
