"""What an application's tests need to see the errors that its code would report, without a collector.

In ``conftest.py``: ``pytest_plugins = ["otel_errors.testing"]``; then::

    def test_a_declined_card_is_reported(captured_errors):
        checkout(card="declined")
        error = captured_errors.one()
        assert error.type == "shop.payments.CardDeclined"
        assert error.tags["provider"] == "acme"
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from opentelemetry._logs import LoggerProvider

from otel_errors import active
from otel_errors.config import LOGS
from otel_errors.instrumentor import ErrorsInstrumentor
from otel_errors.testing.errors import CapturedError, CapturedErrors
from otel_errors.testing.providers import CollectingLoggerProvider, spans_without_an_sdk

__all__ = ["CapturedError", "CapturedErrors", "captured_errors", "capturing"]


@pytest.fixture
def captured_errors() -> Iterator[CapturedErrors]:
    """The errors that are reported during this test. Nothing is sent, and everything is undone after it."""
    with capturing() as errors:
        yield errors


@contextmanager
def capturing() -> Iterator[CapturedErrors]:
    """The same without pytest's fixture. Not re-entrant.

    >>> import otel_errors
    >>> with capturing() as errors:
    ...     event_id = otel_errors.capture_exception(KeyError("sku"))
    >>> errors.one().type
    'KeyError'

    The library runs with the settings that the application has given it, else with those of the environment, but for
    the sample rate and the limit, which would leave errors out, and ``send_user``.
    """
    errors = CapturedErrors()
    provider = CollectingLoggerProvider(errors)
    with _library(provider), spans_without_an_sdk(), _log_handler(provider):
        yield errors


@contextmanager
def _library(provider: LoggerProvider) -> Iterator[None]:
    instrumentor = ErrorsInstrumentor()
    before = active.instrumented()
    if before is None:
        # enabled: also where the environment of the tests switches it off.
        instrumentor.instrument(logger_provider=provider, enabled=True)
    now = active.instrumented()
    if now is None:
        raise RuntimeError("otel_errors could not be instrumented; the reason is on stderr")
    settings = replace(
        now.settings, mode=LOGS, sample_rate=1.0, max_per_second=0, send_user=True, sdk_value_characters=None
    )
    active.activate(replace(now, settings=settings, logger_provider=provider))
    try:
        yield
    finally:
        if before is not None:
            if active.instrumented() is not None:
                active.activate(before)
        elif instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()


@contextmanager
def _log_handler(provider: LoggerProvider) -> Iterator[None]:
    """Logged exceptions are seen by OpenTelemetry's handler, which a test's logging rarely has."""
    try:
        module = importlib.import_module("opentelemetry.instrumentation.logging.handler")
    except ImportError:
        yield
        return
    handler: logging.Handler = module.LoggingHandler(logger_provider=provider)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
