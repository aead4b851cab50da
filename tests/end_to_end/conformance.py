"""The rows of docs/conformance.md: what a client may do to the OTLP ports, and what it is answered.

``python -m tests.end_to_end.conformance`` writes the table; test_conformance.py runs each row against a real process.
"""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import httpx

from collector_processor.otlp.messages import SERVICES
from tests.collector_processor.otlp import telemetry
from tests.collector_processor.otlp.wire import bytes_field
from tests.end_to_end.processor import Processor

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
LIMIT = 64 * 1024 * 1024
SECONDS = 90.0


Send = Callable[[Processor], str]


class Row(NamedTuple):
    """``send`` gives the answer as words: an HTTP status, a gRPC code, or what became of the connection."""

    name: str
    protocol: str
    answer: str
    send: Send


def post(path: str = "/v1/traces", *, content: bytes, method: str = "POST", **headers: str) -> Send:
    """One HTTP request; underscores in the names of headers stand for dashes."""
    named = {
        name.replace("_", "-"): value for name, value in {"content_type": PROTOBUF["content-type"], **headers}.items()
    }

    def send(processor: Processor) -> str:
        with httpx.Client(base_url=f"http://{processor.http}", trust_env=False, timeout=SECONDS) as client:
            return str(client.request(method, path, content=content, headers=named).status_code)

    return send


def call(payload: bytes, method: str = SERVICES["traces"].method, **more: Any) -> Send:
    """One gRPC call with these bytes."""

    def send(processor: Processor) -> str:
        options = [("grpc.max_send_message_length", -1)]
        with grpc.insecure_channel(processor.grpc, options=options) as channel:
            try:
                channel.unary_unary(method)(payload, timeout=SECONDS, wait_for_ready=True, **more)
            except grpc.RpcError as error:
                return str(error.code().name)  # type: ignore[attr-defined]
        return "OK"

    return send


def as_json(**span: Any) -> bytes:
    """A request of one span with an error."""
    attributes = [{"key": "exception.type", "value": {"stringValue": "ValueError"}}]
    full = {
        "traceId": telemetry.TRACE_ID.hex(),
        "spanId": telemetry.SPAN_ID.hex(),
        "name": "GET /cart",
        "startTimeUnixNano": str(telemetry.NOW),
        "events": [{"name": "exception", "timeUnixNano": str(telemetry.NOW), "attributes": attributes}],
        **span,
    }
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [full]}]}]}).encode()


def span(**fields: Any) -> Send:
    """One HTTP request of one span as JSON."""
    return post(content=as_json(**fields), content_type=JSON["content-type"])


def gzip_bomb() -> bytes:
    """10 MB that stand for 10 GB: the same flushed block of zeros again and again."""
    stream = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = stream.compress(bytes(1024)) + stream.flush(zlib.Z_FULL_FLUSH)
    block = stream.compress(bytes(16 * 1024 * 1024)) + stream.flush(zlib.Z_FULL_FLUSH)
    return head + block * 640


def zstd_bomb() -> bytes:
    """320 KB that stand for 10 GB: 80,000 blocks of one byte repeated 128 KiB times."""
    frame_header = b"\x28\xb5\x2f\xfd" + b"\x00" + b"\x58"  # no content size; a window of 2 MiB
    block = ((128 * 1024) << 3 | 1 << 1).to_bytes(3, "little") + b"\x00"
    return frame_header + block * 80_000


def deep_json(depth: int) -> bytes:
    value = b'{"arrayValue":{"values":[' * depth + b"]}}" * depth
    return b'{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":' + value + b"}]}}]}"


def deep_protobuf(depth: int) -> bytes:
    value = b""
    for _ in range(depth):
        value = bytes_field(5, bytes_field(1, value))  # AnyValue.array_value.values
    return bytes_field(1, bytes_field(1, bytes_field(1, bytes_field(1, b"a") + bytes_field(2, value))))


def half_closed(processor: Processor) -> str:
    """A body that ends in its middle, the reading side left open: the server must let go, and say nothing untrue."""
    host, port = processor.http.split(":")
    with socket.create_connection((host, int(port)), SECONDS) as connection:
        head = (
            "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 100\r\n\r\n"
        )
        connection.sendall(head.encode() + b"half")
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(1000)
    return "closed" if not answer else answer.split()[1].decode()


def half_of_http2(processor: Processor) -> str:
    """The preface of HTTP/2, settings, and a frame that never ends."""
    host, port = processor.grpc.split(":")
    with socket.create_connection((host, int(port)), SECONDS) as connection:
        connection.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]) + bytes([0, 1, 0, 1, 4])
        )
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(SECONDS)
        while connection.recv(1000):
            pass
    return "closed"


ERROR = telemetry.traces_with_error()
NOT_UTF8 = bytes_field(1, bytes_field(1, bytes_field(1, bytes_field(1, b"\xff"))))
JSON_TYPE = JSON["content-type"]

DEFLATED = post(content=zlib.compress(ERROR), content_encoding="deflate")
CHARSET = post(content=as_json(), content_type=f"{JSON_TYPE}; charset=utf-8")
LARGEST = str(2**64 - 1)


def bomb(processor: Processor) -> str:
    return post(content=gzip_bomb(), content_encoding="gzip")(processor)


ROWS = [
    Row("a request of spans, uncompressed", "HTTP", "200", post(content=ERROR)),
    Row("gzip", "HTTP", "200", post(content=gzip.compress(ERROR), content_encoding="gzip")),
    Row("deflate", "HTTP", "200", DEFLATED),
    Row("an empty request", "HTTP", "200", post(content=b"")),
    Row("gzip cut short", "HTTP", "400", post(content=gzip.compress(ERROR)[:-9], content_encoding="gzip")),
    Row("no gzip at all", "HTTP", "400", post(content=ERROR, content_encoding="gzip")),
    Row("gzip: 10 MB that stand for 10 GB", "HTTP", "413", bomb),
    Row("zstd: 320 KB that stand for 10 GB", "HTTP", "413", post(content=zstd_bomb(), content_encoding="zstd")),
    Row("one byte over 64 MiB", "HTTP", "413", lambda p: post(content=bytes(LIMIT + 1))(p)),
    Row("an encoding that is not known", "HTTP", "415", post(content=ERROR, content_encoding="br")),
    Row("another media type", "HTTP", "415", post(content=ERROR, content_type="text/plain")),
    Row("no media type", "HTTP", "415", post(content=ERROR, content_type="")),
    Row("a media type with a charset", "HTTP", "200", CHARSET),
    Row("another path", "HTTP", "404", post("/v1/trace", content=ERROR)),
    Row("a path with a slash at its end", "HTTP", "404", post("/v1/traces/", content=ERROR)),
    Row("GET", "HTTP", "405", post(content=b"", method="GET")),
    Row("protobuf cut short", "HTTP", "400", post(content=ERROR[:-3])),
    Row("JSON as protobuf", "HTTP", "400", post(content=as_json())),
    Row("text that is not UTF-8, in protobuf", "HTTP", "400", post(content=NOT_UTF8)),
    Row("text that is not UTF-8, in JSON", "HTTP", "400", post(content=b'{"a":"\xff"}', content_type=JSON_TYPE)),
    Row("values 10,000 deep, in JSON", "HTTP", "400", post(content=deep_json(10_000), content_type=JSON_TYPE)),
    Row("values 10,000 deep, in protobuf", "HTTP", "400", post(content=deep_protobuf(10_000))),
    Row("ids in hexadecimal, upper case", "HTTP", "200", span(traceId="AB" * 16)),
    Row("ids in base64", "HTTP", "400", span(traceId="q83vASNFZ4k=")),
    Row("64-bit numbers as texts", "HTTP", "200", span(endTimeUnixNano=LARGEST)),
    Row("64-bit numbers as numbers", "HTTP", "200", span(endTimeUnixNano=2**64 - 1)),
    Row("a number over 64 bits", "HTTP", "400", span(endTimeUnixNano=2**64)),
    Row("the name of an enum value", "HTTP", "400", span(kind="SPAN_KIND_SERVER")),
    Row("a field that is not known", "HTTP", "200", span(newer={"a": [1]})),
    Row("a body that ends in its middle", "HTTP", "closed", half_closed),
    Row("a request of spans", "gRPC", "OK", call(ERROR)),
    Row("gzip", "gRPC", "OK", call(ERROR, compression=grpc.Compression.Gzip)),
    Row("an empty request", "gRPC", "OK", call(b"")),
    Row("no protobuf", "gRPC", "INVALID_ARGUMENT", call(b"\xff\xff")),
    Row("text that is not UTF-8", "gRPC", "INVALID_ARGUMENT", call(NOT_UTF8)),
    Row("values 10,000 deep", "gRPC", "INVALID_ARGUMENT", call(deep_protobuf(10_000))),
    Row("gzip: 65 KB that stand for 64 MiB and one byte", "gRPC", "RESOURCE_EXHAUSTED",
        lambda p: call(bytes(LIMIT + 1), compression=grpc.Compression.Gzip)(p)),
    Row("a method that is none", "gRPC", "UNIMPLEMENTED", call(b"", method="/opentelemetry.proto.Other/Export")),
    Row("a frame that never ends", "gRPC", "closed", half_of_http2),
]  # fmt: skip


def table() -> str:
    """The rows in Markdown."""
    lines = ["| what comes | over | the answer |", "|---|---|---|"]
    lines += [f"| {row.name} | {row.protocol} | {row.answer} |" for row in ROWS]
    return "\n".join(lines) + "\n"


def document() -> str:
    """The document with its table made anew."""
    text = DOCUMENT.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    return head + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
