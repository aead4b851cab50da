"""``with handler.catch():`` and ``@handler.catch()`` of ``otel_errors.handler``, for functions, coroutines, generators
and asynchronous generators."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from otel_errors.not_errors import is_not_an_error

if TYPE_CHECKING:
    from otel_errors.handled import Handled

__all__ = ["Catch", "Caught"]

P = ParamSpec("P")
R = TypeVar("R")
D = TypeVar("D")
Y = TypeVar("Y")
S = TypeVar("S")


class Caught:
    """What ``with handler.catch() as caught:`` gives.

    >>> Caught().handled is None
    True
    """

    __slots__ = ("handled",)

    def __init__(self) -> None:
        self.handled: Handled | None = None
        """The answer, after the block ended with an error."""


class Catch(Generic[D]):
    """A context manager and decorator in one; made by ``ErrorHandler.catch``, which says what it does.

    >>> caught = []
    >>> with Catch(lambda error: caught.append(str(error)), only=ValueError, reraise=False, default=None):
    ...     raise ValueError("kept")
    >>> caught
    ['kept']
    """

    def __init__(
        self,
        handle: Callable[[BaseException], Handled],
        *,
        only: type[BaseException] | tuple[type[BaseException], ...],
        reraise: bool,
        default: D,
    ) -> None:
        self._handle = handle
        self._only = only
        self._reraise = reraise
        self._default = default
        # A stack: one object may be entered again inside of itself.
        self._entered: list[Caught] = []

    def __enter__(self) -> Caught:
        caught = Caught()
        self._entered.append(caught)
        return caught

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        caught = self._entered.pop()
        # Control flow and the frameworks' own answers below 500 are somebody else's to receive.
        if error is None or not isinstance(error, self._only) or is_not_an_error(error):
            return False
        caught.handled = self._handle(error)
        return not self._reraise

    @overload
    def __call__(self, function: Callable[P, AsyncGenerator[Y, S]]) -> Callable[P, AsyncGenerator[Y, S]]: ...
    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R | D]]: ...
    @overload
    def __call__(self, function: Callable[P, Generator[Y, S, R]]) -> Callable[P, Generator[Y, S, R | D]]: ...
    @overload
    def __call__(self, function: Callable[P, R]) -> Callable[P, R | D]: ...
    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if not callable(function):
            raise TypeError(f"catch: {function!r}: a function is needed")
        return functools.wraps(function)(self._wrapper(function))

    def _wrapper(self, function: Callable[..., Any]) -> Callable[..., Any]:
        # An object with __call__ is what its __call__ is.
        called = function if inspect.isroutine(function) else getattr(type(function), "__call__", function)  # noqa: B004
        kinds = (function, called)
        if any(inspect.isasyncgenfunction(kind) for kind in kinds):

            async def asynchronous_generator(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
                with self._again():
                    async with aclosing(function(*args, **kwargs)) as inner:
                        try:
                            value = await inner.__anext__()
                            while True:
                                try:
                                    sent = yield value
                                except GeneratorExit:
                                    raise
                                except BaseException as thrown:
                                    value = await inner.athrow(thrown)
                                else:
                                    value = await inner.asend(sent)
                        except StopAsyncIteration:
                            return

            return asynchronous_generator
        if any(inspect.iscoroutinefunction(kind) for kind in kinds):

            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    return await function(*args, **kwargs)
                return self._default

            return coroutine
        if any(inspect.isgeneratorfunction(kind) for kind in kinds):

            def generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
                with self._again():
                    return (yield from function(*args, **kwargs))
                return self._default

            return generator

        def plain(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)
            return self._default

        return plain

    def _again(self) -> Catch[D]:
        """One for each call: calls overlap."""
        return Catch(self._handle, only=self._only, reraise=self._reraise, default=self._default)
