"""Sample, rate, ``before_send``, the kept list."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pytest

import otel_errors
from otel_errors.admission import BURST_SECONDS, RateLimit, in_sample
from otel_errors.config import load
from tests.otel_errors.in_memory import Start


def fail_on_a_span(telemetry: Any, error: BaseException | None = None) -> None:
    with pytest.raises((ValueError, LookupError)), telemetry.tracer.start_as_current_span("s"):
        raise_it(error)


def raise_it(error: BaseException | None) -> None:
    raise error or ValueError("x")


def test_nothing_is_sent_of_a_sample_of_nothing(start: Start) -> None:
    telemetry = start(sample_rate=0)
    fail_on_a_span(telemetry)
    assert otel_errors.capture_exception(ValueError("x")) is None
    assert otel_errors.capture_message("x") is None
    assert (telemetry.events, telemetry.records) == ([], [])


def test_the_sample_is_as_large_as_its_rate() -> None:
    chosen = sum(in_sample(f"{number * 2**32 // 1000:08x}" + "0" * 24, 0.25) for number in range(1000))
    assert chosen == 250
    assert in_sample("f" * 32, 1.0)
    assert not in_sample("0" * 32, 0.0)


def test_the_rate_is_an_average_over_ten_seconds() -> None:
    now = 0.0
    limit = RateLimit(lambda: now)
    assert sum(limit.allows(10) for _ in range(500)) == 10 * BURST_SECONDS
    now += 1.0
    assert sum(limit.allows(10) for _ in range(500)) == 10
    assert all(limit.allows(0) for _ in range(500))


def test_before_send_changes_and_drops(start: Start) -> None:
    def before_send(attributes: dict[str, Any], error: BaseException | None) -> Mapping[str, Any] | None:
        if isinstance(error, KeyError):
            return None
        return {**attributes, "exception.message": "cleaned"}

    telemetry = start(before_send=before_send)
    fail_on_a_span(telemetry)
    fail_on_a_span(telemetry, KeyError("unwanted"))
    assert otel_errors.capture_exception(KeyError("unwanted")) is None
    assert otel_errors.capture_message("text")
    assert [attributes["exception.message"] for _, attributes in telemetry.events] == ["cleaned"]
    assert [record.attributes["exception.message"] for record in telemetry.records] == ["cleaned"]


@pytest.mark.parametrize("answer", [1, "text", RuntimeError("mine")])
def test_a_before_send_that_fails_loses_no_error_and_sends_no_data(start: Start, answer: Any) -> None:
    def before_send(attributes: dict[str, Any], error: BaseException | None) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    telemetry = start(before_send=before_send)
    fail_on_a_span(telemetry)
    ((_, attributes),) = telemetry.events
    assert attributes["exception.type"] == "ValueError"
    assert "exception.message" not in attributes
    assert "exception.stacktrace" not in attributes


def test_the_kept_list_can_be_changed(start: Start) -> None:
    telemetry = start(not_errors=["LookupError", "-asyncio.exceptions.CancelledError"])
    fail_on_a_span(telemetry, KeyError("a LookupError too"))
    fail_on_a_span(telemetry)
    assert [attributes["exception.type"] for _, attributes in telemetry.events] == ["ValueError"]


def test_settings_by_environment() -> None:
    settings, problems = load(
        {},
        {
            "OTEL_ERRORS_SAMPLE_RATE": "0.5",
            "OTEL_ERRORS_MAX_PER_SECOND": "0",
            "OTEL_ERRORS_BEFORE_SEND": "logging:getLevelName",
            "OTEL_ERRORS_NOT_ERRORS": "shop.errors.OutOfStock, -KeyboardInterrupt",
        },
    )
    assert problems == []
    assert (settings.sample_rate, settings.max_per_second, settings.before_send) == (0.5, 0, logging.getLevelName)
    assert settings.not_errors == {"shop.errors.OutOfStock", "-KeyboardInterrupt"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_ERRORS_SAMPLE_RATE", "2"),
        ("OTEL_ERRORS_SAMPLE_RATE", "nan"),
        ("OTEL_ERRORS_MAX_PER_SECOND", "-1"),
        ("OTEL_ERRORS_BEFORE_SEND", "no_such_module:f"),
        ("OTEL_ERRORS_BEFORE_SEND", "logging"),
        ("OTEL_ERRORS_BEFORE_SEND", "logging:INFO"),
        ("OTEL_ERRORS_NOT_ERRORS", "not a name"),
    ],
)
def test_bad_values_are_named(name: str, value: str) -> None:
    settings, problems = load({}, {name: value})
    assert settings == load({}, {})[0]
    assert len(problems) == 1
    assert problems[0].startswith(f"{name}: {value!r}")


@pytest.mark.parametrize("options", [{"sample_rate": 0}, {"before_send": lambda attributes, error: None}])
def test_the_log_line_of_an_error_that_is_not_sent_stays_and_is_no_error(start: Start, options: dict[str, Any]) -> None:
    telemetry = start(**options)
    try:
        raise_it(None)
    except ValueError:
        logging.getLogger("shop").exception("failed")
    (record,) = telemetry.records
    assert record.body == "failed"
    assert [key for key in record.attributes if key.startswith(("exception.", "otel_errors."))] == []
