"""Whether the library is on, and with what: hooks look here when they are called, so that they can be turned off
under them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry._logs import NoOpLoggerProvider, get_logger, get_logger_provider
from opentelemetry.trace import get_tracer_provider

from otel_errors.config import SIGNAL_OPT_IN, Settings, load
from otel_errors.guard import log
from otel_errors.version import __version__

if TYPE_CHECKING:
    from opentelemetry._logs import Logger, LoggerProvider
    from opentelemetry.trace import TracerProvider

SCOPE_NAME = "otel_errors"
SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"

_warned_of_missing_logs = False


@dataclass(frozen=True)
class Reporter:
    """The settings and the providers. None stands for the global provider of the moment: it may be set after us."""

    settings: Settings
    tracer_provider: TracerProvider | None = None
    logger_provider: LoggerProvider | None = None
    own_logger: Logger | None = None
    """For records that another instrumentation of OpenTelemetry's makes, with what we know of the error."""

    def logger(self) -> Logger:
        return self.own_logger or get_logger(SCOPE_NAME, __version__, self.logger_provider, SCHEMA_URL)

    def providers(self) -> tuple[LoggerProvider, TracerProvider]:
        return self.logger_provider or get_logger_provider(), self.tracer_provider or get_tracer_provider()

    def warn_once_of_missing_logs(self) -> None:
        """The conventions' switch asks for log records and nothing takes them: said once in a process, not once an
        error."""
        global _warned_of_missing_logs
        if _warned_of_missing_logs or not self.settings.mode.log_records:
            return
        provider = self.logger_provider or get_logger_provider()
        # The API's stand-ins. An SDK's provider that is switched off is somebody's decision.
        if type(provider).__name__ != "ProxyLoggerProvider" and not isinstance(provider, NoOpLoggerProvider):
            return
        _warned_of_missing_logs = True
        log.warning(
            "%s asks for exceptions as log records, but no logger provider is configured; "
            "exceptions on spans stay span events, those outside of spans are lost",
            SIGNAL_OPT_IN,
        )


_instrumented: Reporter | None = None
_explicit: Reporter | None = None


def activate(reporter: Reporter) -> None:
    global _instrumented
    _instrumented = reporter


def deactivate() -> None:
    global _instrumented, _explicit
    _instrumented = _explicit = None


def switch_off(settings: Settings) -> None:
    """Explicit calls do nothing from here on, whatever the environment says: the options of ``instrument()`` win."""
    global _explicit
    _explicit = Reporter(settings)


def instrumented() -> Reporter | None:
    """For hooks: None while the library is off."""
    return _instrumented


def for_explicit_calls() -> Reporter | None:
    """For the application's own calls, which work without the instrumentor too: None when switched off by
    ``OTEL_ERRORS_ENABLED``."""
    global _explicit
    if _instrumented is not None:
        return _instrumented
    if _explicit is None:
        settings, problems = load()
        for problem in problems:
            log.warning("%s", problem)
        _explicit = Reporter(settings)
    return _explicit if _explicit.settings.enabled else None
