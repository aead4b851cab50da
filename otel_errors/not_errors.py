"""Exceptions that are control flow, not errors. Found by module and name along the MRO: nothing of a framework is
imported for it."""

from __future__ import annotations

_CONTROL_FLOW = (GeneratorExit, SystemExit, KeyboardInterrupt, StopIteration, StopAsyncIteration)

_NAMES = frozenset(
    {
        ("asyncio.exceptions", "CancelledError"),
        ("django.http.response", "Http404"),
        ("django.core.exceptions", "PermissionDenied"),
    }
)

_STATUS_ATTRIBUTE = {
    # fastapi.HTTPException is a subclass of Starlette's; Flask's abort() raises werkzeug's.
    ("starlette.exceptions", "HTTPException"): "status_code",
    ("starlette.exceptions", "WebSocketException"): "",
    ("werkzeug.exceptions", "HTTPException"): "code",
}

_MAX_GROUP_DEPTH = 8


def is_not_an_error(exc: BaseException) -> bool:
    """True for control flow, cancellation and answers below 500 that frameworks raise; for a group, when all its
    members are such. Never raises: an object that resists being looked at is an error.
    """
    try:
        return _is_not_an_error(exc, 0)
    except Exception:
        return False


def _is_not_an_error(exc: BaseException, depth: int) -> bool:
    if isinstance(exc, _CONTROL_FLOW):
        return True
    members = _members(exc)
    if members:
        return depth < _MAX_GROUP_DEPTH and all(_is_not_an_error(member, depth + 1) for member in members)
    for base in type(exc).__mro__:
        key = (base.__module__, base.__name__)
        if key in _NAMES:
            return True
        attribute = _STATUS_ATTRIBUTE.get(key)
        if attribute is not None:
            return _below_500(exc, attribute)
    return False


def _members(exc: BaseException) -> tuple[BaseException, ...]:
    """Of an ExceptionGroup (Python 3.11) or its backport; empty for anything else."""
    if not any(base.__name__ == "BaseExceptionGroup" for base in type(exc).__mro__):
        return ()
    members = getattr(exc, "exceptions", ())
    return members if isinstance(members, tuple) else ()


def _below_500(exc: BaseException, attribute: str) -> bool:
    if not attribute:
        return True
    status = getattr(exc, attribute, None)
    return isinstance(status, int) and status < 500
