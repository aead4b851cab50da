"""Every public name for application authors has a docstring with an example, and every example is run.

Public is what a module lists in ``__all__``, and the methods and properties of the classes among it that are not
somebody else's interface (``logging.Handler.emit``).
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import pytest

import otel_errors

# The middleware calls these by name; an application hands over the object and calls nothing.
CALLED_BY_FRAMEWORKS = frozenset({"otel_errors.middleware.answering", "otel_errors.middleware.django"})
STARTS_SOMETHING = frozenset({"otel_errors.environment_variables"})
"""Imported by the launcher alone."""


def modules() -> Iterator[ModuleType]:
    yield otel_errors
    for found in pkgutil.walk_packages(otel_errors.__path__, "otel_errors."):
        if found.name not in STARTS_SOMETHING:
            module = importlib.import_module(found.name)
            if hasattr(module, "__all__"):
                yield module


MODULES = {module.__name__: module for module in modules()}


def documented(module: ModuleType) -> Iterator[tuple[str, object]]:
    """(name, what has a docstring) of everything public."""
    for name in module.__all__:
        value = getattr(module, name)
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        yield name, value
        if inspect.isclass(value) and value.__module__ == module.__name__:
            foreign = {
                key for base in value.__mro__[1:] if not base.__module__.startswith("otel_errors") for key in vars(base)
            }
            for key, member in vars(value).items():
                method = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
                if inspect.isfunction(method) and not key.startswith("_") and key not in foreign:
                    yield f"{name}.{key}", method


def test_the_modules_for_applications_are_among_them() -> None:
    wanted = (
        "app_errors",
        "catching",
        "details",
        "error_codes",
        "handled",
        "handler",
        "logger",
        "messages",
        "references",
        "testing",
    )
    assert {f"otel_errors.{name}" for name in wanted} <= MODULES.keys()


@pytest.mark.parametrize("name", sorted(MODULES))
def test_examples_are_there_and_right(name: str) -> None:
    module = MODULES[name]
    lacking = [public for public, value in documented(module) if ">>>" not in (inspect.getdoc(value) or "")]
    if name in CALLED_BY_FRAMEWORKS:
        lacking = [public for public in lacking if "." not in public]
    assert lacking == []
    runner = doctest.DocTestRunner()
    for public, value in documented(module):
        if "." not in public:  # the finder goes into classes itself
            home = importlib.import_module(value.__module__)
            for test in doctest.DocTestFinder().find(value, public, home, globs=dict(vars(home))):
                assert runner.run(test).failed == 0, public
