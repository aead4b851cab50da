"""One logger of an application, set up: console and rotating file, lines that lead to the trace and the event.

Only the named logger and what is below it; the root logger and everybody else's handlers stay as they are.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from opentelemetry import trace

from otel_errors.external_reporting import EXTERNAL_REPORTING_DSN, apply_dsn, is_reporting_on
from otel_errors.guard import log as internal_log
from otel_errors.guard import tell_failure
from otel_errors.log_file import RotatedFile
from otel_errors.log_lines import JsonLines, PlainLines

__all__ = ["setup_logger"]

LOG_LEVEL: Final = "LOG_LEVEL"
LOG_FILE_PATH: Final = "LOG_FILE_PATH"
LOG_MAX_BYTES: Final = "LOG_MAX_BYTES"
LOG_BACKUP_COUNT: Final = "LOG_BACKUP_COUNT"
APP_ENV: Final = "APP_ENV"

DEFAULT_MAX_BYTES: Final = 10_000_000
DEFAULT_BACKUP_COUNT: Final = 5
SMALLEST_MAX_BYTES: Final = 1000
LARGEST_MAX_BYTES: Final = 10**12
LARGEST_BACKUP_COUNT: Final = 1000

Lines = Literal["plain", "json"]
_FORMATTERS: Final[Mapping[str, type[PlainLines] | type[JsonLines]]] = {"plain": PlainLines, "json": JsonLines}
_lock = threading.Lock()


def setup_logger(
    name: str,
    *,
    level: int | str | None = None,
    console: Lines | None = "plain",
    file: str | os.PathLike[str] | None = None,
    file_lines: Lines = "json",
    max_bytes: int | None = None,
    backup_count: int | None = None,
    external: bool | None = None,
) -> logging.Logger:
    """The logger ``name``, writing to stderr and, when there is a path, to a file that is rotated. May be called again:
    what an earlier call set up is replaced, other handlers are kept.

    What is not said comes from the environment: ``LOG_LEVEL`` (INFO), ``LOG_FILE_PATH`` (no file), ``LOG_MAX_BYTES``
    (10,000,000), ``LOG_BACKUP_COUNT`` (5), ``ENABLE_EXTERNAL_REPORTING`` (true: records also go to the OpenTelemetry
    handlers of the root logger), ``EXTERNAL_REPORTING_DSN`` (where the SDK will send them, unless an OTLP endpoint is
    set), ``APP_ENV`` (the environment in the lines). A bad value there, and a file that cannot
    be opened, are named on stderr and left out. Raises ``ValueError`` for the root logger and for bad arguments.

    >>> logger = setup_logger("shop.example", level="WARNING", console=None)
    >>> logger is logging.getLogger("shop.example"), logger.level, logger.propagate
    (True, 30, False)
    """
    if not isinstance(name, str) or name in ("", "root"):
        raise ValueError(f"name: {name!r}: a name is needed; the root logger is everybody's and stays as it is")
    for key, value, allowed in (("console", console, (None, *_FORMATTERS)), ("file_lines", file_lines, _FORMATTERS)):
        if value not in allowed:
            raise ValueError(f"{key}: {value!r}: one of {', '.join(repr(each) for each in allowed)} is needed")
    environment = os.environ.get(APP_ENV, "").strip()
    number = _level(level)
    size = _number("max_bytes", LOG_MAX_BYTES, max_bytes, DEFAULT_MAX_BYTES, SMALLEST_MAX_BYTES, LARGEST_MAX_BYTES)
    kept = _number("backup_count", LOG_BACKUP_COUNT, backup_count, DEFAULT_BACKUP_COUNT, 1, LARGEST_BACKUP_COUNT)
    path = os.fspath(file) if file is not None else os.environ.get(LOG_FILE_PATH, "").strip()

    handlers: list[logging.Handler] = []
    if external if external is not None else is_reporting_on():
        _report_to_dsn()
        # First: what the export makes of an error, its event id, then stands in the lines.
        handlers.append(_ToOpenTelemetry())
    if console is not None:
        handlers.append(_Console())
        handlers[-1].setFormatter(_FORMATTERS[console](environment=environment))
    with _lock:
        logger = logging.getLogger(name)
        if path and (opened := _opened(path, size, kept)) is not None:
            opened.setFormatter(_FORMATTERS[file_lines](environment=environment))
            handlers.append(opened)
        before = logger.handlers
        # In one step: another thread that logs now finds the old ones or the new ones, never none or both.
        logger.handlers = [*(handler for handler in before if not isinstance(handler, _Ours)), *handlers]
        logger.setLevel(number)
        logger.propagate = False
        for old in before:
            if isinstance(old, _Ours):
                old.close()
    return logger


class _Ours(logging.Handler):
    """What this module added, so that it can be replaced."""


class _Console(_Ours):
    """Writes to what ``sys.stderr`` is at that moment: applications and test runners replace it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            stream = sys.stderr
            if stream is None:  # pythonw, a daemon
                return
            line = self.format(record) + "\n"
            try:
                stream.write(line)
            except UnicodeEncodeError:
                stream.write(line.encode("ascii", "backslashreplace").decode("ascii"))
            stream.flush()
        except Exception:
            self.handleError(record)


class _File(RotatedFile, _Ours):
    pass


class _ToOpenTelemetry(_Ours):
    """Hands records to the OpenTelemetry handlers of the root logger, whenever they were added: without propagation
    they would get none, and with it the root logger's other handlers would write each line twice."""

    def emit(self, record: logging.LogRecord) -> None:
        for handler in logging.getLogger().handlers:
            if type(handler).__module__.startswith("opentelemetry.") and record.levelno >= handler.level:
                try:
                    handler.handle(record)
                except Exception as failure:
                    tell_failure("handing a log record to OpenTelemetry", failure)


def _report_to_dsn() -> None:
    in_time = isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    outcome = apply_dsn(None if in_time else dict(os.environ))
    if outcome == "applied" and not in_time:
        internal_log.warning(
            "%s: the OpenTelemetry SDK is set up already, without an endpoint for it; start the application with "
            "opentelemetry-instrument, call setup_logger before the SDK is set up, or set OTEL_EXPORTER_OTLP_ENDPOINT",
            EXTERNAL_REPORTING_DSN,
        )


def _opened(path: str, max_bytes: int, backup_count: int) -> _File | None:
    try:
        Path(path).absolute().parent.mkdir(parents=True, exist_ok=True)
        return _File(path, max_bytes=max_bytes, backup_count=backup_count)
    except (OSError, ValueError) as error:
        internal_log.warning("%s: %s cannot be opened, nothing is logged to a file: %s", LOG_FILE_PATH, path, error)
        return None


def _level(given: int | str | None) -> int:
    wish: Any = given if given is not None else os.environ.get(LOG_LEVEL, "").strip() or logging.INFO
    number: Any = wish
    if isinstance(wish, str):
        number = int(wish) if wish.isdecimal() else logging.getLevelName(wish.upper())
    if isinstance(number, int) and not isinstance(number, bool) and 0 < number <= 1000:
        return number
    problem = f"{wish!r}: a level of logging is needed, such as INFO or 20"
    if given is not None:
        raise ValueError(f"level: {problem}")
    internal_log.warning("%s: %s; INFO is used", LOG_LEVEL, problem)
    return logging.INFO


def _number(key: str, name: str, given: int | None, default: int, least: int, most: int) -> int:
    text = os.environ.get(name, "").strip()
    value: Any = given if given is not None else int(text) if text.isdecimal() and len(text) < 20 else text or default
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    problem = f"{value!r}: a whole number from {least} to {most} is needed"
    if given is not None:
        raise ValueError(f"{key}: {problem}")
    internal_log.warning("%s: %s; %d is used", name, problem, default)
    return default
