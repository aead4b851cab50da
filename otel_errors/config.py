"""What the library is told: a closed list of environment names, and the conventions' own switch between span events
and log records.

A bad value cannot stop somebody's application: it is named on stderr and the default is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

ENABLED: Final = "OTEL_ERRORS_ENABLED"
SEND_USER: Final = "OTEL_ERRORS_SEND_USER"
MAX_STACKTRACE_BYTES: Final = "OTEL_ERRORS_MAX_STACKTRACE_BYTES"
NAMES: Final = frozenset({ENABLED, SEND_USER, MAX_STACKTRACE_BYTES})
"""Every ``OTEL_ERRORS_*`` name that the library reads. The service's names are in its own settings."""

SIGNAL_OPT_IN: Final = "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN"
SDK_VALUE_LENGTH_LIMITS: Final = ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT")

DEFAULT_STACKTRACE_BYTES: Final = 64 * 1024
SMALLEST_STACKTRACE_BYTES: Final = 1024
LARGEST_STACKTRACE_BYTES: Final = 1024 * 1024

T = TypeVar("T")


class SignalMode(NamedTuple):
    """Which records carry an exception that passes a recording span."""

    span_events: bool
    log_records: bool


SPAN_EVENTS: Final = SignalMode(span_events=True, log_records=False)
LOGS: Final = SignalMode(span_events=False, log_records=True)
LOGS_DUP: Final = SignalMode(span_events=True, log_records=True)


@dataclass(frozen=True)
class Settings:
    enabled: bool = True
    send_user: bool = False
    """Whether ``set_user``'s id leaves the process, as ``user.id``."""
    max_stacktrace_bytes: int = DEFAULT_STACKTRACE_BYTES
    mode: SignalMode = SPAN_EVENTS
    sdk_value_characters: int | None = None
    """The SDK's limit for an attribute's value as the environment gives it; None when it has none. The SDK would
    cut the tail, where Python has the error."""


def load(
    options: Mapping[str, object] | None = None, environment: Mapping[str, str] | None = None
) -> tuple[Settings, list[str]]:
    """The settings and what was wrong with the values. ``options`` (keyword arguments of ``instrument()``) win
    over the environment."""
    env = os.environ if environment is None else environment
    given = options or {}
    problems: list[str] = []

    def value(name: str, option: str, read: Callable[[object], T], default: T) -> T:
        raw: object = given.get(option)
        if raw is None:
            raw = env.get(name, "")
        if raw == "":
            return default
        try:
            return read(raw)
        except ValueError as error:
            problems.append(f"{name}: {raw!r:.80}: {error}; {default!r} is used")
            return default

    settings = Settings(
        enabled=value(ENABLED, "enabled", _boolean, True),
        send_user=value(SEND_USER, "send_user", _boolean, False),
        max_stacktrace_bytes=value(
            MAX_STACKTRACE_BYTES, "max_stacktrace_bytes", _stacktrace_bytes, DEFAULT_STACKTRACE_BYTES
        ),
        mode=signal_mode(env.get(SIGNAL_OPT_IN, "")),
        sdk_value_characters=_smallest_limit(env),
    )
    return settings, problems


def signal_mode(value: str) -> SignalMode:
    """``logs``: log records only; ``logs/dup``, which wins over ``logs``: both; anything else: span events. A
    comma list is allowed."""
    wishes = {part.strip().lower() for part in value.split(",")}
    if "logs/dup" in wishes:
        return LOGS_DUP
    return LOGS if "logs" in wishes else SPAN_EVENTS


def _boolean(value: object) -> bool:
    word = str(value).strip().lower()
    if word in ("true", "1"):
        return True
    if word in ("false", "0"):
        return False
    raise ValueError("true or false is needed")


def _stacktrace_bytes(value: object) -> int:
    allowed = f"a whole number from {SMALLEST_STACKTRACE_BYTES} to {LARGEST_STACKTRACE_BYTES} is needed"
    try:
        number = int(str(value))
    except ValueError:
        raise ValueError(allowed) from None
    if not SMALLEST_STACKTRACE_BYTES <= number <= LARGEST_STACKTRACE_BYTES:
        raise ValueError(allowed)
    return number


def _smallest_limit(env: Mapping[str, str]) -> int | None:
    limits = [int(text) for name in SDK_VALUE_LENGTH_LIMITS if (text := env.get(name, "").strip()).isdecimal()]
    return min(limits, default=None)
