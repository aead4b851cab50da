from __future__ import annotations

import inspect
import json
import pickle
import threading
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_errors import app_errors, error_codes
from otel_errors.app_errors import BaseAppError, InternalServerError, ServiceUnavailableError, ValidationError
from otel_errors.capture import capture
from otel_errors.handler import ErrorHandler
from otel_errors.references import BadReference, parse_reference, reference_of
from tests.otel_errors.in_memory import Start

KINDS = [getattr(app_errors, name) for name in app_errors.__all__]
SECRET = "hunter2-internal"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_survives_pickling_and_says_nothing_internal_to_users(kind: Any) -> None:
    error = kind(SECRET, details={"place": SECRET}, retry_after=1.5)
    error.connection = threading.Lock()  # an attribute that cannot be pickled must not take the error with it
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert again.to_dict() == error.to_dict()
    assert str(again) == SECRET
    assert SECRET not in json.dumps(error.to_problem(reference="1E0-FVE-83B"))
    assert error.headers()["Retry-After"] == "2"


def test_numbers_and_critical_are_those_of_the_catalogue() -> None:
    assert [kind().error_code for kind in KINDS] == [kind.default_code.number for kind in KINDS]
    assert {kind.__name__ for kind in KINDS if kind().is_critical} == {
        "InternalServerError",
        "ServiceUnavailableError",
    }
    assert not type("Own", (BaseAppError,), {})().is_critical
    assert ServiceUnavailableError(is_critical=False).is_critical is False


def test_codes_and_numbers_are_unique() -> None:
    entries = error_codes.catalogue()
    assert len({entry.code for entry in entries}) == len({entry.number for entry in entries}) == len(entries) >= 12


@settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(), st.binary(), st.none(), st.integers()), st.dictionaries(st.text(), st.text()))
def test_whatever_is_given_makes_a_json_document(message: Any, details: Any) -> None:
    error = ValidationError(message, field_errors=details, details={"deep": [details, {1, 2}], "x": float("nan")})
    json.dumps([error.to_dict(), error.to_problem()], allow_nan=False).encode()


def test_a_captured_error_carries_its_code_and_severity() -> None:
    for error, severity in ((InternalServerError("x"), "critical"), (ValidationError("x"), "low")):
        found = capture(error, max_stacktrace_bytes=4096)
        assert (found.error_code, found.severity) == (error.code, severity)
    assert capture(ValueError("x"), max_stacktrace_bytes=4096).severity is None


@settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.uuids(), st.data())
def test_a_reference_is_read_as_it_is_spoken_and_a_wrong_character_is_found(event_id: Any, data: Any) -> None:
    reference = reference_of(event_id.hex)
    spoken = reference.lower().replace("0", "o").replace("1", data.draw(st.sampled_from("ilIL"))).replace("-", " ")
    assert parse_reference(spoken) == reference
    plain = reference.replace("-", "")
    place = data.draw(st.integers(0, 8))
    other = data.draw(st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ".replace(plain[place], "")))
    with pytest.raises(BadReference) as caught:
        parse_reference(plain[:place] + other + plain[place + 1 :])
    assert caught.value.reason == "check"


def test_details_reach_the_log_and_the_report_without_secrets(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    telemetry = start()
    error = ServiceUnavailableError("no route", service_name="bank", details={"order": 7, "token": SECRET})
    error.details["added_password"] = SECRET  # later, past the cleaning of the arguments
    with telemetry.tracer.start_as_current_span("pay"):
        ErrorHandler("shop").handle(error, {"order": 8})
    (record,) = [record for record in caplog.records if record.name == "shop"]
    logged = {key: value for key, value in vars(record).items() if key.startswith("context.")}
    assert logged == {
        "context.order": 8,
        "context.service_name": "bank",
        "context.token": "[redacted]",
        "context.added_password": "[redacted]",
    }
    ((_, event),) = telemetry.events
    assert json.loads(event["otel_errors.context.details"]) == {
        "order": 7,
        "service_name": "bank",
        "token": "[redacted]",
        "added_password": "[redacted]",
    }
    assert SECRET not in json.dumps(error.to_dict())


def test_details_are_reported_of_an_error_that_nobody_handles(start: Start) -> None:
    telemetry = start()
    with pytest.raises(ValidationError), telemetry.tracer.start_as_current_span("pay"):
        raise ValidationError("x", details={"form": "sign-up", "text": "y" * 9_000})
    ((_, event),) = telemetry.events
    text = event["otel_errors.context.details"]
    assert json.loads(text)["form"] == "sign-up"
    assert len(text) <= 8192


def test_an_error_without_details_has_no_attribute_for_them(start: Start) -> None:
    telemetry = start()
    with pytest.raises(ValidationError), telemetry.tracer.start_as_current_span("pay"):
        raise ValidationError("x")
    assert "otel_errors.context.details" not in telemetry.events[0][1]


class Resists:
    """Every question to it raises."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Undecided:
    def __bool__(self) -> bool:
        raise ValueError("the truth value of an array with more than one element is ambiguous")

    __str__ = __repr__ = __len__ = __iter__ = __hash__ = __bool__  # type: ignore[assignment]


class Incomparable(int):
    def __hash__(self) -> int:
        raise RuntimeError("hash")

    def __ge__(self, other: object) -> bool:
        raise RuntimeError("compare")


HOSTILE = {
    "resists": Resists,
    "undecided": Undecided,
    "incomparable": lambda: Incomparable(404),
    "huge": lambda: 10**5000,
    "nan": lambda: float("nan"),
    "bytes": lambda: b"\xff",
    "half a surrogate pair": lambda: "\ud800",
    "list": lambda: [Undecided()],
    "class": lambda: object,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_making_an_error_never_raises_another(kind: Any, hostile: str) -> None:
    known = {"message", "error_code", "details", "is_critical", "user_message", "retry_after"}
    own = set(inspect.signature(kind.__init__).parameters) - {"self", "arguments"}
    for argument in sorted(known | own):
        error = kind(**{argument: HOSTILE[hostile]()})
        json.dumps([error.to_dict(), error.to_problem(), error.headers(), str(error)])
        assert 400 <= pickle.loads(pickle.dumps(error)).status <= 599


def test_a_status_of_http_is_a_number() -> None:
    error = BaseAppError("x", error_code=HTTPStatus.CONFLICT)
    assert (error.error_code, type(error.error_code), error.code) == (409, int, "STATE-CONFLICT")
