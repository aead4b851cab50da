"""The one table of the matrix: where errors come from, and what has to arrive for each."""

from __future__ import annotations

from dataclasses import dataclass

FATAL, ERROR = 21, 17
MODES = ("", "logs", "logs/dup")

NONE = "none"
SPAN = "span"
UNSAMPLED = "unsampled"
"""The ids of a span that is not sampled, so does not arrive itself."""


@dataclass(frozen=True)
class Source:
    name: str
    """Also the message of the exception."""
    mechanism: str
    context: str = SPAN
    severity: int = ERROR
    path: str = ""
    """Of the request that triggers it; empty where the application does it by itself."""
    status: int = 500
    reason: str = ""
    """Why a newer Python than that of the test is needed."""


@dataclass(frozen=True)
class Expected:
    """Raised, and not an error: nothing arrives."""

    name: str
    path: str = ""
    status: int = 0


@dataclass(frozen=True)
class Application:
    name: str
    file: str
    command: tuple[str, ...]
    """After ``opentelemetry-instrument``; ``{fd}`` is a listening socket's number, ``{file}`` and ``{module}`` the
    application's."""
    sources: tuple[Source, ...]
    expected: tuple[Expected, ...] = ()
    instrumentations: tuple[str, ...] = ()
    """Contrib's, which are switched on beside ours and logging."""


PLAIN = (
    Source("thread", "threading", NONE),
    Source("thread of a span", "threading"),
    Source("future never read", "concurrent.futures", NONE),
    Source("task never awaited, asyncio", "asyncio", NONE),
    Source("callback, asyncio", "asyncio", NONE),
    Source("task never awaited, uvloop", "asyncio", NONE),
    Source("callback, uvloop", "asyncio", NONE),
    Source("task group", "span"),
    Source("task group, seen in the member's span", "span"),
    Source("finalizer", "unraisablehook", NONE),
    Source("logging", "logging", NONE),
    Source("record_exception", "record_exception"),
    Source("start_as_current_span", "span"),
    Source("use_span", "span"),
    Source("with start_span()", "span"),
    Source("with start_span(), BaseException", "span"),
    Source("unsampled, start_as_current_span", "span", UNSAMPLED),
    Source("unsampled, with start_span()", "span", UNSAMPLED),
    Source("child, fork", "multiprocessing", NONE, FATAL),
    Source("child, spawn", "multiprocessing", NONE, FATAL),
    Source("child, forkserver", "multiprocessing", NONE, FATAL),
    Source("process end", "excepthook", NONE, FATAL),
)

FLASK = (
    Source("Flask, unhandled", "flask", path="/unhandled"),
    Source("Flask, unhandled in a span", "span", path="/span"),
    Source("Flask, errorhandler that answers 500", "flask", path="/errorhandler"),
    Source("Flask, abort(503)", "flask", path="/unavailable", status=503),
)
FLASK_EXPECTED = (
    Expected("errorhandler that answers 409", "/expected", 409),
    Expected("abort(404)", "/missing", 404),
)

FASTAPI = (
    Source("FastAPI, unhandled", "span", path="/unhandled"),
    Source("FastAPI, unhandled in a thread", "span", path="/sync"),
    Source("FastAPI, unhandled in a span", "span", path="/span"),
    Source("FastAPI, exception_handler that answers 500", "starlette", path="/handler"),
    Source("FastAPI, HTTPException(503)", "starlette", path="/unavailable", status=503),
)
FASTAPI_EXPECTED = (
    Expected("exception_handler that answers 409", "/expected", 409),
    Expected("HTTPException(404)", "/missing", 404),
    Expected("a request that does not validate", "/number/x", 422),
)

GUNICORN = ("gunicorn", "--bind", "fd://{fd}", "--workers", "2", "--log-level", "warning", "--graceful-timeout", "5")

APPLICATIONS = (
    Application(
        "plain",
        "plain.py",
        ("{python}", "{file}"),
        PLAIN,
        (
            Expected("a future whose result() or exception() is read"),
            Expected("CancelledError through a span"),
            Expected("KeyboardInterrupt, SystemExit, GeneratorExit through a span"),
            Expected("sys.exit(3) of a child"),
        ),
        ("threading",),
    ),
    Application("Flask, gunicorn sync", "flask_app.py", (*GUNICORN, "{module}:app"), FLASK, FLASK_EXPECTED, ("flask",)),
    Application(
        "Flask, gunicorn gthread",
        "flask_app.py",
        (*GUNICORN, "--worker-class", "gthread", "--threads", "2", "{module}:app"),
        FLASK,
        FLASK_EXPECTED,
        ("flask",),
    ),
    Application(
        "FastAPI, uvicorn --workers 2",
        "fastapi_app.py",
        ("uvicorn", "--fd", "{fd}", "--workers", "2", "--log-level", "warning", "{module}:app"),
        FASTAPI,
        FASTAPI_EXPECTED,
        ("fastapi",),
    ),
    Application(
        "FastAPI, gunicorn with uvicorn workers",
        "fastapi_app.py",
        (*GUNICORN, "--worker-class", "uvicorn.workers.UvicornWorker", "{module}:app"),
        FASTAPI,
        FASTAPI_EXPECTED,
        ("fastapi",),
    ),
    Application(
        "Django, gunicorn sync",
        "django_app.py",
        (*GUNICORN, "{module}:app"),
        (
            Source("Django, unhandled", "django", path="/unhandled"),
            Source("Django, error in a middleware", "django", path="/middleware"),
            Source("Django, process_exception that answers 500", "django", path="/wrapped"),
        ),
        (
            Expected("Http404", "/missing", 404),
            Expected("PermissionDenied", "/forbidden", 403),
            Expected("SuspiciousOperation", "/suspicious", 400),
        ),
        ("django",),
    ),
    Application(
        "aiohttp",
        "aiohttp_app.py",
        ("{python}", "{file}", "{fd}"),
        (
            Source("aiohttp, unhandled", "span", path="/unhandled"),
            Source("aiohttp, HTTPServiceUnavailable", "span", path="/unavailable", status=503),
        ),
        (Expected("HTTPNotFound", "/missing", 404), Expected("HTTPFound", "/moved", 200)),
        ("aiohttp-server",),
    ),
    Application(
        "gRPC, sync and aio",
        "grpc_app.py",
        ("{python}", "{file}"),
        (
            Source("gRPC, unhandled", "span"),
            Source("gRPC, unhandled in a stream", "span"),
            Source("gRPC aio, unhandled", "span"),
        ),
        (Expected("context.abort() of both"),),
        ("grpc_server", "grpc_aio_server"),
    ),
    Application(
        "Celery prefork",
        "celery_app.py",
        ("celery", "--app", "{module}", "worker", "--concurrency", "2", "--loglevel", "ERROR", "--without-gossip"),
        (Source("Celery, task fails", "celery"), Source("Celery, fails after retries", "celery")),
        (
            Expected("a retry that works"),
            Expected("attempts before the last"),
            Expected("throws=(Expected,)"),
            Expected("Ignore"),
        ),
        ("celery",),
    ),
)
