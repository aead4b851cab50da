"""What the application says about the work at hand: the user, tags, contexts, feature flags.

A unit of work (a request, a message, a job: the outermost local span) and ``with scope():`` share one scope among all
the code that runs in them, in whatever task, thread or executor, because it travels in OpenTelemetry's context. Outside
of both, a context variable holds it: a task sees what was set where it was created and changes only its own copy.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Final, NamedTuple

from opentelemetry.context import Context, attach, get_current, set_value

MAX_TAGS: Final = 32
MAX_TAG_KEY_CHARACTERS: Final = 64
MAX_TAG_VALUE_CHARACTERS: Final = 256
MAX_USER_CHARACTERS: Final = 256
MAX_FEATURE_FLAGS: Final = 64
MAX_CONTEXTS: Final = 16


class Scope(NamedTuple):
    """Immutable; a change makes a new one."""

    user: str = ""
    tags: Mapping[str, str] = {}
    feature_flags: Mapping[str, str] = {}
    contexts: Mapping[str, str] = {}
    """JSON texts."""
    log_records: tuple[str, ...] = ()
    """What was logged so far, the oldest first, as JSON texts; only where that is switched on."""


EMPTY: Final = Scope()


class Shared:
    """The scope of a unit of work or a ``with scope():`` block, changed for all who share it."""

    __slots__ = ("entry_span", "scope")

    def __init__(self, scope: Scope, entry_span: Any) -> None:
        self.scope: Scope = scope
        self.entry_span: Any = entry_span
        """The span that the unit of work began with, such as a server's; None when there is none."""


_KEY: Final = "otel_errors.scope"
_own: ContextVar[Scope] = ContextVar("otel_errors.scope", default=EMPTY)
# One for all: changes are rare and short. Re-entrant, because a finalizer or signal handler may set a tag as well.
_changes = threading.RLock()


def current_scope() -> Scope:
    return scope_of(get_current())


def scope_of(context: Context) -> Scope:
    """The scope that travels in ``context``, else that of the code that runs now."""
    shared = shared_in(context)
    return shared.scope if shared is not None else _own.get()


def shared_in(context: Context) -> Shared | None:
    shared = context.get(_KEY)
    return shared if isinstance(shared, Shared) else None


def change(make: Callable[[Scope], Scope]) -> None:
    """Replace the scope of the code that runs now by ``make`` of it."""
    with _changes:
        shared = shared_in(get_current())
        if shared is not None:
            shared.scope = make(shared.scope)
        else:
            _own.set(make(_own.get()))


def set_user(user: str | None) -> None:
    """The user on whose behalf the work is done, by an id of the application's own; None forgets it.

    It stays in the process unless a setting says otherwise: with ``OTEL_ERRORS_USER_KEY`` a keyed hash of it is sent as
    ``user.hash``, with ``OTEL_ERRORS_SEND_USER=true`` the id itself as ``user.id``.

    >>> from otel_errors import capture_message
    >>> from otel_errors.testing import capturing
    >>> with capturing() as errors, scope():
    ...     set_user("u-4711")
    ...     event_id = capture_message("stock is below zero")
    >>> errors.one().user
    'u-4711'
    """
    short = "" if user is None else _short(user, MAX_USER_CHARACTERS)
    change(lambda now: now._replace(user=short))


def set_tag(key: str, value: str | None) -> None:
    """A tag for errors from here on, sent as ``otel_errors.tag.KEY``; None removes it. Past 32 tags new keys are
    ignored; long keys and values are cut.

    >>> with scope():
    ...     set_tag("plan", "pro")
    ...     current_scope().tags["plan"]
    'pro'
    """
    if value is None:
        name = _short(key, MAX_TAG_KEY_CHARACTERS)
        change(lambda now: now._replace(tags={have: text for have, text in now.tags.items() if have != name}))
    else:
        change(lambda now: now._replace(tags=with_tags(now.tags, {key: value})))


def set_context(name: str, facts: Mapping[str, object] | None) -> None:
    """Facts about a part of the work (``"cart"``, ``"device"``) for errors from here on, sent as JSON text in
    ``otel_errors.context.NAME``; they replace what the name had, and None removes it. What stands under the key of a
    secret is not kept; a context is cut to 8,192 characters. Past 16 contexts new names are ignored.

    >>> with scope():
    ...     set_context("cart", {"items": 3, "api_key": "k"})
    ...     current_scope().contexts["cart"]
    '{"items": 3, "api_key": "[redacted]"}'
    """
    from otel_errors.context_text import context_text

    key = _short(name, MAX_TAG_KEY_CHARACTERS)
    text = None if facts is None else context_text(facts)

    def make(now: Scope) -> Scope:
        contexts = dict(now.contexts)
        if text is None:
            contexts.pop(key, None)
        elif key and (key in contexts or len(contexts) < MAX_CONTEXTS):
            contexts[key] = text
        return now._replace(contexts=contexts)

    change(make)


def set_feature_flag(key: str, variant: str | bool | int | float | None) -> None:
    """A feature flag as it was decided for the work at hand, sent as ``otel_errors.feature_flag.KEY``; None forgets it.
    The last 64 are kept.

    >>> with scope():
    ...     set_feature_flag("new-checkout", True)
    ...     current_scope().feature_flags["new-checkout"]
    'true'
    """
    name = _short(key, MAX_TAG_KEY_CHARACTERS)
    decided = None if variant is None else flag_text(variant)

    def make(now: Scope) -> Scope:
        flags = {have: text for have, text in now.feature_flags.items() if have != name}
        if name and decided is not None:
            flags[name] = decided
        while len(flags) > MAX_FEATURE_FLAGS:
            del flags[next(iter(flags))]
        return now._replace(feature_flags=flags)

    change(make)


def flag_text(variant: object) -> str:
    """``true`` and ``false`` as flag services write them."""
    return str(variant).lower() if isinstance(variant, bool) else _short(variant, MAX_TAG_VALUE_CHARACTERS)


class scope(ContextDecorator):
    """``with scope():`` what is set inside is forgotten at the end; what was set outside stays visible inside.

    All code inside shares it, also in tasks and in threads that run with a copy of the context. An error that leaves
    the block keeps what was set in it.

    >>> with scope():
    ...     set_tag("plan", "pro")
    ...     with scope():
    ...         set_tag("order", "7")
    ...         inside = set(current_scope().tags)
    ...     outside = set(current_scope().tags)
    >>> inside - outside, "plan" in inside
    ({'order'}, True)
    """

    def __init__(self) -> None:
        self._token: Token[Context] | None = None

    def _recreate_cm(self) -> scope:
        return scope()  # a decorated function may run many times at once

    def __enter__(self) -> None:
        context = get_current()
        outer = shared_in(context)
        self._token = begin_unit(outer.entry_span if outer is not None else None, context)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        end_unit(self._token, error)


def begin_unit(span: Any, context: Context) -> Token[Context]:
    """A unit of work starts in ``context``, the current one: its scope begins with what is set now, and nothing set
    in it stays."""
    return attach(set_value(_KEY, Shared(scope_of(context), span), context))


def end_unit(token: Token[Context] | None, error: BaseException | None) -> None:
    """Give back what ``begin_unit`` put aside. ``error``: what leaves the unit keeps its scope, because it may be
    reported further out."""
    if error is not None:
        shared = shared_in(get_current())
        if shared is not None and any(shared.scope):
            _keep_for(error, shared.scope)
    if token is None:
        return
    try:
        token.var.reset(token)
    except (ValueError, RuntimeError):
        # The end runs in another context than the start (asynchronous generators), or a second time.
        pass


def with_tags(tags: Mapping[str, str], more: Mapping[str, str]) -> Mapping[str, str]:
    """``tags`` and ``more`` together, within the limits. Anything becomes text."""
    merged = dict(tags)
    for key, value in more.items():
        name = _short(key, MAX_TAG_KEY_CHARACTERS)
        if name and (name in merged or len(merged) < MAX_TAGS):
            merged[name] = _short(value, MAX_TAG_VALUE_CHARACTERS)
    return merged


def _keep_for(error: BaseException, scope: Scope) -> None:
    from otel_errors.active import for_explicit_calls
    from otel_errors.guard import guarded
    from otel_errors.not_errors import is_not_an_error
    from otel_errors.seen import seen

    with guarded("scope") as go:
        if go and for_explicit_calls() is not None and not is_not_an_error(error):
            seen.note_scope(error, scope)


def _short(value: object, limit: int) -> str:
    from otel_errors.safe_text import text_of

    return text_of(value)[0][:limit]


def _after_fork() -> None:
    global _changes
    _changes = threading.RLock()  # another thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
