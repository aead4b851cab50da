"""One place where an application handles what failed: logged once, reported once, and the user gets words that say
nothing internal."""

from __future__ import annotations

import json
import logging
import sys
import threading
import uuid
from collections.abc import Mapping
from typing import Any, Final, Literal, NoReturn, TypeVar, overload

from otel_errors.app_errors import BaseAppError, ServiceUnavailableError
from otel_errors.catching import Catch
from otel_errors.details import Json, one_line, safe_details, safe_text_value
from otel_errors.explicit import capture_exception
from otel_errors.guard import log as internal_log
from otel_errors.guard import tell_failure
from otel_errors.handled import REFERENCE_HEADER, Handled
from otel_errors.messages import Messages, default_messages
from otel_errors.not_errors import leaves_of
from otel_errors.references import reference_of
from otel_errors.retry_hint import RetryHints
from otel_errors.safe_text import text_of
from otel_errors.seen import Sighting, seen
from otel_errors.semconv import ERROR_CODE, EVENT_ID, SUPPORT_REFERENCE, Severity

__all__ = ["CONTEXT_PREFIX", "REFERENCE_HEADER", "ErrorHandler", "Handled"]

HIGHEST_LEVEL: Final = 1000
CONTEXT_PREFIX: Final = "context."
"""``context={"order": 7}`` is the extra ``context.order`` of the log record."""
DEFAULT_LOGGER: Final = "otel_errors.handler"

D = TypeVar("D")
_Only = type[BaseException] | tuple[type[BaseException], ...]
_OURS: Final = frozenset({__name__, "otel_errors.catching", "contextlib"})
_telling = threading.Lock()


class ErrorHandler:
    """Thread-safe; one for an application is enough. None of its methods raises because of what it is given.

    >>> handler = ErrorHandler(logging.getLogger("shop"))
    >>> from otel_errors.app_errors import ConflictError
    >>> handler.handle_exception(ConflictError("row version 3, not 4"))
    'This was changed in the meantime. Please reload the page and try again.'
    """

    def __init__(
        self,
        logger: logging.Logger | str | None = None,
        *,
        messages: Messages | None = None,
        language: str | None = None,
        retry_hints: RetryHints | None = None,
    ) -> None:
        """``messages``: None for those of ``otel_errors.messages.default_messages``, whatever they are by then.
        ``language``: for calls that say none."""
        self.logger: logging.Logger = (
            logger if isinstance(logger, logging.Logger) else logging.getLogger(logger or DEFAULT_LOGGER)
        )
        self.retry_hints: RetryHints = retry_hints if retry_hints is not None else RetryHints()
        """Ask it before a call of a service, tell it of successes."""
        self._messages = messages
        self._language = language

    def handle_exception(
        self,
        exc: BaseException,
        context: Mapping[str, Any] | None = None,
        log_level: int | str | None = None,
    ) -> str:
        """``handle``, of which only the text for the user is wanted. It ends with the support reference when the user
        cannot mend it: status 500 and above, or critical.

        >>> text = ErrorHandler().handle_exception(KeyError("internal"), {"order": 7})
        >>> "internal" in text, "Reference: " in text
        (False, True)
        """
        return str(self.handle(exc, context, log_level))

    def handle(
        self,
        exc: BaseException,
        context: Mapping[str, Any] | None = None,
        log_level: int | str | None = None,
        language: str | None = None,
        *,
        handled: bool | None = True,
        mechanism: str = "capture_exception",
    ) -> Handled:
        """Log ``exc`` with its stack and report it, unless this object was handled before; say what to answer.

        ``context``: facts for developers, logged as ``context.KEY`` and reported as tags, without secrets
        (``otel_errors.details``); the error's own ``details`` are logged with them and reported as one context.
        ``log_level``: CRITICAL for critical errors, ERROR from status 500, WARNING below, unless it is said; CRITICAL
        here makes the error critical. ``language``: one, or an ``Accept-Language`` header. ``handled``: False when it
        is raised on; None when it is answered, which only counts below 500. ``mechanism``: who saw it, if nobody did
        before.

        >>> ErrorHandler().handle(KeyError("x"), language="fr-CH, de;q=0.5").language
        'fr'
        """
        given: object = exc
        if not isinstance(given, BaseException):
            exc = TypeError(f"handle was given {text_of(given)[0][:200]!r}, which is not an exception")
        error, known = _answer_of(exc)
        level = _level(log_level, error, known)
        facts = safe_details(context)
        if handled is None:
            handled = known and error.status < 500
        severity: Severity | None = "critical" if level >= logging.CRITICAL else None
        tags = {key: _flat(facts[key]) for key in facts}
        capture_exception(exc, handled=handled, severity=severity, tags=tags, mechanism=mechanism)
        event_id, first = _tell(exc, handled)
        reference = reference_of(event_id)
        if first:
            self._log(level, exc, error, {**safe_details(error.details), **facts}, event_id, reference)
        return self._answer(error, language, event_id, reference, first)

    def answer(self, exc: BaseException, language: str | None = None) -> Handled:
        """What ``handle`` would say, where nothing is to be logged or reported; so there is no reference.

        >>> handled = ErrorHandler().answer(KeyError("x"))
        >>> handled.status, handled.reference
        (500, '')
        """
        return self._answer(_answer_of(exc)[0], language, "", "", False)

    @overload
    def catch(
        self,
        *,
        reraise: Literal[True],
        only: _Only = ...,
        context: Mapping[str, Any] | None = ...,
        log_level: int | str | None = ...,
    ) -> Catch[NoReturn]: ...
    @overload
    def catch(
        self,
        *,
        reraise: Literal[False] = ...,
        default: D,
        only: _Only = ...,
        context: Mapping[str, Any] | None = ...,
        log_level: int | str | None = ...,
    ) -> Catch[D]: ...
    @overload
    def catch(
        self,
        *,
        reraise: Literal[False] = ...,
        only: _Only = ...,
        context: Mapping[str, Any] | None = ...,
        log_level: int | str | None = ...,
    ) -> Catch[None]: ...
    def catch(
        self,
        *,
        reraise: bool = False,
        default: Any = None,
        only: _Only = Exception,
        context: Mapping[str, Any] | None = None,
        log_level: int | str | None = None,
    ) -> Catch[Any]:
        """A context manager, and a decorator for functions, coroutines, generators and asynchronous generators: what
        they raise is handled. Then it goes on with ``reraise``; else a function gives ``default`` and a generator ends.

        Control flow (``SystemExit``, cancellation, ``StopIteration``) and answers below 500 that frameworks raise as
        exceptions pass untouched.

        >>> handler = ErrorHandler()
        >>> @handler.catch(default=0)
        ... def stock(sku: str) -> int:
        ...     return {"A-1": 5}[sku]
        >>> stock("A-1"), stock("B-2")
        (5, 0)
        >>> with handler.catch(only=KeyError) as caught:
        ...     raise KeyError("B-2")
        >>> caught.handled.status
        500
        """

        def handle(exc: BaseException) -> Handled:
            return self.handle(exc, context, log_level, handled=not reraise)

        return Catch(handle, only=only, reraise=reraise, default=default)

    def _answer(self, error: BaseAppError, language: str | None, event_id: str, reference: str, first: bool) -> Handled:
        messages = self._messages if self._messages is not None else default_messages()
        spoken = messages.language_for(language if language is not None else self._language)
        message = error.user_message or messages.text(error.code, error.status, spoken)
        retry = None
        if isinstance(error, ServiceUnavailableError):
            name = error.service_name or ""
            retry = self.retry_hints.failed(name, error.retry_after) if first else self.retry_hints.hint(name)
        return Handled(error, message, spoken, event_id, reference, first, retry, messages)

    def _log(
        self,
        level: int,
        exc: BaseException,
        error: BaseAppError,
        facts: Mapping[str, Json],
        event_id: str,
        reference: str,
    ) -> None:
        text = one_line(safe_text_value(text_of(exc)[0])) or type(exc).__name__
        extra: dict[str, Any] = {
            EVENT_ID: event_id,
            SUPPORT_REFERENCE: reference,
            ERROR_CODE: error.code,
            **{CONTEXT_PREFIX + key: value if _is_plain(value) else _flat(value) for key, value in facts.items()},
        }
        try:
            self.logger.log(
                level,
                "%s: %s (reference %s)",
                one_line(error.code),
                text,
                reference,
                exc_info=(type(exc), exc, exc.__traceback__),
                extra=extra,
                stacklevel=_frames_of_ours(),
            )
        except Exception as failure:  # a filter or handler of the application's own
            tell_failure("logging a handled error", failure)


def _answer_of(exc: BaseException) -> tuple[BaseAppError, bool]:
    """What is answered, and whether the application said it. Half-built ones (a subclass that never called
    ``__init__``) are answered as unknown, and a group of one error as that one."""
    leaves = leaves_of(exc)
    exc = leaves[0] if len(leaves) == 1 else exc
    if isinstance(exc, BaseAppError):
        try:
            shown: tuple[Any, ...] = (exc.code, exc.status, exc.user_message or "", exc.is_critical)
            dict(exc.headers())
            if (
                isinstance(exc.to_problem(), dict)
                and 400 <= exc.status <= 599
                and all(isinstance(value, kind) for value, kind in zip(shown, (str, int, str, bool), strict=True))
            ):
                return exc, True
        except Exception:
            pass
    return BaseAppError(), False


def _level(wish: int | str | None, error: BaseAppError, known: bool) -> int:
    number = logging.getLevelName(wish.strip().upper()) if isinstance(wish, str) else wish
    if isinstance(number, int) and not isinstance(number, bool) and 0 < number <= HIGHEST_LEVEL:
        return number
    if wish is not None:
        internal_log.warning(
            "log_level: %.80r: a level of logging is needed, such as ERROR or 40; the error decides", text_of(wish)[0]
        )
    if error.is_critical:
        return logging.CRITICAL
    return logging.ERROR if error.status >= 500 or not known else logging.WARNING


def _tell(exc: BaseException, handled: bool) -> tuple[str, bool]:
    """The event id, and whether nobody told of this exception object yet."""
    try:
        # After the report, which made the sighting if there is anything that takes the error; else it is made here, so
        # that the log line and the user have one reference in any case.
        sighting, _ = seen.claim(exc, lambda: Sighting("capture_exception", handled))
        with _telling:
            first, sighting.told = not sighting.told, True
    except Exception as failure:
        tell_failure("telling an error", failure)
        return uuid.uuid4().hex, True
    return sighting.event_id, first


def _frames_of_ours() -> int:
    """``stacklevel`` of the application's frame: log lines show where it handled the error."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") in _OURS:
        level, frame = level + 1, frame.f_back
    return level


def _is_plain(value: Json) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def _flat(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
