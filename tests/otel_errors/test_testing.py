"""``captured_errors`` in the tests of an application, run by a pytest of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

APPLICATION = """
    import asyncio, logging, threading
    import otel_errors
    from opentelemetry import trace

    tracer = trace.get_tracer("shop")

    class CardDeclined(Exception):
        pass

    def checkout(user):
        with tracer.start_as_current_span("checkout"):
            otel_errors.set_user(user)
            otel_errors.set_tag("plan", "pro")
            otel_errors.set_context("cart", {"items": 3, "password": "hunter2"})
            otel_errors.set_feature_flag("express", True)
            try:
                charge()
            except CardDeclined as error:
                otel_errors.capture_exception(error, severity="low", tags={"provider": "acme"})

    def charge():
        raise CardDeclined("no money")

    def ship():
        with tracer.start_as_current_span("ship"):
            raise LookupError("no such address")

    @tracer.start_as_current_span("decorated")
    def decorated():
        raise LookupError("decorated")

    def refuse():
        with tracer.start_as_current_span("refuse"):
            raise SystemExit(3)
"""

WITHOUT_AN_SDK = """
    import logging, sys, threading
    import pytest
    import shop
    import otel_errors
    from opentelemetry import trace
    from otel_errors import active

    def state():
        handlers = [each for each in logging.getLogger().handlers if "opentelemetry" in type(each).__module__]
        return (sys.excepthook, threading.excepthook, sys.unraisablehook, trace.use_span, trace.get_tracer_provider(),
                active.instrumented(), handlers)

    before = state()

    def test_everything_that_was_said_of_an_error(captured_errors):
        shop.checkout("4711")
        error = captured_errors.one()
        assert (error.type, error.message) == ("shop.CardDeclined", "no money")
        assert error.stack.startswith("Traceback (most recent call last):") and "in charge" in error.stack
        assert error.stack.endswith("shop.CardDeclined: no money\\n")
        assert "otel_errors" not in error.stack
        assert (error.handled, error.mechanism) == (True, "capture_exception")
        assert (error.severity, error.severity_number) == ("low", "WARN")
        assert error.user == "4711"
        assert error.tags == {"plan": "pro", "provider": "acme"}
        assert error.contexts == {"cart": {"items": 3, "password": "[redacted]"}}
        assert error.feature_flags == {"express": "true"}
        assert error.attributes["exception.type"] == "shop.CardDeclined"
        assert len(error.event_id) == len(error.trace_id) == 32

    def test_errors_that_leave_spans_threads_and_loggers(captured_errors):
        with pytest.raises(LookupError) as failed:
            shop.ship()
        error = captured_errors.one()
        assert (error.handled, error.mechanism, error.type) == (False, "span", "LookupError")
        assert "testing" not in error.stack
        logging.getLogger("shop").error("again", exc_info=failed.value)
        assert captured_errors.one().handled is False
        with pytest.raises(LookupError):
            shop.decorated()
        for _ in range(2):
            with pytest.raises(LookupError):
                shop.ship()
        assert len(captured_errors) == 4
        captured_errors.clear()
        try:
            raise KeyError("k")
        except KeyError:
            logging.getLogger("shop").exception("logged")
        otel_errors.capture_message("stock is below zero", severity="high")
        assert [error.mechanism for error in captured_errors] == ["logging", "capture_message"]
        assert captured_errors[1].message == "stock is below zero" and captured_errors[-1].type == ""
        logging.getLogger("shop").error("a line")
        with pytest.raises(AssertionError, match="one error was expected, 2 were captured\\n  KeyError: 'k' .logging"):
            captured_errors.one()

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_threads(captured_errors):
        thread = threading.Thread(target=shop.charge)
        thread.start()
        thread.join()
        assert captured_errors.one().mechanism == "threading"

    def test_what_is_not_an_error(captured_errors):
        with pytest.raises(SystemExit):
            shop.refuse()
        assert not captured_errors
        assert repr(captured_errors) == "<0 captured errors>"

    def test_the_rate_is_not_limited(captured_errors):
        for number in range(30):
            shop.checkout(str(number))
        assert [error.user for error in captured_errors] == [str(number) for number in range(30)]

    def test_nothing_is_left():
        assert state() == before
        with pytest.raises(LookupError):
            shop.ship()

    def test_tracers_that_were_used_follow_the_provider_that_comes_later():
        from opentelemetry.sdk.trace import TracerProvider
        import os
        os.environ.pop("OTEL_SDK_DISABLED")
        trace.set_tracer_provider(TracerProvider())
        with shop.tracer.start_as_current_span("late") as span:
            assert span.is_recording()
"""

INSTRUMENTED = """
    import pytest
    from opentelemetry import trace
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
    from opentelemetry.sdk.trace import TracerProvider
    import shop
    from otel_errors import active
    from otel_errors.instrumentor import ErrorsInstrumentor

    trace.set_tracer_provider(TracerProvider())
    sent = InMemoryLogRecordExporter()
    logs = LoggerProvider()
    logs.add_log_record_processor(SimpleLogRecordProcessor(sent))

    def before_send(attributes, error):
        return {**attributes, "exception.message": "taken out"}

    ErrorsInstrumentor().instrument(logger_provider=logs, before_send=before_send, sample_rate=0)
    reporter = active.instrumented()

    def test_the_settings_of_the_application_count(captured_errors):
        with pytest.raises(LookupError):
            shop.ship()
        error = captured_errors.one()
        assert (error.message, error.mechanism) == ("taken out", "span")
        assert int(error.trace_id, 16)
        assert not sent.get_finished_logs()

    def test_the_application_stays_instrumented():
        assert active.instrumented() is reporter

    def test_when_the_application_takes_it_off_meanwhile(captured_errors):
        ErrorsInstrumentor().uninstrument()
        with pytest.raises(LookupError):
            shop.ship()
        assert not captured_errors

    def test_it_stays_off():
        assert active.instrumented() is None
"""


def run_pytest(folder: Path, tests: str, **environment: str) -> str:
    (folder / "conftest.py").write_text('pytest_plugins = ["otel_errors.testing"]\n', encoding="utf-8")
    (folder / "shop.py").write_text(textwrap.dedent(APPLICATION), encoding="utf-8")
    (folder / "test_shop.py").write_text(textwrap.dedent(tests), encoding="utf-8")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTEST_", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)],
        cwd=folder,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    return output


def test_an_application_without_an_sdk_and_with_everything_switched_off(tmp_path: Path) -> None:
    output = run_pytest(
        tmp_path,
        WITHOUT_AN_SDK,
        OTEL_SDK_DISABLED="true",
        OTEL_ERRORS_ENABLED="false",
        OTEL_ERRORS_MAX_PER_SECOND="1",
        OTEL_ERRORS_SAMPLE_RATE="0",
    )
    assert "7 passed" in output
    assert "otel_errors:" not in output


def test_an_application_that_is_instrumented_already(tmp_path: Path) -> None:
    assert "4 passed" in run_pytest(tmp_path, INSTRUMENTED)
