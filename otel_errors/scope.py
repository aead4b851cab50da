"""What the application says about the work at hand: the user and tags, kept in a context variable.

A task sees what was set where it was created and changes only its own copy. A thread starts with an empty scope
unless it is started in a copy of the context (``contextvars.copy_context().run``); pooled threads keep what was set,
so wrap the work on them in ``with scope():``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

MAX_TAGS = 32
MAX_TAG_KEY_CHARACTERS = 64
MAX_TAG_VALUE_CHARACTERS = 256
MAX_USER_CHARACTERS = 256


class Scope(NamedTuple):
    """Immutable; a change makes a new one."""

    user: str = ""
    tags: Mapping[str, str] = {}


EMPTY = Scope()
_scope: ContextVar[Scope] = ContextVar("otel_errors.scope", default=EMPTY)


def current_scope() -> Scope:
    return _scope.get()


def set_user(user: str | None) -> None:
    """The user on whose behalf the work is done, by an id of the application's own; None forgets it.

    It leaves the process only with ``OTEL_ERRORS_SEND_USER=true``, as ``user.id``.
    """
    _scope.set(_scope.get()._replace(user="" if user is None else _short(user, MAX_USER_CHARACTERS)))


def set_tag(key: str, value: str) -> None:
    """A tag for errors from here on: ``otel_errors.tag.KEY``. Past 32 tags new keys are ignored; long keys and
    values are cut."""
    now = _scope.get()
    _scope.set(now._replace(tags=with_tags(now.tags, {key: value})))


@contextmanager
def scope() -> Iterator[None]:
    """User and tags that are set inside are forgotten at the end; those from outside stay visible inside."""
    before = _scope.get()
    _scope.set(before)
    try:
        yield
    finally:
        # Not by token: the end may run in another context than the start (asynchronous generators), where a token is
        # refused.
        _scope.set(before)


def with_tags(tags: Mapping[str, str], more: Mapping[str, str]) -> Mapping[str, str]:
    """``tags`` and ``more`` together, within the limits. Anything becomes text; a value that has none is left out."""
    merged = dict(tags)
    for key, value in more.items():
        name = _short(key, MAX_TAG_KEY_CHARACTERS)
        if name and (name in merged or len(merged) < MAX_TAGS):
            merged[name] = _short(value, MAX_TAG_VALUE_CHARACTERS)
    return merged


def _short(value: object, limit: int) -> str:
    from otel_errors.safe_text import text_of

    return text_of(value)[0][:limit]
