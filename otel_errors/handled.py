"""What became of an error that was handled: the words, status, headers and problem document for who asked."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from otel_errors.app_errors import BaseAppError
from otel_errors.details import Json
from otel_errors.messages import Messages, default_messages
from otel_errors.retry_hint import RetryHint

__all__ = ["REFERENCE_HEADER", "Handled"]

REFERENCE_HEADER: Final = "Support-Reference"
"""Of answers over HTTP; in lower case the trailer of gRPC's."""


@dataclass(frozen=True)
class Handled:
    """What became of an error. ``str()`` of it is for the user.

    >>> from otel_errors.handler import ErrorHandler
    >>> from otel_errors.app_errors import ResourceNotFoundError
    >>> handled = ErrorHandler().handle(ResourceNotFoundError("no row 7"))
    >>> handled.status, handled.code, handled.message == str(handled)
    (404, 'RESOURCE-NOT-FOUND', True)
    """

    error: BaseAppError
    """The exception itself if it is one of the family, else one that says nothing of it."""
    message: str
    """For the user, without the reference."""
    language: str
    event_id: str
    reference: str
    """What the user reads to support; finds the event and the log line."""
    first: bool
    """False when this exception object was handled before: then nothing was logged."""
    retry: RetryHint | None = None
    """Of ``ServiceUnavailableError`` and its kinds: when asking that service again may help."""
    messages: Messages | None = field(default=None, repr=False)

    @property
    def code(self) -> str:
        """The stable word of the catalogue.

        >>> from otel_errors.handler import ErrorHandler
        >>> ErrorHandler().handle(KeyError("sku")).code
        'INTERNAL-ERROR'
        """
        return self.error.code

    @property
    def status(self) -> int:
        """HTTP's.

        >>> from otel_errors.handler import ErrorHandler
        >>> ErrorHandler().handle(KeyError("sku")).status
        500
        """
        return self.error.status

    @property
    def needs_support(self) -> bool:
        """Whether the user is told the reference: what the user can mend alone needs no support.

        >>> from otel_errors.handler import ErrorHandler
        >>> ErrorHandler().handle(KeyError("x")).needs_support
        True
        """
        return bool(self.reference) and (self.status >= 500 or self.error.is_critical)

    @property
    def retry_after(self) -> int | None:
        """After how many seconds asking again may help: the error's own word, else the hint's; None when neither
        knows.

        >>> from otel_errors.handler import ErrorHandler
        >>> from otel_errors.app_errors import RateLimitError
        >>> ErrorHandler().handle(RateLimitError("60 a minute", retry_after=2.5)).retry_after
        3
        """
        seconds = self.error.retry_after
        if seconds is None and self.retry is not None:
            seconds = self.retry.retry_after
        return None if seconds is None else math.ceil(seconds)

    def problem(self, *, type_base: str = "", instance: str | None = None) -> dict[str, Json]:
        """The problem document (RFC 9457), in the same words and with the reference.

        >>> from otel_errors.handler import ErrorHandler
        >>> ErrorHandler().handle(KeyError("x")).problem()["status"]
        500
        """
        document = self.error.to_problem(
            language=self.language,
            reference=self.reference,
            type_base=type_base,
            instance=instance,
            messages=self.messages,
        )
        if self.retry_after is not None:
            document.setdefault("retry_after", self.retry_after)
        return document

    def headers(self) -> dict[str, str]:
        """What the answer says in headers: those that the error needs, and the reference.

        >>> from otel_errors.handler import ErrorHandler
        >>> from otel_errors.app_errors import AuthenticationError
        >>> sorted(ErrorHandler().handle(AuthenticationError("no session")).headers())
        ['Support-Reference', 'WWW-Authenticate']
        """
        headers = dict(self.error.headers())
        if self.retry_after is not None:
            headers.setdefault("Retry-After", str(self.retry_after))
        if self.reference:
            headers[REFERENCE_HEADER] = self.reference
        return headers

    def __str__(self) -> str:
        if not self.needs_support:
            return self.message
        messages = self.messages if self.messages is not None else default_messages()
        return f"{self.message} {messages.page_text('reference', self.language)}: {self.reference}"
