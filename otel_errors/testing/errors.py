"""Captured errors as an application's tests read them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

from otel_errors import semconv


@dataclass(frozen=True)
class CapturedError:
    """Texts that the error has not are ``""``.

    >>> from otel_errors import capture_exception
    >>> from otel_errors.testing import capturing
    >>> with capturing() as errors:
    ...     event_id = capture_exception(ValueError("no such plan"), severity="low")
    >>> error = errors.one()
    >>> error.type, error.message, error.handled, error.severity
    ('ValueError', 'no such plan', True, 'low')
    """

    type: str
    """Qualified: ``shop.payments.CardDeclined``; ``""`` for ``capture_message``."""
    message: str
    stack: str
    """As Python prints it."""
    handled: bool
    mechanism: str
    """Who saw it: ``span``, ``capture_exception``, ``threading``, …"""
    severity: str
    """What the application said: critical, high, medium, low; ``""``: the processor decides."""
    severity_number: str
    """OpenTelemetry's: WARN, ERROR, FATAL."""
    user: str = ""
    """What ``set_user`` said, whether it would leave the process or not."""
    tags: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, Any] = field(default_factory=dict)
    feature_flags: Mapping[str, str] = field(default_factory=dict)
    error_code: str = ""
    event_id: str = ""
    trace_id: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Everything that is sent, by the names that it is sent under."""

    def __str__(self) -> str:
        return f"{self.type or 'message'}: {self.message} ({self.mechanism}, {'' if self.handled else 'un'}handled)"


def from_attributes(attributes: Mapping[str, Any], severity_number: str, trace_id: str) -> CapturedError:
    contexts = _under(attributes, semconv.CONTEXT_PREFIX)
    return CapturedError(
        type=attributes.get(semconv.EXCEPTION_TYPE, ""),
        message=attributes.get(semconv.EXCEPTION_MESSAGE, ""),
        stack=attributes.get(semconv.EXCEPTION_STACKTRACE, ""),
        handled=attributes.get(semconv.HANDLED, False),
        mechanism=attributes.get(semconv.MECHANISM, ""),
        severity=attributes.get(semconv.SEVERITY, ""),
        severity_number=severity_number,
        user=attributes.get(semconv.USER_ID, ""),
        tags=_under(attributes, semconv.TAG_PREFIX),
        contexts={name: json.loads(text) for name, text in contexts.items()},
        feature_flags=_under(attributes, semconv.FEATURE_FLAG_PREFIX),
        error_code=attributes.get(semconv.ERROR_CODE, ""),
        event_id=attributes.get(semconv.EVENT_ID, ""),
        trace_id=trace_id,
        attributes=dict(attributes),
    )


class CapturedErrors(Sequence[CapturedError]):
    """In the order in which they were first seen. One that is seen again, because it is also logged or ends a thread,
    stays one, as the processor counts it.

    >>> from otel_errors import capture_exception
    >>> from otel_errors.testing import capturing
    >>> with capturing() as errors:
    ...     for key in ("a", "b"):
    ...         event_id = capture_exception(KeyError(key))
    >>> len(errors), [error.message for error in errors]
    (2, ["'a'", "'b'"])
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._errors: dict[str, CapturedError] = {}

    def one(self) -> CapturedError:
        """The only one. ``AssertionError``, which lists what there is, when there are none or more."""
        errors = list(self)
        if len(errors) != 1:
            raise AssertionError(f"one error was expected, {len(errors)} were captured{_listed(errors)}")
        return errors[0]

    def clear(self) -> None:
        """Forget those so far."""
        with self._lock:
            self._errors.clear()

    def add(self, error: CapturedError) -> None:
        with self._lock:
            first = self._errors.get(error.event_id)
            if first is not None:
                error = replace(first, handled=first.handled and error.handled)
            self._errors[error.event_id] = error

    def __len__(self) -> int:
        return len(self._errors)

    def __iter__(self) -> Iterator[CapturedError]:
        with self._lock:
            return iter(list(self._errors.values()))

    @overload
    def __getitem__(self, index: int) -> CapturedError: ...
    @overload
    def __getitem__(self, index: slice) -> list[CapturedError]: ...
    def __getitem__(self, index: int | slice) -> CapturedError | list[CapturedError]:
        return list(self)[index]

    def __repr__(self) -> str:
        return f"<{len(self)} captured errors{_listed(list(self))}>"


def _listed(errors: list[CapturedError]) -> str:
    return "".join(f"\n  {error}" for error in errors)


def _under(attributes: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {key[len(prefix) :]: value for key, value in attributes.items() if key.startswith(prefix)}
