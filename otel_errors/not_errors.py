"""Exceptions that are control flow, not errors. Found by module and name along the MRO: nothing of a framework is
imported for it."""

from __future__ import annotations

from collections.abc import Collection
from types import TracebackType
from typing import Any

from otel_errors.seen import Sighting, seen

_CONTROL_FLOW = (GeneratorExit, SystemExit, KeyboardInterrupt, StopIteration, StopAsyncIteration)

_NAMES = frozenset(
    {
        ("asyncio.exceptions", "CancelledError"),
        ("concurrent.futures._base", "CancelledError"),
        ("django.http.response", "Http404"),
        ("django.core.exceptions", "PermissionDenied"),
        # Django answers these with 400.
        ("django.core.exceptions", "BadRequest"),
        ("django.core.exceptions", "SuspiciousOperation"),
        ("django.http.multipartparser", "MultiPartParserError"),
        # The client went away.
        ("starlette.requests", "ClientDisconnect"),
        ("starlette.websockets", "WebSocketDisconnect"),
        # Celery's Retry, Ignore and Reject.
        ("celery.exceptions", "TaskPredicate"),
        ("grpc._cython.cygrpc", "AbortError"),
    }
)

_STATUS_ATTRIBUTE = {
    # fastapi.HTTPException is a subclass of Starlette's; Flask's abort() raises werkzeug's.
    ("starlette.exceptions", "HTTPException"): "status_code",
    ("starlette.exceptions", "WebSocketException"): "",
    ("werkzeug.exceptions", "HTTPException"): "code",
    ("aiohttp.web_exceptions", "HTTPException"): "status",
}

_MAX_GROUP_DEPTH = 8
_MAX_LEAVES = 64
EXPECTED = "expected"
"""The mechanism of a sighting that stands for "not an error", said of one exception object."""

_more: frozenset[str] = frozenset()
_fewer: frozenset[str] = frozenset()


def change(names: Collection[str]) -> None:
    """The application's own word: ``shop.errors.OutOfStock`` is not an error, with its subclasses;
    ``-django.core.exceptions.PermissionDenied`` is one, although it is in the kept list. Replaces what was said
    before."""
    global _more, _fewer
    _fewer = frozenset(name[1:] for name in names if name.startswith("-"))
    _more = frozenset(name for name in names if not name.startswith("-"))


def mark(exc: BaseException) -> None:
    """``exc`` itself, not its type, is expected: a Celery task ``throws`` it. Does nothing once it was reported."""
    seen.claim(exc, lambda: Sighting(EXPECTED, True))


def is_not_an_error(exc: BaseException) -> bool:
    """True for control flow, cancellation and answers below 500 that frameworks raise; for a group, when all its
    members are such. Never raises: an object that resists being looked at is an error.
    """
    try:
        sighting = seen.get(exc)
        return (sighting is not None and sighting.mechanism == EXPECTED) or _is_not_an_error(exc, 0)
    except Exception:
        return False


def is_control_flow(exc: BaseException) -> bool:
    """True for what somebody above waits for: control flow, cancellation, and the answers that frameworks raise, of any
    status; for a group, when all its members are such. ``OTEL_ERRORS_NOT_ERRORS`` has no say in it. Never raises."""
    try:
        return _is_control_flow(exc, 0)
    except Exception:
        return False


def _is_control_flow(exc: BaseException, depth: int) -> bool:
    members = members_of(exc)
    if members:
        return depth < _MAX_GROUP_DEPTH and all(_is_control_flow(member, depth + 1) for member in members)
    for base in type(exc).__mro__:
        key = (base.__module__, base.__name__)
        if base in _CONTROL_FLOW or key in _NAMES or key in _STATUS_ATTRIBUTE:
            return True
    return _is_grpc_abort(exc)


def is_said_to_be_one(exc: BaseException) -> bool:
    """Whether the application's own list says that ``exc`` is an error: whatever a framework answers to it, and where
    no span was to record it. Never raises."""
    if not _fewer:
        return False
    try:
        names = [_name(base) for base in type(exc).__mro__]
    except Exception:
        return False
    return next((name in _fewer for name in names if name in _fewer or name in _more), False)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def _is_not_an_error(exc: BaseException, depth: int) -> bool:
    members = members_of(exc)
    if members:
        return depth < _MAX_GROUP_DEPTH and all(_is_not_an_error(member, depth + 1) for member in members)
    for base in type(exc).__mro__:
        key = (base.__module__, base.__name__)
        if _more or _fewer:
            name = _name(base)
            if name in _fewer:
                return False
            if name in _more:
                return True
        if base in _CONTROL_FLOW or key in _NAMES:
            return True
        attribute = _STATUS_ATTRIBUTE.get(key)
        if attribute is not None:
            return _below_500(exc, attribute)
    return _is_grpc_abort(exc)


def members_of(exc: BaseException) -> tuple[BaseException, ...]:
    """Of an ExceptionGroup (Python 3.11) or its backport; empty for anything else."""
    if not any(base.__name__ == "BaseExceptionGroup" for base in type(exc).__mro__):
        return ()
    members = getattr(exc, "exceptions", ())
    return members if isinstance(members, tuple) else ()


def leaves_of(exc: BaseException) -> list[BaseException]:
    """The exceptions in a group that are none themselves, 64 at most; empty for anything else, and for a group of more
    or of itself."""
    leaves: list[BaseException] = []
    waiting = list(members_of(exc))
    for _ in range(2 * _MAX_LEAVES):
        if not waiting:
            return leaves if len(leaves) <= _MAX_LEAVES else []
        one = waiting.pop()
        inner = members_of(one)
        if inner:
            waiting.extend(inner)
        else:
            leaves.insert(0, one)
    return []


def _below_500(exc: BaseException, attribute: str) -> bool:
    if not attribute:
        return True
    status = getattr(exc, attribute, None)
    return isinstance(status, int) and status < 500


_traceback: Any = BaseException.__dict__["__traceback__"]


def _is_grpc_abort(exc: BaseException) -> bool:
    """``context.abort()`` of a synchronous server raises a bare ``Exception()``: known by where that stands."""
    if type(exc) is not Exception or exc.args:
        return False
    tb: TracebackType | None = _traceback.__get__(exc)
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    return tb is not None and tb.tb_frame.f_globals.get("__name__") == "grpc._server"
