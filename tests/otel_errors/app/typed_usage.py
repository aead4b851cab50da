"""Read by type checkers, and run: what users of errors, handler, messages, references and logger get as types."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Generator

from typing_extensions import assert_type

from otel_errors import capture_exception
from otel_errors.app_errors import (
    AuthenticationError,
    BaseAppError,
    InternalServerError,
    RateLimitError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    ValidationError,
)
from otel_errors.catching import Caught
from otel_errors.details import Json, is_secret_key, safe_details
from otel_errors.error_codes import ErrorCode, declare, find
from otel_errors.handler import ErrorHandler, Handled
from otel_errors.log_file import RotatedFile
from otel_errors.logger import setup_logger
from otel_errors.messages import Messages
from otel_errors.references import parse_reference, reference_bytes, reference_of
from otel_errors.retry_hint import RetryHint, RetryHints

handler = ErrorHandler()


# --- errors ---


class PaymentDeclined(BaseAppError):
    default_code = declare("TYPED-PAYMENT-DECLINED", number=1902, status=402, meaning="The bank said no.")

    def __init__(self, reason: str, *, card: str) -> None:
        super().__init__(reason, details={"card": card}, is_critical=False)
        self.card = card


declined = PaymentDeclined("05", card="visa")
assert_type(declined.message, str)
assert_type(declined.error_code, int)
assert_type(declined.code, str)
assert_type(declined.status, int)
assert_type(declined.is_critical, bool)
assert_type(declined.details, dict[str, Json])
assert_type(declined.retry_after, float | None)
assert_type(declined.to_dict(), dict[str, Json])
assert_type(declined.to_problem(language="de", reference="1E0-FVE-83B"), dict[str, Json])
assert_type(declined.headers(), dict[str, str])
assert_type(declined.default_code, ErrorCode)
assert_type(ValidationError("x", field_errors={"age": ["Too low."]}).field_errors, dict[str, list[str]])
assert_type(ValidationError("x", {"age": "Too low."}, user_message="Please check.").user_message, str | None)
assert_type(ResourceNotFoundError("x", resource_id=7).resource_id, str | None)
assert_type(ServiceUnavailableError("x", service_name="bank", retry_after=2).service_name, str | None)
assert_type(InternalServerError("x", KeyError("y")).original_exception, BaseException | None)
assert_type(AuthenticationError("x", challenge="Basic").challenge, str)
assert_type(RateLimitError("x", error_code="RATE-LIMITED", details={"per_minute": 60}), RateLimitError)
assert_type(find(404), ErrorCode | None)


# --- the handler ---


@handler.catch(default="none")
def with_default(number: int) -> int:
    return number


@handler.catch()
def without_default(number: int) -> int:
    return number


@handler.catch(reraise=True)
def reraising(number: int) -> int:
    return number


@handler.catch(default=None)
async def coroutine(number: int) -> str:
    return str(number)


@handler.catch(default=0)
def generator() -> Generator[int, str, bytes]:
    yield 1
    return b""


@handler.catch()
async def asynchronous_generator(number: int) -> AsyncGenerator[int, None]:
    yield number


assert_type(with_default(1), int | str)
assert_type(without_default(1), int | None)
assert_type(reraising(1), int)
assert_type(generator(), Generator[int, str, bytes | int])
assert_type(asynchronous_generator(1), AsyncGenerator[int, None])
with handler.catch() as caught:
    assert_type(caught, Caught)
assert_type(caught.handled, Handled | None)
assert_type(handler.handle_exception(ResourceNotFoundError("no row"), {"order": 7}, "ERROR"), str)
handled = handler.handle(ResourceNotFoundError("no row"), log_level=logging.INFO, language="de")
assert_type(handled, Handled)
assert_type(handled.error, BaseAppError)
assert_type(handled.reference, str)
assert_type(handled.status, int)
assert_type(handled.problem(), dict[str, Json])
assert_type(handled.retry, RetryHint | None)
assert_type(handler.logger, logging.Logger)
assert_type(RetryHints().hint("bank"), RetryHint | None)


# --- messages, references, logger, details ---

assert_type(Messages(overrides={"RESOURCE-GONE": {"de": "Weg."}}).text("RESOURCE-GONE", 410, "de"), str)
assert_type(Messages().languages, tuple[str, ...])
assert_type(parse_reference("1e0 fve 83b"), str)
assert_type(reference_of("e1"), str)
assert_type(reference_bytes("1E0-FVE-83B"), bytes)
assert_type(setup_logger("typed.usage", level="ERROR", console=None), logging.Logger)
assert_type(safe_details({"password": "x"}), dict[str, Json])
assert_type(is_secret_key("api_key"), bool)
assert_type(capture_exception(KeyError("x")), str | None)
assert issubclass(RotatedFile, logging.Handler)


async def awaited() -> str | None:
    result = await coroutine(1)
    assert_type(result, str | None)
    return result
