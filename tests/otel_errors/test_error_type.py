"""``error.type`` on the spans that an error leaves."""

from __future__ import annotations

import pytest

from tests.otel_errors.in_memory import Start, raise_it


def test_each_span_that_the_error_leaves_names_it_unless_it_is_named(start: Start) -> None:
    telemetry = start()
    with (
        pytest.raises(ValueError, match="x"),
        telemetry.tracer.start_as_current_span("outer"),
        telemetry.tracer.start_as_current_span("named", attributes={"error.type": "500"}),
        telemetry.tracer.start_as_current_span("inner"),
    ):
        raise_it()
    named = {span.name: (span.attributes or {}).get("error.type") for span in telemetry.spans.get_finished_spans()}
    assert named == {"inner": "ValueError", "named": "500", "outer": "ValueError"}


def test_a_span_whose_error_was_handled_did_not_fail(start: Start) -> None:
    telemetry = start()
    with telemetry.tracer.start_as_current_span("s") as span:
        span.record_exception(ValueError("x"))
    (finished,) = telemetry.spans.get_finished_spans()
    assert "error.type" not in (finished.attributes or {})
