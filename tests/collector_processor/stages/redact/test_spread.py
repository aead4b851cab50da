"""A value that one text shows to be secret goes from every text of the event; words that say nothing stay."""

from __future__ import annotations

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from collector_processor.otlp.carrier_redaction import RequestRedaction
from collector_processor.stages.redact import Redactor
from collector_processor.stages.redact.spread import spread, told

REDACTOR = Redactor(strict=True)
WORDS = {rule.name: rule.replacement for rule in REDACTOR.rules}


@pytest.mark.parametrize(
    ("shown", "elsewhere", "becomes"),
    [
        ("password='hunter2'", "login with hunter2 failed", "login with [password] failed"),
        ("postgres://a:s3cr3t!@db/x", "FATAL: s3cr3t! rejected", "FATAL: [password] rejected"),
        ("password='p@ss w0rd'", "?q=p%40ss%20w0rd&x=1", "?q=[password]&x=1"),
        ("Authorization: Basic YW5uOmh1bnRlcjI=", "user ann, hunter2", "user ann, [authorization]"),
        ("Cookie: sid=31d4d96e99; theme=dark", "no session 31d4d96e99 in dark", "no session [cookie] in dark"),
        ("token=a81fd0c2e9", "xa81fd0c2e9 is another", "xa81fd0c2e9 is another"),
        ("password=admin", "admin page", "admin page"),
        ("password='postgres'", "postgres is down", "postgres is down"),
        ("password='12345'", "port 12345", "port 12345"),
    ],
)
def test_known_values_go_elsewhere(shown: str, elsewhere: str, becomes: str) -> None:
    assert spread(elsewhere, told(shown, REDACTOR.text(shown)[1]), WORDS)[0] == becomes


def _span(trace: bytes, **attributes: str) -> Span:
    return Span(
        trace_id=trace,
        name="GET hunter2xyz",
        attributes=[KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in attributes.items()],
        status=Status(code=Status.STATUS_CODE_ERROR, message="denied: hunter2xyz"),
    )


def test_it_goes_within_a_trace_and_not_beyond() -> None:
    redaction = RequestRedaction(REDACTOR)
    inner, outer, other = _span(b"1" * 16, dsn="x"), _span(b"1" * 16), _span(b"2" * 16)
    redaction.enter(inner, inner.trace_id)
    redaction.learn({"db": {"password": "hunter2xyz"}, "list": ["a", 5, None]})
    for span in (inner, outer, other):
        redaction.span(span)
    assert inner.status.message == outer.status.message == "denied: [password]"
    assert outer.name == "GET [password]"
    assert other.status.message == "denied: hunter2xyz", "another trace may say what it wants"
