"""The one table of the matrix: where errors come from, and what has to arrive for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FATAL, ERROR = 21, 17
MODES = ("", "logs", "logs/dup")

NONE = "none"
SPAN = "span"
UNSAMPLED = "unsampled"
"""The ids of a span that is not sampled, so does not arrive itself."""
LOG, AS_THE_MODE_SAYS = "log", ""


@dataclass(frozen=True)
class Source:
    name: str
    """Also the message of the exception, unless ``message`` says another."""
    mechanism: str
    context: str = SPAN
    span: str = ""
    """The name of the span, or the end of it; every source in a span has one."""
    severity: int = ERROR
    handled: bool = False
    signal: str = AS_THE_MODE_SAYS
    """``LOG``: a log record in every mode."""
    path: str = ""
    """Of the request that triggers it; empty where the application does it by itself."""
    status: int = 500
    message: str = ""
    unsampled: str = ""
    """The mechanism when the trace is not sampled, if that is another: some instrumentations skip such spans."""
    since: tuple[int, int] = (3, 10)
    """The Python that has it."""

    @property
    def only_logged(self) -> bool:
        """In every mode, because no span can take it."""
        return self.signal == LOG or self.context != SPAN


@dataclass(frozen=True)
class Expected:
    """Raised, and not an error: nothing arrives."""

    name: str
    path: str = ""
    status: int = 0


@dataclass(frozen=True)
class AnotherList:
    """What changes when ``OTEL_ERRORS_NOT_ERRORS`` has ``names``."""

    names: tuple[str, ...]
    gone: frozenset[str]
    """The names of sources that are errors without it."""
    come: tuple[Source, ...] = ()
    """What is not an error without it."""


@dataclass(frozen=True)
class Application:
    name: str
    file: str
    command: tuple[str, ...]
    """After ``opentelemetry-instrument``; ``{fd}`` is a listening socket's number, ``{file}`` and ``{module}`` the
    application's."""
    sources: tuple[Source, ...]
    expected: tuple[Expected, ...]
    instrumentations: tuple[str, ...]
    """Contrib's, which are switched on beside ours and logging."""
    another_list: AnotherList
    another_server: bool = False
    """The same application stands above under another server."""


def _in_span(name: str, mechanism: str, span: str, path: str = "", status: int = 500, **more: Any) -> Source:
    return Source(name, mechanism, SPAN, span, path=path, status=status, **more)


def _loop(name: str) -> tuple[Source, ...]:
    return (
        Source(f"task never awaited, {name}", "asyncio", NONE),
        Source(f"callback, {name}", "asyncio", NONE),
        Source(f"callback, own exception handler, {name}", "asyncio", NONE),
        Source(f"exception handler that raises, {name}", "asyncio", NONE),
        Source(f"task group, {name}", "span", SPAN, f"group, {name}", since=(3, 11)),
        Source(f"member of a task group, {name}", "span", SPAN, f"member, {name}", since=(3, 11)),
    )


PLAIN = (
    Source("thread", "threading", NONE),
    Source("thread of a span", "threading", SPAN, "parent of a thread", signal=LOG),
    Source("future never read", "concurrent.futures", NONE),
    Source("future of a span, never read", "concurrent.futures", SPAN, "parent of a future", signal=LOG),
    Source("process pool's future never read", "concurrent.futures", NONE),
    *_loop("asyncio"),
    *_loop("uvloop"),
    Source("finalizer", "unraisablehook", NONE),
    Source("logging", "logging", NONE, handled=True),
    Source("logging in a span", "logging", SPAN, "logged", handled=True, signal=LOG),
    Source("record_exception", "record_exception", SPAN, "recorded", handled=True),
    Source("start_as_current_span", "span", SPAN, "inner"),
    Source("use_span", "span", SPAN, "used"),
    Source("with start_span()", "span", SPAN, "started"),
    Source("with start_span(), BaseException", "span", SPAN, "started, BaseException"),
    Source("unsampled, start_as_current_span", "span", UNSAMPLED),
    Source("unsampled, use_span", "span", UNSAMPLED),
    Source("unsampled, with start_span()", "span", UNSAMPLED),
    Source("unsampled, record_exception", "record_exception", UNSAMPLED, handled=True),
    Source("child, fork", "multiprocessing", NONE, severity=FATAL),
    Source("child, spawn", "multiprocessing", NONE, severity=FATAL),
    Source("child, forkserver", "multiprocessing", NONE, severity=FATAL),
    Source("process end", "excepthook", NONE, severity=FATAL),
)

FLASK = (
    _in_span("Flask, unhandled", "flask", "GET /unhandled", "/unhandled"),
    _in_span("Flask, unhandled in a span", "span", "load", "/span"),
    _in_span("Flask, unhandled in before_request", "flask", "GET /before", "/before"),
    _in_span("Flask, errorhandler that answers 500", "flask", "GET /errorhandler", "/errorhandler"),
    _in_span("Flask, errorhandler(Exception) that answers 500", "flask", "GET /any/failing", "/any/failing"),
    _in_span("Flask, abort(503)", "flask", "GET /unavailable", "/unavailable", 503),
    Source("Flask, a stream that fails", "gunicorn", NONE, path="/stream", status=200),
)
FLASK_EXPECTED = (
    Expected("errorhandler that answers 409", "/expected", 409),
    Expected("errorhandler(Exception) that answers 409", "/any/expected", 409),
    Expected("abort(404)", "/missing", 404),
)
FLASK_LIST = AnotherList(
    ("flask_app.Wrapped", "-werkzeug.exceptions.NotFound"),
    frozenset({"Flask, errorhandler that answers 500"}),
    (_in_span("Flask, abort(404)", "flask", "GET /missing", "/missing", 404),),
)

FASTAPI = (
    _in_span("FastAPI, unhandled", "span", "GET /unhandled", "/unhandled", unsampled="starlette"),
    _in_span("FastAPI, unhandled in a thread", "span", "GET /sync", "/sync", unsampled="starlette"),
    _in_span("FastAPI, unhandled in a span", "span", "load", "/span"),
    _in_span("FastAPI, unhandled in a dependency", "span", "GET /dependency", "/dependency", unsampled="starlette"),
    _in_span("FastAPI, error in a middleware", "span", "GET /middleware", "/middleware", unsampled="starlette"),
    _in_span("FastAPI, background task", "span", "BackgroundTask fail", "/background", 200),
    # Behind a middleware the end of the answer is sent first, and with that the span ends.
    _in_span("FastAPI, a stream that fails", "starlette", "GET /stream", "/stream", 200, signal=LOG),
    _in_span("FastAPI, exception_handler that answers 500", "starlette", "GET /handler", "/handler"),
    _in_span("FastAPI, HTTPException(503)", "starlette", "GET /unavailable", "/unavailable", 503),
)
FASTAPI_EXPECTED = (
    Expected("exception_handler that answers 409", "/expected", 409),
    Expected("HTTPException(404)", "/missing", 404),
    Expected("a request that does not validate", "/number/x", 422),
)
FASTAPI_LIST = AnotherList(
    ("fastapi_app.Wrapped", "-fastapi.exceptions.HTTPException"),
    frozenset({"FastAPI, exception_handler that answers 500"}),
    (_in_span("FastAPI, HTTPException(404)", "starlette", "GET /missing", "/missing", 404),),
)

DJANGO = (
    _in_span("Django, unhandled", "django", "GET unhandled", "/unhandled"),
    _in_span("Django, error in a middleware", "django", "GET", "/middleware"),
    _in_span("Django, process_exception that answers 500", "django", "GET wrapped", "/wrapped"),
    _in_span("Django, async view", "django", "GET asynchronous", "/asynchronous"),
)
DJANGO_EXPECTED = (
    Expected("Http404", "/missing", 404),
    Expected("PermissionDenied", "/forbidden", 403),
    Expected("SuspiciousOperation", "/suspicious", 400),
    Expected("process_exception that answers 409", "/expected", 409),
)
DJANGO_LIST = AnotherList(
    ("django_app.Wrapped", "-django.http.response.Http404"),
    frozenset({"Django, process_exception that answers 500"}),
    (_in_span("Django, Http404", "django", "GET missing", "/missing", 404),),
)

GUNICORN = ("gunicorn", "--bind", "fd://{fd}", "--workers", "2", "--log-level", "warning", "--graceful-timeout", "5")

# Its workers are killed when they take longer than that to begin, which is 5 seconds unless told otherwise.
UVICORN = ("uvicorn", "--fd", "{fd}", "--workers", "2", "--timeout-worker-healthcheck", "100", "--log-level", "warning")

APPLICATIONS = (
    Application(
        "plain",
        "plain.py",
        ("{python}", "{file}"),
        PLAIN,
        (
            Expected("a future whose result() or exception() is read"),
            Expected("a future that is cancelled"),
            Expected("CancelledError through a span"),
            Expected("KeyboardInterrupt, SystemExit, GeneratorExit through a span"),
            Expected("sys.exit(3) of a child"),
            Expected("sys.exit(3) of a thread"),
        ),
        ("threading",),
        AnotherList(
            ("failing.FailedHard", "-KeyboardInterrupt"),
            frozenset({"with start_span(), BaseException"}),
            (Source("KeyboardInterrupt through a span", "span", SPAN, "left by KeyboardInterrupt"),),
        ),
    ),
    Application(
        "Flask, gunicorn sync",
        "flask_app.py",
        (*GUNICORN, "{module}:app"),
        FLASK,
        FLASK_EXPECTED,
        ("flask",),
        FLASK_LIST,
    ),
    Application(
        "Flask, gunicorn gthread",
        "flask_app.py",
        (*GUNICORN, "--worker-class", "gthread", "--threads", "2", "{module}:app"),
        FLASK,
        FLASK_EXPECTED,
        ("flask",),
        FLASK_LIST,
        another_server=True,
    ),
    Application(
        "FastAPI, uvicorn --workers 2",
        "fastapi_app.py",
        (*UVICORN, "{module}:app"),
        FASTAPI,
        FASTAPI_EXPECTED,
        ("fastapi",),
        FASTAPI_LIST,
    ),
    Application(
        "FastAPI, gunicorn with uvicorn workers",
        "fastapi_app.py",
        (*GUNICORN, "--worker-class", "uvicorn.workers.UvicornWorker", "{module}:app"),
        FASTAPI,
        FASTAPI_EXPECTED,
        ("fastapi",),
        FASTAPI_LIST,
        another_server=True,
    ),
    Application(
        "Starlette, uvicorn",
        "starlette_app.py",
        ("uvicorn", "--fd", "{fd}", "--log-level", "warning", "{module}:app"),
        (
            _in_span("Starlette, unhandled", "span", "GET /unhandled", "/unhandled"),
            _in_span("Starlette, exception handler that answers 500", "starlette", "GET /handler", "/handler"),
            _in_span("Starlette, handler of Exception", "span", "GET /unhandled", "/mounted/unhandled"),
            _in_span("Starlette, HTTPException(503)", "starlette", "GET /unavailable", "/unavailable", 503),
        ),
        (
            Expected("exception handler that answers 409", "/expected", 409),
            Expected("HTTPException(404)", "/missing", 404),
        ),
        ("starlette",),
        AnotherList(
            ("starlette_app.Wrapped", "-starlette.exceptions.HTTPException"),
            frozenset({"Starlette, exception handler that answers 500"}),
            (_in_span("Starlette, HTTPException(404)", "starlette", "GET /missing", "/missing", 404),),
        ),
    ),
    Application(
        "Django, gunicorn sync",
        "django_app.py",
        (*GUNICORN, "{module}:app"),
        DJANGO,
        DJANGO_EXPECTED,
        ("django",),
        DJANGO_LIST,
    ),
    Application(
        "Django ASGI, uvicorn",
        "django_app.py",
        ("uvicorn", "--fd", "{fd}", "--log-level", "warning", "--lifespan", "off", "{module}:asgi"),
        DJANGO,
        DJANGO_EXPECTED,
        ("django",),
        DJANGO_LIST,
        another_server=True,
    ),
    Application(
        "aiohttp",
        "aiohttp_app.py",
        ("{python}", "{file}", "{fd}"),
        (
            _in_span("aiohttp, unhandled", "span", "GET /unhandled", "/unhandled"),
            _in_span("aiohttp, error in a middleware", "span", "GET /middleware", "/middleware"),
            _in_span("aiohttp, HTTPServiceUnavailable", "span", "GET /unavailable", "/unavailable", 503),
        ),
        (Expected("HTTPNotFound", "/missing", 404), Expected("HTTPFound", "/moved", 200)),
        ("aiohttp-server",),
        AnotherList(
            ("aiohttp.web_exceptions.HTTPServiceUnavailable", "-aiohttp.web_exceptions.HTTPNotFound"),
            frozenset({"aiohttp, HTTPServiceUnavailable"}),
            (_in_span("aiohttp, HTTPNotFound", "span", "GET /missing", "/missing", 404),),
        ),
    ),
    Application(
        "gRPC, sync and aio",
        "grpc_app.py",
        ("{python}", "{file}"),
        (
            _in_span("gRPC, unhandled", "span", "/shop.Shop/unhandled"),
            _in_span("gRPC, unhandled in a stream", "span", "/shop.Shop/stream"),
            _in_span("gRPC, of a class of its own", "span", "/shop.Shop/listed"),
            _in_span("gRPC aio, unhandled", "span", "/shop.Shop/aio_unhandled"),
            _in_span("gRPC aio, unhandled in a stream", "span", "/shop.Shop/aio_stream"),
        ),
        (Expected("context.abort() of both"),),
        ("grpc_server", "grpc_aio_server"),
        AnotherList(
            ("__main__.Listed", "-grpc._cython.cygrpc.AbortError"),
            frozenset({"gRPC, of a class of its own"}),
            (_in_span("gRPC aio, context.abort()", "span", "/shop.Shop/aio_abort", message="Locally aborted."),),
        ),
    ),
    Application(
        "Celery prefork",
        "celery_app.py",
        ("celery", "--app", "{module}", "worker", "--concurrency", "2", "--loglevel", "ERROR", "--without-gossip"),
        (
            _in_span("Celery, task fails", "celery", "run/celery_app.failing"),
            _in_span("Celery, fails after retries", "celery", "run/celery_app.retrying"),
            _in_span("Celery, autoretry_for gives up", "celery", "run/celery_app.autoretrying"),
            _in_span("Celery, of a class of its own", "celery", "run/celery_app.listed"),
        ),
        (
            Expected("a retry that works"),
            Expected("attempts before the last"),
            Expected("throws=(Expected,)"),
            Expected("Ignore"),
            Expected("Reject"),
        ),
        ("celery",),
        AnotherList(("celery_app.Listed",), frozenset({"Celery, of a class of its own"})),
    ),
)
