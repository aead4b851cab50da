"""Any WSGI application."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context, get_current

from otel_errors.handler import ErrorHandler
from otel_errors.middleware.answering import Answering, Asked
from otel_errors.middleware.response import Page

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["ErrorMiddleware", "asked_of"]


class AnsweredWSGI:
    """``application``, whose errors ``answering`` answers."""

    def __init__(self, application: WSGIApplication, answering: Answering) -> None:
        self._application = application
        self._answering = answering

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = _Body(self._answering, environ, start_response)
        body.open(self._application)
        whole = body.whole()
        return body if whole is None else whole


class ErrorMiddleware(AnsweredWSGI):
    """Around a WSGI application, as the outermost of its middleware that can fail.

    ``handler``: None for one that logs to ``otel_errors.handler``. ``type_base``: the address before the code in the
    ``type`` of problem documents. ``page``: makes the HTML instead of ours. ``debug``: errors that are none of
    ``otel_errors.app_errors`` are raised on, for a debugger.

    The application's status and headers wait for the first part of its body, so an error until then is answered.

    >>> def shop(environ, start_response):
    ...     raise KeyError("internal")
    >>> body = ErrorMiddleware(shop)({"HTTP_ACCEPT": "text/plain"}, lambda status, headers: print(status))
    >>> b"internal" in b"".join(body)
    500 Internal Server Error
    False
    """

    def __init__(
        self,
        application: WSGIApplication,
        handler: ErrorHandler | None = None,
        *,
        type_base: str = "",
        page: Page | None = None,
        debug: bool = False,
    ) -> None:
        super().__init__(
            application,
            Answering(handler, mechanism="wsgi", type_base=type_base, page=page, debug=lambda: debug),
        )


class _Body:
    """What the server iterates: the application's body, or the answer to its error."""

    def __init__(self, answering: Answering, environ: WSGIEnvironment, start_response: StartResponse) -> None:
        self._answering = answering
        self._environ = environ
        self._start_response = start_response
        self._waiting: tuple[Any, ...] | None = None
        """The application's call of ``start_response``, until it goes on to the server."""
        self._write: Callable[[bytes], object] | None = None
        """The server's, once it has the status."""
        self._started = False
        self._iterable: Iterable[bytes] = iter(())
        self._parts: Iterator[bytes] = iter(())
        self._context: Context | None = None

    def open(self, application: WSGIApplication) -> None:
        try:
            self._iterable = application(self._environ, self._start)
            self._parts = iter(self._iterable)
        except Exception as error:
            if not self._answer(error):
                raise

    def whole(self) -> Iterable[bytes] | None:
        """A body that is there already, or a file that the server sends by itself, is handed on as it is: servers know
        what to do with those."""
        wrapper = self._environ.get("wsgi.file_wrapper")
        is_file = isinstance(wrapper, type) and isinstance(self._iterable, wrapper)
        if (type(self._iterable) in (list, tuple) or is_file) and self._waiting is not None:
            self._send_start()
            return self._iterable
        return None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while True:
            try:
                part = next(self._parts)
            except StopIteration:
                self._send_start()  # a body without a byte
                raise
            except Exception as error:
                if not self._answer(error):
                    raise
                continue
            if part:
                self._send_start()
            if part or self._started:  # servers want the status before any part, even an empty one
                return part

    def close(self) -> None:
        close = getattr(self._iterable, "close", None)
        if close is None:
            return
        try:
            close()
        except Exception as error:
            if self._answering.passes(error):
                raise
            # Work for after the answer. Raised on, it would only close a connection that is in order.
            self._answering.late(error, asked_of(self._environ), self._context)

    def _answer(self, error: Exception) -> bool:
        """Put the answer in the place of the body. False when ``error`` is to be raised on."""
        if self._answering.passes(error):
            return False
        if self._started:
            # The status is sent: the server cuts the connection, so that the client sees that it is not all.
            self._answering.late(error, asked_of(self._environ), self._context)
            return False
        response = self._answering.response(error, asked_of(self._environ), self._context)
        self._waiting = (f"{response.status} {response.reason}", response.headers)
        self._parts = iter([response.body] if response.body else [])
        return True

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
        arguments = (status, headers) if exc_info is None else (status, headers, exc_info)
        if self._started:
            return self._start_response(*arguments)  # the server says what it thinks of a second call
        self._waiting = arguments
        self._context = get_current()
        return self._write_now

    def _write_now(self, data: bytes) -> object:
        self._send_start()
        return self._write(data) if self._write is not None else None

    def _send_start(self) -> None:
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._write = self._start_response(*waiting)
            self._started = True


def asked_of(environ: WSGIEnvironment) -> Asked:
    """The request, by PEP 3333.

    >>> asked_of({"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/shop", "PATH_INFO": "/orders"}).path
    '/shop/orders'
    """
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    try:
        path = path.encode("latin-1").decode("utf-8", "replace")  # PEP 3333 hands over bytes in text
    except UnicodeEncodeError:
        pass
    return Asked(
        str(environ.get("REQUEST_METHOD", "GET")), path, environ.get("HTTP_ACCEPT"), environ.get("HTTP_ACCEPT_LANGUAGE")
    )
