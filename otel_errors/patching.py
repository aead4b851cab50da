"""Putting a wrapper in the place of a function, and exactly the original back."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import wrapt

from otel_errors.guard import guarded

Make = Callable[[Any], Any]
"""The original function to its replacement."""
Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""wrapt's form: ``wrapper(wrapped, instance, args, kwargs)``."""


def wrapping(wrapper: Wrapper) -> Make:
    """A replacement that binds like the original and shows its signature."""
    return lambda original: wrapt.FunctionWrapper(original, wrapper)


def unbound(original: Any) -> Callable[..., Any]:
    """``original``, a class's method, to be called with the instance first. What another tool made of the method may
    tell the instance from the arguments only when it is bound, as wrapt's wrappers do."""
    if type(original) is FunctionType:  # wrapt's say of themselves that they are, too
        return original

    def call(instance: Any, *args: Any, **kwargs: Any) -> Any:
        return original.__get__(instance, type(instance))(*args, **kwargs)

    return call


class Patch:
    """One attribute of one class or module, replaced.

    When somebody wrapped it again after us, it cannot be taken out: then ours stays, passes through while the library
    is off, and is not put in a second time.
    """

    def __init__(self, owner: Any, name: str, make: Make) -> None:
        self._owner = owner
        self._name = name
        # A subclass that only inherits the method gets it taken away again, not a copy of its parent's.
        self._inherited = name not in vars(owner)
        self.original: Any = getattr(owner, name) if self._inherited else vars(owner)[name]
        self._replacement = make(self.original)
        setattr(owner, name, self._replacement)

    def remove(self) -> bool:
        """False when it has to stay."""
        if vars(self._owner).get(self._name) is not self._replacement:
            return False
        if self._inherited:
            delattr(self._owner, self._name)
        else:
            setattr(self._owner, self._name, self.original)
        return True


class LatePatch:
    """A ``Patch`` of a module that the application may import later, or never: nothing is imported for it."""

    def __init__(self, module: str, path: str, wrapper: Wrapper | None = None, *, make: Make | None = None) -> None:
        """``path``: dotted, inside the module: ``Span.record_exception``. ``make``: a plain function in the place of
        ``wrapper``, for what is on the road of what does not fail: it costs half."""
        self._module = module
        self._path = path
        self._make = make if wrapper is None else wrapping(wrapper)
        self._wanted = False
        self._registered = False
        self.patch: Patch | None = None

    def install(self) -> None:
        self._wanted = True
        if self._registered:
            if self.patch is None and self._imported is not None:
                self._apply(self._imported)
            return
        self._registered = True
        wrapt.register_post_import_hook(self._on_import, self._module)

    def uninstall(self) -> None:
        self._wanted = False
        if self.patch is not None and self.patch.remove():
            self.patch = None

    _imported: Any = None

    def _on_import(self, module: Any) -> None:
        self._imported = module
        if self._wanted:
            self._apply(module)

    def _apply(self, module: Any) -> None:
        # Raising in here would fail the application's import of that module.
        with guarded(f"patching {self._module}.{self._path}"):
            owner = module
            *parents, name = self._path.split(".")
            for parent in parents:
                owner = getattr(owner, parent)
            if self._make is not None:
                self.patch = Patch(owner, name, self._make)


class HookSlot:
    """A hook that an interpreter calls through a module's attribute, such as ``sys.excepthook``; the old one is
    kept and called by ours."""

    def __init__(self, owner: Any, name: str, default: Callable[..., Any]) -> None:
        self._owner = owner
        self._name = name
        self._default = default
        self._ours: Callable[..., Any] | None = None
        self._previous: Callable[..., Any] | None = None

    def install(self, hook: Callable[..., Any]) -> None:
        if self._previous is not None:
            return  # still in somebody's chain: putting it on top would make a circle
        self._previous = getattr(self._owner, self._name)
        self._ours = hook
        setattr(self._owner, self._name, hook)

    def uninstall(self) -> None:
        if self._previous is not None and getattr(self._owner, self._name) is self._ours:
            setattr(self._owner, self._name, self._previous)
            self._previous = None

    @property
    def previous(self) -> Callable[..., Any]:
        return self._previous or self._default
