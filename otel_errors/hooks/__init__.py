"""Where errors are seen: a file a hook. Each looks up whether the library is on when it is called, and always
calls what it replaced."""

from __future__ import annotations

from otel_errors.guard import tell_failure
from otel_errors.hooks import (
    celery_tasks,
    contrib,
    django_requests,
    event_loops,
    excepthook,
    flask_requests,
    futures,
    log_records,
    logged_before,
    processes,
    server_loggers,
    spans,
    starlette_requests,
    threads,
    unraisable,
    unsampled,
    uvicorn_shutdown,
)

_HOOKS = (
    spans,
    unsampled,
    log_records,
    logged_before,
    threads,
    futures,
    processes,
    event_loops,
    unraisable,
    excepthook,
    contrib,
    server_loggers,
    flask_requests,
    django_requests,
    starlette_requests,
    celery_tasks,
    uvicorn_shutdown,
)


def install() -> None:
    """All of them. One that cannot be installed (another SDK, another version) leaves the others working."""
    for hook in _HOOKS:
        try:
            hook.install()
        except Exception as error:
            tell_failure(hook.__name__, error)


def uninstall() -> None:
    for hook in reversed(_HOOKS):
        try:
            hook.uninstall()
        except Exception as error:
            tell_failure(hook.__name__, error)
