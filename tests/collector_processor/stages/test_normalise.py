from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_processor.events import ErrorEvent, RawError
from collector_processor.stages.normalise import MAX_ATTRIBUTES, MAX_MESSAGE, MAX_TAGS, normalise, user_identity


def raw(attributes: dict[str, Any] | None = None, resource: dict[str, Any] | None = None, **fields: Any) -> RawError:
    return RawError(**{"signal": "log", "resource": resource or {}, "attributes": attributes or {}, **fields})


def event(
    attributes: dict[str, Any] | None = None, resource: dict[str, Any] | None = None, **fields: Any
) -> ErrorEvent:
    return normalise(raw(attributes, resource, **fields))


@pytest.mark.parametrize(
    ("time", "observed", "expected"), [(5, 7, 5), (0, 7, 7), (0, 0, 0)], ids=["own", "observed", "none"]
)
def test_time(time: int, observed: int, expected: int) -> None:
    assert event(time_unix_nano=time, observed_time_unix_nano=observed).time_unix_nano == expected


@pytest.mark.parametrize(
    ("resource", "field", "expected"),
    [
        ({}, "service_name", "unknown_service"),
        ({"service.name": "  "}, "service_name", "unknown_service"),
        ({"service.name": "shop"}, "service_name", "shop"),
        ({"service.name": 7}, "service_name", "7"),
        ({"service.namespace": "eu"}, "service_namespace", "eu"),
        ({"service.version": "1.2"}, "release", "1.2"),
        ({"service.version": "1.2", "vcs.ref.head.revision": "0a1b"}, "release", "1.2"),
        ({"vcs.ref.head.revision": "0a1b"}, "release", "0a1b"),
        ({"deployment.environment": "prod"}, "environment", "prod"),
        ({"deployment.environment": "old", "deployment.environment.name": "new"}, "environment", "new"),
        ({"telemetry.sdk.language": "nodejs"}, "language", "javascript"),
        ({"telemetry.sdk.language": "WebJS"}, "language", "javascript"),
        ({"telemetry.sdk.language": "Go"}, "language", "go"),
    ],
)
def test_resource(resource: dict[str, Any], field: str, expected: str) -> None:
    assert getattr(event(resource=resource), field) == expected


def test_what_the_resource_does_not_say_the_record_may() -> None:
    said = {"service.version": "2", "vcs.ref.head.revision": "0a1b", "deployment.environment.name": "prod"}
    one = event(said)
    assert (one.release, one.environment) == ("2", "prod")
    assert one.attributes == {"vcs.ref.head.revision": "0a1b"}
    assert event(said, {"service.version": "1", "deployment.environment": "test"}).release == "1"
    assert event(said, {"service.version": "1", "deployment.environment.name": "test"}).environment == "test"


def test_contexts_flags_and_task_are_shown() -> None:
    ours = {
        "otel_errors.context.cart": '{"items": 3}',
        "otel_errors.feature_flag.a": "on",
        "otel_errors.task.name": "t",
    }
    assert event({**ours, "otel_errors.redacted": 3}).attributes == ours


def test_resource_instance() -> None:
    one = event(resource={"service.name": "a", "process.pid": 7}).resource_instance
    assert len(one) == 16
    assert one == event(resource={"process.pid": 7, "service.name": "a"}).resource_instance
    assert one != event(resource={"service.name": "a", "process.pid": 8}).resource_instance
    assert one != event(resource={"service.name": "a", "process.pid": "7"}).resource_instance
    assert event(resource={"a": True}).resource_instance != event(resource={"a": 1}).resource_instance
    assert (
        event(resource={"a": [1, {"b": 2}]}).resource_instance == event(resource={"a": [1, {"b": 2}]}).resource_instance
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        ("True", True),
        ("false", False),
        (" FALSE ", False),
        (0, False),
        ("maybe", None),
        (None, None),
        (2, None),
        ([True], None),
    ],
)
def test_handled(value: object, expected: bool | None) -> None:
    assert event({"otel_errors.handled": value}).handled is expected
    assert event({"exception.escaped": value}).handled is (None if expected is None else not expected)
    assert event({"otel_errors.handled": True, "exception.escaped": value}).handled is True


@pytest.mark.parametrize(
    ("attributes", "number", "expected"),
    [
        ({"exception.escaped": "True"}, 0, "high"),
        ({"exception.escaped": "False"}, 0, "medium"),
        ({}, 0, "medium"),
        ({}, 13, "low"),
        ({}, 21, "critical"),
        ({"otel_errors.severity": "low"}, 21, "low"),
        ({"otel_errors.severity": "loud"}, 17, "medium"),
    ],
)
def test_severity(attributes: dict[str, Any], number: int, expected: str) -> None:
    assert event(attributes, severity_number=number).severity == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (12, "12"),
        (1.5, "1.5"),
        (True, "true"),
        (b"bytes", "bytes"),
        (b"\xff\x00", "ff00"),
        ([1, "a"], '[1, "a"]'),
        ({"a": b"\xff"}, '{"a": "ff"}'),
        ("nul\x00 and \ud800", "nul and "),
        (None, ""),
    ],
)
def test_any_value_is_a_text(value: object, expected: str) -> None:
    assert event({"exception.message": value}).message == expected


def test_message_from_the_log_body() -> None:
    assert event({}, body="it failed").message == "it failed"
    with_both = event({"exception.message": "bad"}, body="while charging")
    assert with_both.message == "bad"
    assert with_both.attributes["log.body"] == "while charging"
    assert "log.body" not in event({"exception.message": "bad"}, body="bad").attributes


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"exception.type": "a.E"}, "a.E"),
        ({"error.type": "a.E"}, "a.E"),
        ({"exception.type": "a.E", "error.type": "500"}, "a.E"),
        ({"error.type": "500"}, ""),
        ({"error.type": "_OTHER"}, ""),
    ],
)
def test_type(attributes: dict[str, Any], expected: str) -> None:
    assert event(attributes).type == expected


def test_lengths_are_bounded() -> None:
    long = "x" * 1_000_000
    made = event(
        {"exception.message": long, "exception.stacktrace": long, "exception.type": long, "a": long}
        | {f"otel_errors.tag.{number}": "v" for number in range(500)}
        | {f"key{number}": "v" for number in range(500)},
        {"service.name": long},
    )
    assert len(made.message) == MAX_MESSAGE
    assert len(made.stacktrace) <= 65_536
    assert len(made.type) == len(made.service_name) == 256
    assert len(made.tags) == MAX_TAGS
    assert len(made.attributes) == MAX_ATTRIBUTES


def test_what_is_shown_and_what_is_not() -> None:
    made = event(
        {
            "exception.type": "E",
            "otel_errors.tag.plan": "pro",
            "otel_errors.event_id": "e1",
            "otel_errors.mechanism": "asgi",
            "otel_errors.support_reference": "AB-12",
            "otel_errors.error_code": "E42",
            "user.id": "bob",
            "enduser.id": "bob",
            "user_agent.original": "curl",
            "thread.name": "main",
        },
        {"k8s.pod.name": "pod-1"},
        span_attributes={"http.route": "/pay", "user.id": "bob", "thread.name": "other"},
        span_name="POST /pay",
        event_name="http.server.request.exception",
    )
    assert made.attributes == {
        "span.name": "POST /pay",
        "event.name": "http.server.request.exception",
        "user_agent.original": "curl",
        "thread.name": "main",
        "http.route": "/pay",
        "k8s.pod.name": "pod-1",
    }
    assert made.tags == {"plan": "pro"}
    assert (made.event_id, made.mechanism, made.support_reference, made.error_code) == ("e1", "asgi", "AB-12", "E42")
    assert (made.user, made.fingerprint) == ("", "")


def test_no_trace_no_span() -> None:
    assert event(trace_id="", span_id="abc").span_id == ""


@pytest.mark.parametrize(
    ("attributes", "span", "expected"),
    [
        ({}, {}, ""),
        ({"user.id": "1", "user.hash": "h", "user.email": "m"}, {}, "h"),
        ({"user.id": 1, "enduser.id": "e"}, {}, "1"),
        ({"enduser.pseudo.id": "p", "enduser.id": "e"}, {}, "p"),
        ({"user.name": "n", "user.email": "m"}, {}, "m"),
        ({"user.id": ""}, {"user.id": "2"}, "2"),
        ({}, {"enduser.id": "e"}, "e"),
    ],
)
def test_user_identity(attributes: dict[str, Any], span: dict[str, Any], expected: str) -> None:
    assert user_identity(raw(attributes, span_attributes=span)) == expected


ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        *("exception.type", "exception.message", "exception.stacktrace", "exception.escaped", "otel_errors.handled"),
        *(
            "otel_errors.severity",
            "otel_errors.tag.a",
            "otel_errors.tag.",
            "user.id",
            "service.name",
            "error.type",
            "x",
        ),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEYS, ANY_VALUE, max_size=8), st.dictionaries(KEYS, ANY_VALUE, max_size=4), st.integers(0, 30))
def test_any_record(attributes: dict[str, Any], resource: dict[str, Any], number: int) -> None:
    made = event(attributes, resource, severity_number=number, span_attributes=attributes)
    user_identity(raw(attributes, span_attributes=resource))
    texts = [
        made.type,
        made.message,
        made.stacktrace,
        made.service_name,
        *made.tags.values(),
        *made.attributes.values(),
    ]
    for text in texts:
        text.encode("utf-8")
        assert "\x00" not in text


@pytest.mark.parametrize("secret", ["4111111111111111", "ann.example@example.com"])
def test_a_cut_does_not_go_through_a_word(secret: str) -> None:
    """Half a card number or address would be known for none."""
    for before in range(MAX_MESSAGE - len(secret), MAX_MESSAGE):
        made = normalise(raw({"exception.type": "E", "exception.message": "x" * (before - 1) + " " + secret + " rest"}))
        assert secret[:4] not in made.message
        assert made.message.endswith("x…")
