"""Errors that an application raises on purpose: each with a code, a number, a status and facts beside it.

``message`` and ``details`` are for developers: they go to the log and to OpenTelemetry, never to a user. What a user
reads comes from ``otel_errors.messages`` by the code, or from ``user_message`` and ``field_errors``, which say in their
names whom they are for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from otel_errors import error_codes
from otel_errors.app_errors_arguments import (
    MAX_TEXT_CHARACTERS,
    entry_of,
    exception_or_none,
    fields,
    header_text,
    noted,
    picklable,
    seconds,
    truth,
)
from otel_errors.details import Json, safe_details
from otel_errors.error_codes import ErrorCode
from otel_errors.safe_text import text_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from otel_errors.messages import Messages

__all__ = [
    "AuthenticationError",
    "AuthorizationError",
    "BadGatewayError",
    "BaseAppError",
    "ConflictError",
    "InternalServerError",
    "RateLimitError",
    "ResourceGoneError",
    "ResourceNotFoundError",
    "ServiceUnavailableError",
    "UnprocessableError",
    "UpstreamTimeoutError",
    "ValidationError",
]


FieldErrors = Mapping[str, str | Iterable[str]]
"""Name of a field → what is wrong with it, in the user's words: one text or several."""


class CommonArguments(TypedDict, total=False):
    """What every kind takes by keyword beside its own arguments; see ``BaseAppError``."""

    error_code: int | str | ErrorCode | None
    details: Mapping[str, Any] | None
    is_critical: bool | None
    user_message: str | None
    retry_after: float | None


class ProblemOptions(TypedDict, total=False):
    """What ``to_problem`` takes; see ``BaseAppError.to_problem``."""

    language: str | None
    reference: str | None
    type_base: str
    instance: str | None
    messages: Messages | None


class BaseAppError(Exception):
    """The root of the family. Anything may be given for any argument: making an error never raises another.

    >>> error = BaseAppError("stock is below zero", error_code=500, details={"sku": "A-1", "api_key": "k"})
    >>> error.message, error.error_code, error.code, error.is_critical
    ('stock is below zero', 500, 'INTERNAL-ERROR', False)
    >>> error.details
    {'sku': 'A-1', 'api_key': '[redacted]'}

    An application's own kinds are subclasses with a declared code:

    >>> from otel_errors.error_codes import declare
    >>> class PaymentDeclined(BaseAppError):
    ...     default_code = declare("PAYMENT-DECLINED", number=1002, status=402, meaning="The bank said no.")
    >>> PaymentDeclined("issuer said 05").status
    402
    """

    default_code: ClassVar[ErrorCode] = error_codes.INTERNAL_ERROR
    """What ``error_code`` is when none is given."""

    def __init__(
        self,
        message: object = "",
        error_code: int | str | ErrorCode | None = None,
        details: Mapping[str, Any] | None = None,
        is_critical: bool | None = None,
        *,
        user_message: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """``error_code``: an entry of the catalogue, its number or its code; an unknown one is kept as it is, with the
        status of the class. ``is_critical``: whether it pages somebody; None leaves it to the catalogue.
        ``user_message``: shown to the user as it is, instead of the catalogue's text. ``retry_after``: seconds."""
        text = text_of(message)[0]
        super().__init__(text)
        self.message: str = text
        """For developers."""
        entry, number, code = entry_of(error_code, type(self).default_code)
        self.error_code: int = number
        self.code: str = code
        self.status: int = entry.status
        """HTTP's."""
        self.grpc_status: str = entry.grpc_status
        """A name of ``grpc.StatusCode``."""
        self.details: dict[str, Json] = safe_details(details)
        """For developers: bounded, JSON, without secrets."""
        # INTERNAL-ERROR is also what kinds without a code of their own have: those page nobody unless they say so.
        inherited = entry.critical and (
            entry is not error_codes.INTERNAL_ERROR or isinstance(self, InternalServerError)
        )
        self.is_critical: bool = truth(is_critical, inherited)
        self.user_message: str | None = None if user_message is None else text_of(user_message)[0][:MAX_TEXT_CHARACTERS]
        self.retry_after: float | None = seconds(retry_after)
        """After how many seconds asking again may help; None when it is not known."""

    def __str__(self) -> str:
        return self.message or self.code

    def to_dict(self) -> dict[str, Json]:
        """Everything that may be logged or kept, as JSON. Not for users: ``to_problem`` is.

        >>> ResourceNotFoundError("no order 7", resource_id="7").to_dict()["error_code"]
        404
        """
        document: dict[str, Json] = {
            "type": type(self).__name__,
            "error_code": self.error_code,
            "code": self.code,
            "status": self.status,
            "message": self.message,
            "details": safe_details(self.details),  # again: it may have been added to
            "is_critical": self.is_critical,
        }
        if self.retry_after is not None:
            document["retry_after"] = self.retry_after
        return document

    def to_problem(
        self,
        *,
        language: str | None = None,
        reference: str | None = None,
        type_base: str = "",
        instance: str | None = None,
        messages: Messages | None = None,
    ) -> dict[str, Json]:
        """The problem document (RFC 9457) for the user: nothing of ``message`` and ``details``.

        ``language``: one that the messages have, such as ``de``; None for their default. ``type_base``: an address that
        the code is put behind, ``https://shop.example/errors/``; without it the type is ``about:blank``.

        >>> ConflictError("row version 3, not 4").to_problem(reference="1E0-FVE-83B")["detail"]
        'This was changed in the meantime. Please reload the page and try again.'
        """
        from otel_errors.messages import default_messages

        texts = messages if messages is not None else default_messages()
        document: dict[str, Json] = {
            "type": type_base + self.code if type_base else "about:blank",
            "title": texts.title(self.code, self.status, language),
            "status": self.status,
            "detail": self.user_message or texts.text(self.code, self.status, language),
            "code": self.code,
            "error_code": self.error_code,
        }
        if instance is not None:
            document["instance"] = instance
        if reference:
            document["reference"] = reference
        if self.retry_after is not None:
            document["retry_after"] = math.ceil(self.retry_after)
        return document

    def headers(self) -> dict[str, str]:
        """The headers that the answer needs because of what it is.

        >>> RateLimitError("60 a minute", retry_after=2.5).headers()
        {'Retry-After': '3'}
        """
        return {} if self.retry_after is None else {"Retry-After": str(math.ceil(self.retry_after))}

    def __reduce__(self) -> tuple[Any, ...]:
        # Not by calling __init__ again: subclasses have arguments of their own. What cannot be pickled (a connection in
        # an attribute) must not take the error with it on its way out of a worker process.
        return _restored, (type(self), self.args), {key: picklable(value) for key, value in self.__dict__.items()}


class ValidationError(BaseAppError):
    """400: what was sent is not right. ``field_errors`` are shown to the user.

    >>> error = ValidationError("2 bad fields", field_errors={"email": "An @ is missing.", "age": ["Too low."]})
    >>> error.to_problem()["errors"]
    [{'field': 'email', 'detail': 'An @ is missing.'}, {'field': 'age', 'detail': 'Too low.'}]
    """

    default_code: ClassVar[ErrorCode] = error_codes.VALIDATION_FAILED

    def __init__(
        self, message: object = "", field_errors: FieldErrors | None = None, **arguments: Unpack[CommonArguments]
    ) -> None:
        super().__init__(message, **arguments)
        self.field_errors: dict[str, list[str]] = fields(field_errors)

    def to_dict(self) -> dict[str, Json]:
        """As of ``BaseAppError``, with ``field_errors``.

        >>> ValidationError("bad", field_errors={"age": "Too low."}).to_dict()["field_errors"]
        {'age': ['Too low.']}
        """
        shown: dict[str, Json] = {name: list(texts) for name, texts in self.field_errors.items()}
        return {**super().to_dict(), "field_errors": shown}

    def to_problem(self, **options: Unpack[ProblemOptions]) -> dict[str, Json]:
        """As of ``BaseAppError``, with ``errors``: a list of ``field`` and ``detail``.

        >>> "errors" in ValidationError("bad").to_problem()
        False
        """
        document = super().to_problem(**options)
        errors: list[Json] = [
            {"field": name, "detail": text} for name, texts in self.field_errors.items() for text in texts
        ]
        if errors:
            document["errors"] = errors
        return document


class UnprocessableError(ValidationError):
    """422: well-formed, and it makes no sense here; otherwise as ``ValidationError``.

    >>> UnprocessableError("end before start", field_errors={"end": "Choose a later day."}).status
    422
    """

    default_code: ClassVar[ErrorCode] = error_codes.UNPROCESSABLE


class AuthenticationError(BaseAppError):
    """401: who is asking is not known. ``challenge`` is the ``WWW-Authenticate`` header, which HTTP asks for.

    >>> AuthenticationError("token expired", challenge='Bearer error="invalid_token"').headers()
    {'WWW-Authenticate': 'Bearer error="invalid_token"'}
    """

    default_code: ClassVar[ErrorCode] = error_codes.AUTHENTICATION_REQUIRED

    def __init__(
        self, message: object = "", *, challenge: str = "Bearer", **arguments: Unpack[CommonArguments]
    ) -> None:
        super().__init__(message, **arguments)
        self.challenge: str = header_text(challenge) or "Bearer"

    def headers(self) -> dict[str, str]:
        """``WWW-Authenticate`` beside those of ``BaseAppError``.

        >>> AuthenticationError("no session").headers()
        {'WWW-Authenticate': 'Bearer'}
        """
        return {**super().headers(), "WWW-Authenticate": self.challenge}


class AuthorizationError(BaseAppError):
    """403: who is asking may not do this.

    >>> AuthorizationError("clerk may not refund").code
    'ACCESS-DENIED'
    """

    default_code: ClassVar[ErrorCode] = error_codes.ACCESS_DENIED


class ResourceNotFoundError(BaseAppError):
    """404: it does not exist. ``resource_id`` says which, to developers.

    >>> ResourceNotFoundError("no such order", resource_id=4711).details
    {'resource_id': '4711'}
    """

    default_code: ClassVar[ErrorCode] = error_codes.NOT_FOUND

    def __init__(self, message: object = "", resource_id: object = None, **arguments: Unpack[CommonArguments]) -> None:
        super().__init__(message, **arguments)
        self.resource_id: str | None = noted(self.details, "resource_id", resource_id)


class ResourceGoneError(ResourceNotFoundError):
    """410: it existed and was removed for good; otherwise as ``ResourceNotFoundError``.

    >>> ResourceGoneError("offer ended", resource_id="spring").status
    410
    """

    default_code: ClassVar[ErrorCode] = error_codes.GONE


class ConflictError(BaseAppError):
    """409: the change does not fit the present state.

    >>> ConflictError("edited by another clerk").grpc_status
    'ABORTED'
    """

    default_code: ClassVar[ErrorCode] = error_codes.CONFLICT


class RateLimitError(BaseAppError):
    """429: too many requests. ``retry_after`` (seconds) becomes the header.

    >>> RateLimitError("60 a minute", retry_after=30).headers()
    {'Retry-After': '30'}
    """

    default_code: ClassVar[ErrorCode] = error_codes.RATE_LIMITED


class InternalServerError(BaseAppError):
    """500, critical: the application's own fault. ``original_exception`` becomes the cause, so its stack is recorded.

    >>> error = InternalServerError("ledger is off", original_exception=ZeroDivisionError("division by zero"))
    >>> error.is_critical, error.__cause__
    (True, ZeroDivisionError('division by zero'))
    """

    default_code: ClassVar[ErrorCode] = error_codes.INTERNAL_ERROR

    def __init__(
        self,
        message: object = "",
        original_exception: BaseException | None = None,
        **arguments: Unpack[CommonArguments],
    ) -> None:
        super().__init__(message, **arguments)
        self.original_exception: BaseException | None = exception_or_none(original_exception)
        if self.original_exception is not None:
            self.__cause__ = self.original_exception

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        super().__setstate__(state)
        if state is not None and state.get("original_exception") is not None:
            self.__cause__ = state["original_exception"]  # which pickle leaves behind


class ServiceUnavailableError(BaseAppError):
    """503, critical: the service, or ``service_name``, which it needs, cannot answer now.

    >>> error = ServiceUnavailableError("no route to host", service_name="payments", retry_after=5)
    >>> error.service_name, error.headers()
    ('payments', {'Retry-After': '5'})
    """

    default_code: ClassVar[ErrorCode] = error_codes.SERVICE_UNAVAILABLE

    def __init__(self, message: object = "", service_name: object = None, **arguments: Unpack[CommonArguments]) -> None:
        super().__init__(message, **arguments)
        self.service_name: str | None = noted(self.details, "service_name", service_name)


class UpstreamTimeoutError(ServiceUnavailableError):
    """504: another service did not answer in time; otherwise as ``ServiceUnavailableError``, not critical.

    >>> UpstreamTimeoutError("3 s", service_name="stock").status, UpstreamTimeoutError().is_critical
    (504, False)
    """

    default_code: ClassVar[ErrorCode] = error_codes.UPSTREAM_TIMEOUT


class BadGatewayError(ServiceUnavailableError):
    """502: another service gave an answer that cannot be used; otherwise as ``ServiceUnavailableError``, not critical.

    >>> BadGatewayError("HTML instead of JSON", service_name="stock").details
    {'service_name': 'stock'}
    """

    default_code: ClassVar[ErrorCode] = error_codes.BAD_GATEWAY


def _restored(kind: type[BaseAppError], args: tuple[Any, ...]) -> BaseAppError:
    error = kind.__new__(kind, *args)
    error.args = args
    return error
