"""Read by type checkers, and run: what users of ``ErrorHandler.catch`` get as types."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

from typing_extensions import assert_type

from otel_errors.app_errors import ResourceNotFoundError
from otel_errors.catching import Caught
from otel_errors.handler import ErrorHandler, Handled

handler = ErrorHandler()


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
assert_type(handler.handle(ResourceNotFoundError("no row")), Handled)
assert_type(handler.handle_exception(ResourceNotFoundError("no row")), str)


async def awaited() -> str | None:
    result = await coroutine(1)
    assert_type(result, str | None)
    return result
