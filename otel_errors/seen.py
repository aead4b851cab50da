"""One error for one exception object, however many hooks, spans and loggers it passes.

Identity is the object itself. A mark in its ``__dict__`` would travel with pickle, and builtin exceptions cannot be
weakly referenced: those are held, a few, for seconds, and let go as soon as nobody else holds them, because their
frames keep the application's objects alive.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
import uuid
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

    from otel_errors.scope import Scope

MAX_ENTRIES = 1024
MAX_HELD = 64
LIFE_SECONDS = 60.0
"""The same object raised again after that is another error: some code raises one prepared exception for ever."""
HELD_SECONDS = 10.0


class Sighting:
    """What is remembered of the first time; the flags say which records carry the error by now."""

    __slots__ = (
        "dropped",
        "event_id",
        "fatal",
        "handled",
        "logged",
        "mechanism",
        "on_span",
        "severity",
        "span_context",
        "told",
    )

    def __init__(
        self, mechanism: str, handled: bool, severity: str | None = None, span_context: SpanContext | None = None
    ) -> None:
        self.event_id: str = uuid.uuid4().hex
        self.mechanism: str = mechanism
        self.handled: bool = handled
        self.severity: str | None = severity
        self.span_context: SpanContext | None = span_context
        """Valid, or None when there was no span."""
        self.on_span: bool = False
        self.logged: bool = False
        self.fatal: bool = False
        self.dropped: bool = False
        """On purpose: not in the sample, past the rate, or not wanted by ``before_send``."""
        self.told: bool = False
        """An ``ErrorHandler`` logged it."""


class _Entry:
    __slots__ = ("expires", "held", "reference", "scope", "sighting")

    def __init__(
        self,
        reference: weakref.ref[BaseException] | None,
        held: BaseException | None,
        sighting: Sighting | None,
        scope: Scope | None,
        expires: float,
    ) -> None:
        self.reference = reference
        self.held = held
        self.sighting = sighting
        """None: not reported yet."""
        self.scope = scope
        self.expires = expires

    def is_of(self, exc: BaseException) -> bool:
        return (self.held if self.reference is None else self.reference()) is exc


class SeenExceptions:
    """Thread-safe. Bounded: the oldest are forgotten first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Re-entrant: an allocation in here may run the garbage collector, that a finalizer, and that one of our hooks.
        self._lock = threading.RLock()
        self._entries: OrderedDict[int, _Entry] = OrderedDict()
        self._held: OrderedDict[int, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def held(self) -> int:
        """How many exceptions are kept alive by this map."""
        return len(self._held)

    def get(self, exc: BaseException) -> Sighting | None:
        with self._lock:
            entry = self._find(exc)
            return entry.sighting if entry is not None else None

    def claim(
        self, exc: BaseException, make: Callable[[], Sighting], *, may_hold: bool = True
    ) -> tuple[Sighting, bool]:
        """The sighting of ``exc`` and whether this call is the first. ``may_hold=False`` for objects that must not
        be kept alive."""
        with self._lock:
            entry = self._find(exc)
            if entry is not None and entry.sighting is not None:
                return entry.sighting, False
            sighting = make()
            if entry is not None:
                entry.sighting = sighting
            else:
                self._remember(exc, sighting, None, may_hold)
        self.sweep()
        return sighting, True

    def note_scope(self, exc: BaseException, scope: Scope) -> None:
        """``exc`` left the work that ``scope`` is of. The first, innermost one counts."""
        with self._lock:
            entry = self._find(exc)
            if entry is None:
                self._remember(exc, None, scope, True)
            elif entry.scope is None:
                entry.scope = scope
        self.sweep()

    def scope_of(self, exc: BaseException) -> Scope | None:
        with self._lock:
            entry = self._find(exc)
            return entry.scope if entry is not None else None

    def forget(self, exc: BaseException) -> None:
        """It was not reported after all."""
        with self._lock:
            entry = self._find(exc)
            if entry is None:
                return
            if entry.scope is not None:
                entry.sighting = None
            else:
                self._entries.pop(id(exc), None)
                self._held.pop(id(exc), None)

    def sweep(self, *, blocking: bool = True) -> None:
        """Let go of held exceptions that are old, too many, or held by nobody else."""
        released: list[_Entry] = []  # dropped after the lock: finalizers of the application run then
        if not self._lock.acquire(blocking=blocking):
            return
        try:
            now = self._clock()
            for key, entry in list(self._held.items()):
                if self._held.get(key) is not entry:
                    continue  # a collection within this loop swept, too: the lock lets its own thread in again
                if len(self._held) > MAX_HELD or entry.expires < now or _only_ours(entry):
                    released.append(entry)
                    self._held.pop(key, None)
                    if self._entries.get(key) is entry:
                        self._entries.pop(key, None)
        finally:
            self._lock.release()

    def clear(self) -> None:
        with self._lock:
            entries, held = self._entries, self._held
            self._entries, self._held = OrderedDict(), OrderedDict()
        entries.clear()
        held.clear()

    def after_fork(self) -> None:
        """Another thread of the parent may have held the lock; and the parent's errors are the parent's."""
        self._lock = threading.RLock()
        self.clear()

    def _find(self, exc: BaseException) -> _Entry | None:
        entry = self._entries.get(id(exc))
        if entry is None or not entry.is_of(exc) or entry.expires < self._clock():
            return None
        return entry

    def _remember(self, exc: BaseException, sighting: Sighting | None, scope: Scope | None, may_hold: bool) -> None:
        key = id(exc)
        now = self._clock()
        self._entries.pop(key, None)
        self._held.pop(key, None)
        try:
            entry = _Entry(weakref.ref(exc), None, sighting, scope, now + LIFE_SECONDS)
        except TypeError:
            if not may_hold:
                return
            entry = _Entry(None, exc, sighting, scope, now + HELD_SECONDS)
            self._held[key] = entry
            watch_collections()
        self._entries[key] = entry
        while len(self._entries) > MAX_ENTRIES:
            oldest, _ = self._entries.popitem(last=False)
            self._held.pop(oldest, None)


def _only_ours(entry: _Entry) -> bool:
    try:
        # The entry's reference and the argument's. PyPy has no such count: there the short life alone lets go.
        return sys.getrefcount(entry.held) <= 2
    except AttributeError:
        return False


seen: SeenExceptions = SeenExceptions()
"""Of this process."""


def on_collection(phase: str, info: dict[str, int]) -> None:
    """A callback of the garbage collector: held exceptions must not wait for the next error to be let go, and its
    rhythm is the application's own."""
    if phase == "start" and seen.held:
        seen.sweep(blocking=False)


def watch_collections() -> None:
    """Sweep with the garbage collector, from the first held exception until ``unwatch_collections``."""
    callbacks = getattr(gc, "callbacks", None)
    if callbacks is not None and on_collection not in callbacks:
        callbacks.append(on_collection)


def unwatch_collections() -> None:
    callbacks = getattr(gc, "callbacks", None)
    if callbacks is not None and on_collection in callbacks:
        callbacks.remove(on_collection)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=seen.after_fork)
