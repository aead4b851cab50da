"""What the library is told: a closed list of environment names, and the conventions' own switch between span events
and log records.

A bad value cannot stop somebody's application: it is named on stderr and the default is used.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeVar

from otel_errors.release import UNKNOWN_RELEASE, Release, release_of

ENABLED: Final = "OTEL_ERRORS_ENABLED"
SEND_USER: Final = "OTEL_ERRORS_SEND_USER"
USER_KEY: Final = "OTEL_ERRORS_USER_KEY"
MAX_STACKTRACE_BYTES: Final = "OTEL_ERRORS_MAX_STACKTRACE_BYTES"
SAMPLE_RATE: Final = "OTEL_ERRORS_SAMPLE_RATE"
MAX_PER_SECOND: Final = "OTEL_ERRORS_MAX_PER_SECOND"
BEFORE_SEND: Final = "OTEL_ERRORS_BEFORE_SEND"
NOT_ERRORS: Final = "OTEL_ERRORS_NOT_ERRORS"
LOCALS: Final = "OTEL_ERRORS_LOCALS"
SOURCE_LINES: Final = "OTEL_ERRORS_SOURCE_LINES"
LAST_LOG_RECORDS: Final = "OTEL_ERRORS_LAST_LOG_RECORDS"
NAMES: Final = frozenset(
    {
        ENABLED, SEND_USER, USER_KEY, MAX_STACKTRACE_BYTES, SAMPLE_RATE, MAX_PER_SECOND, BEFORE_SEND, NOT_ERRORS,
        LOCALS, SOURCE_LINES, LAST_LOG_RECORDS,
    }
)  # fmt: skip
"""Every ``OTEL_ERRORS_*`` name that the library reads. The service's names are in its own settings."""

SIGNAL_OPT_IN: Final = "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN"
SDK_VALUE_LENGTH_LIMITS: Final = ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT")

DEFAULT_STACKTRACE_BYTES: Final = 64 * 1024
SMALLEST_STACKTRACE_BYTES: Final = 1024
LARGEST_STACKTRACE_BYTES: Final = 1024 * 1024
DEFAULT_PER_SECOND: Final = 1000
MOST_PER_SECOND: Final = 1_000_000
MOST_SOURCE_LINES: Final = 20
MOST_LOG_RECORDS: Final = 100
FEWEST_KEY_CHARACTERS: Final = 16

T = TypeVar("T")
Attributes = dict[str, Any]
SendUser = bool | Literal["pseudonym"]
BeforeSend = Callable[[Attributes, "BaseException | None"], "Mapping[str, Any] | None"]
"""Given the attributes of an error and the exception (None for a message), returns those to send, or None to send
nothing."""


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
    send_user: SendUser = False
    """Whether ``set_user``'s id leaves the process: as it is, or as a keyed hash of it."""
    user_key: str = field(default="", repr=False)
    """Of that hash."""
    max_stacktrace_bytes: int = DEFAULT_STACKTRACE_BYTES
    sample_rate: float = 1.0
    """The share of errors that is recorded."""
    max_per_second: int = DEFAULT_PER_SECOND
    """Errors of this process, averaged over ten seconds; 0 is no limit."""
    before_send: BeforeSend | None = None
    not_errors: frozenset[str] = frozenset()
    """Changes of the kept list of what is not an error (``not_errors.change``)."""
    locals: bool = False
    """Whether the local variables of the application's own frames are sent."""
    source_lines: int = 0
    """How many lines before and after the one that raised, of the application's own frames, are sent."""
    last_log_records: int = 0
    """How many of the log records before the error, of the same work, are sent with it."""
    release: Release = UNKNOWN_RELEASE
    """Of what runs here, as the variables of build and hosting services tell it."""
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

    def value(name: str, option: str, read: Callable[[object], T], default: T, *, secret: bool = False) -> T:
        raw: object = given.get(option)
        if raw is None:
            raw = env.get(name, "")
        if raw == "":
            return default
        try:
            return read(raw)
        except ValueError as error:
            given_text = f"{len(str(raw))} characters" if secret else f"{raw!r:.80}"
            problems.append(f"{name}: {given_text}: {error}; {_as_written(default)} is used")
            return default

    user_key = value(USER_KEY, "user_key", _key, "", secret=True)
    # The key alone is enough: nobody makes one to send nothing, and with it nothing is sent that names anybody.
    by_default: SendUser = "pseudonym" if user_key else False
    send_user = value(SEND_USER, "send_user", _send_user, by_default)
    if send_user == "pseudonym" and not user_key:
        problems.append(f"{SEND_USER}: 'pseudonym': {USER_KEY} is needed for it; users are not sent")
        send_user = False
    settings = Settings(
        enabled=value(ENABLED, "enabled", _boolean, True),
        send_user=send_user,
        user_key=user_key,
        max_stacktrace_bytes=value(
            MAX_STACKTRACE_BYTES,
            "max_stacktrace_bytes",
            _whole(SMALLEST_STACKTRACE_BYTES, LARGEST_STACKTRACE_BYTES),
            DEFAULT_STACKTRACE_BYTES,
        ),
        sample_rate=value(SAMPLE_RATE, "sample_rate", _share, 1.0),
        max_per_second=value(MAX_PER_SECOND, "max_per_second", _whole(0, MOST_PER_SECOND), DEFAULT_PER_SECOND),
        before_send=value(BEFORE_SEND, "before_send", _function, None),
        not_errors=value(NOT_ERRORS, "not_errors", _class_names, frozenset()),
        locals=value(LOCALS, "locals", _boolean, False),
        source_lines=value(SOURCE_LINES, "source_lines", _whole(0, MOST_SOURCE_LINES), 0),
        last_log_records=value(LAST_LOG_RECORDS, "last_log_records", _whole(0, MOST_LOG_RECORDS), 0),
        release=release_of(env),
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


def _as_written(default: object) -> str:
    """A default as one would write it into the environment."""
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) if isinstance(default, (int, float)) else "none"


def _boolean(value: object) -> bool:
    word = str(value).strip().lower()
    if word in ("true", "1"):
        return True
    if word in ("false", "0"):
        return False
    raise ValueError("true or false is needed")


def _send_user(value: object) -> SendUser:
    if str(value).strip().lower() == "pseudonym":
        return "pseudonym"
    try:
        return _boolean(value)
    except ValueError:
        raise ValueError("true, false or pseudonym is needed") from None


def _key(value: object) -> str:
    key = str(value).strip()
    if len(key) < FEWEST_KEY_CHARACTERS:
        raise ValueError(f"at least {FEWEST_KEY_CHARACTERS} characters are needed")
    return key


def _whole(smallest: int, largest: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        allowed = f"a whole number from {smallest} to {largest} is needed"
        try:
            number = int(str(value))
        except ValueError:
            raise ValueError(allowed) from None
        if not smallest <= number <= largest:
            raise ValueError(allowed)
        return number

    return read


def _share(value: object) -> float:
    try:
        share = float(str(value))
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise ValueError("a number from 0 to 1 is needed")
    return share


def _function(value: object) -> BeforeSend:
    """A function, or where to import it from: ``module:function``."""
    if callable(value):
        return value
    module, separator, name = str(value).strip().partition(":")
    if not separator or not module or not name:
        raise ValueError("a function, or module:function, is needed")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # whatever the module does when it is imported
        raise ValueError(f"it cannot be imported: {type(error).__name__}: {error}") from None
    if not callable(found):
        raise ValueError("it is not a function")
    return found  # type: ignore[no-any-return]


def _class_names(value: object) -> frozenset[str]:
    """A list, or a text with commas; ``-`` in front of a name takes it off the kept list."""
    parts = value if isinstance(value, (list, tuple, set, frozenset)) else str(value).split(",")
    names = [str(part).strip() for part in parts if str(part).strip()]
    for name in names:
        if not all(word.isidentifier() for word in name.removeprefix("-").split(".")):
            raise ValueError(f"{name!r:.80} is not the name of a class, such as shop.errors.OutOfStock")
    return frozenset(names)


def _smallest_limit(env: Mapping[str, str]) -> int | None:
    limits = [int(text) for name in SDK_VALUE_LENGTH_LIMITS if (text := env.get(name, "").strip()).isdecimal()]
    return min(limits, default=None)
