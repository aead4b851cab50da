"""The entry point ``otel_errors`` of ``opentelemetry-instrument``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]

from otel_errors import active, config, configuration_file, hooks, not_errors, seen
from otel_errors.guard import guarded, log


@dataclass
class ErrorsConfiguration:
    """Options of ``instrument()``, which OpenTelemetry's configuration file gives too; None leaves it to the
    environment."""

    enabled: bool | None = None
    send_user: bool | str | None = None
    user_key: str | None = None
    max_stacktrace_bytes: int | None = None
    sample_rate: float | None = None
    max_per_second: int | None = None
    before_send: str | None = None
    """``module:function``; in code the function itself."""
    not_errors: list[str] | None = None
    locals: bool | None = None
    source_lines: int | None = None
    last_log_records: int | None = None


class ErrorsInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Captures errors at the ends of process, threads, tasks and spans. No state in here: every construction returns
    the same object and runs ``__init__`` again.

    Options: ``tracer_provider``, ``logger_provider``, and those of ``ErrorsConfiguration``.
    """

    configuration = ErrorsConfiguration

    def instrumentation_dependencies(self) -> Collection[str]:
        return ()

    def _instrument(self, **options: Any) -> None:
        # Guarded, because any exception in here stops every other instrumentation of the application.
        with guarded("instrument") as go:
            if not go:
                return
            declared, unreadable = configuration_file.options(ErrorsConfiguration)
            settings, problems = config.load({**declared, **options})
            for problem in unreadable + problems:
                log.warning("%s", problem)
            if not settings.enabled:
                active.switch_off(settings)
                return
            not_errors.change(settings.not_errors)
            active.activate(
                active.Reporter(
                    settings,
                    tracer_provider=options.get("tracer_provider"),
                    logger_provider=options.get("logger_provider"),
                )
            )
            hooks.install()

    def _uninstrument(self, **options: Any) -> None:
        with guarded("uninstrument"):
            active.deactivate()
            not_errors.change(())
            hooks.uninstall()
            seen.unwatch_collections()
            seen.seen.clear()
