"""Every class of secret, on every carrier, through the real servers (gRPC, HTTP with protobuf, HTTP with JSON): then
nothing that was written or answered holds one."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector_processor.otlp.messages import SERVICES
from collector_processor.stages.redact import DEFAULT_RULES, Redactor
from tests.collector_processor.otlp.telemetry import STACK, add_exception, add_record, add_span, fail, logs, put, traces
from tests.collector_processor.sinks.loki_server import LokiServer
from tests.end_to_end.processor import Processor, running
from tests.receivers import otlp_receiver
from tests.waiting import wait_until

REDACTOR = Redactor(strict=True)
MARK = "still-here"


def _planted() -> list[tuple[str, str, str]]:
    """(rule, text, the part of it that must go) of every rule."""
    planted = []
    for rule in DEFAULT_RULES:
        for example in rule.examples:
            taken = REDACTOR.text(example.text)[1]
            parts = [example.text[one.start : one.end] for one in taken]
            parts = [part for part in parts if len(part) >= 7 and any(map(str.isdigit, part))]
            if parts and example.key is None:
                planted.append((rule.name, example.text, parts[0]))
                break
    return planted


PLANTED = _planted()


def _traces(text: str, number: int) -> ExportTraceServiceRequest:
    request, spans = traces()
    sent = request.resource_spans[0]
    put(sent.resource.attributes, {"deployment.note": text, "host.tags": [text, {"deep": [text]}]})
    scope = sent.scope_spans[0].scope
    scope.version = text
    put(scope.attributes, {"note": text})
    trace = number.to_bytes(16, "big")
    span = add_span(spans, name=text, trace_id=trace)
    fail(span, text)
    put(span.attributes, {"note": text, "map": {"a": [text, {"b": text}], text: "as a key"}})
    put(span.attributes, {"raw": text.encode(), "wide": text.encode("utf-16"), "odd": b"\xff\x00" + text.encode()})
    put(span.links.add(trace_id=trace, span_id=b"12345678").attributes, {"note": text})
    add_exception(span, message=f"{MARK} {text}", **{"extra": text, f"key {text}"[:200]: 1, "list": [text]})
    put(span.events.add(name=text).attributes, {"note": text})
    fail(add_span(spans, name="outer", trace_id=trace, span_id=b"outer678"), text)
    return request


def _logs(text: str, number: int) -> ExportLogsServiceRequest:
    request, records = logs()
    put(request.resource_logs[0].resource.attributes, {"note": text})
    attributes: dict[str, Any] = {
        "exception.type": "ValueError",
        "exception.message": f"{MARK} {text}",
        "exception.stacktrace": f"{STACK}ValueError: {text}",
        "otel_errors.tag.note": text,
        "http.request.header.x": [text],
    }
    body = {"request": {"items": [text, 5, {"deep": [text]}]}, "text": text}
    add_record(records, attributes, body=body if number % 2 else text, time_unix_nano=number + 1, severity_text="ERROR")
    return request


def _json(request: ExportTraceServiceRequest | ExportLogsServiceRequest) -> bytes:
    """OTLP's JSON: ids in hexadecimal, enumerations as numbers."""

    def otlp(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: otlp(key, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [otlp(name, inner) for inner in value]
        return base64.b64decode(value).hex() if name in ("traceId", "spanId", "parentSpanId") else value

    return json.dumps(otlp("", MessageToDict(request, use_integers_for_enums=True))).encode()


def _send(processor: Processor) -> None:
    with grpc.insecure_channel(processor.grpc) as channel, httpx.Client(base_url=f"http://{processor.http}") as client:
        for number, (_, text, _) in enumerate(PLANTED):
            for signal, request in (("traces", _traces(text, number + 1)), ("logs", _logs(text, number))):
                payload = request.SerializeToString()
                if number % 3 == 1:
                    method = f"/{SERVICES[signal].grpc_name}/Export"  # type: ignore[index]
                    channel.unary_unary(method)(payload, timeout=60, wait_for_ready=True)
                else:
                    headers = {"Content-Type": "application/json" if number % 3 else "application/x-protobuf"}
                    payload = _json(request) if number % 3 else payload
                    assert client.post(f"/v1/{signal}", content=payload, headers=headers, timeout=60).status_code == 200


def _answers(processor: Processor) -> Iterator[tuple[str, bytes]]:
    """Refusals of requests that hold every secret."""
    everything = "\n".join(text for _, text, _ in PLANTED)
    for kind in ("application/json", "application/x-protobuf", "text/plain"):
        answer = httpx.post(
            f"http://{processor.http}/v1/traces",
            content=f'{{"{everything}'.encode(),
            headers={"Content-Type": kind},
            timeout=60,
        )
        assert answer.status_code >= 400
        yield f"answer to bad {kind}", answer.content


def _written(processor: Processor, loki: LokiServer, forwarded: list[bytes]) -> Iterator[tuple[str, bytes]]:
    for path in sorted(processor.data_dir.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()
    yield "Loki", b"\n".join(loki.bodies)
    yield "forwarded", b"\n".join(forwarded)
    yield "stdout", processor.output.read_bytes()
    yield "log", processor.log.read_bytes()
    with httpx.Client(base_url=processor.api, timeout=60) as client:
        for path in ("/metrics", "/", "/api/v1/issues?limit=100", "/api/v1/stats"):
            yield path, client.get(path).content
        for issue in client.get("/api/v1/issues?limit=100").json()["issues"]:
            for path in (f"/issues/{issue['id']}", f"/api/v1/issues/{issue['id']}/occurrences?limit=200"):
                yield path, client.get(path).content


def test_no_secret_of_any_class_is_written_or_answered(tmp_path: Path) -> None:
    assert len({rule for rule, _, _ in PLANTED}) > 0.9 * len(DEFAULT_RULES)
    forwarded: list[bytes] = []
    loki = LokiServer()
    try:
        with otlp_receiver(lambda signal, payload: forwarded.append(payload)) as hop:
            processor = Processor(
                tmp_path / "processor",
                OTEL_ERRORS_FORWARD__ENDPOINT=f"http://{hop}",
                OTEL_ERRORS_LOKI__URL=loki.url,
                OTEL_ERRORS_LOG_LEVEL="debug",
            )
            with running(processor):
                _send(processor)
                wait_until(lambda: processor.total() >= 2 * len(PLANTED), what="all errors counted")
                wait_until(
                    lambda: sum(len(s["values"]) for p in loki.pushes for s in p["streams"]) >= 2 * len(PLANTED),
                    what="all lines in Loki",
                )
                answers = list(_answers(processor))
                places = [*answers, *_written(processor, loki, forwarded)]
    finally:
        loki.stop()
    found = [
        (place, rule)
        for place, content in places
        for rule, _, secret in PLANTED
        if secret.encode() in content
        or secret.replace("\n", "\\n").encode() in content
        or secret.encode("utf-16-le") in content
    ]
    assert sorted(set(found)) == []
    for name in ("Loki", "forwarded", "log"):
        assert any(place == name for place, _ in places), name
    for name in ("Loki", "forwarded"):
        assert dict(places)[name].count(MARK.encode()) >= 2 * len(PLANTED), "the search looked at real data"
