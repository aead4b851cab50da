"""Every public name for application authors has a docstring with an example, and every example is run."""

from __future__ import annotations

import doctest
import importlib
import inspect

import pytest

MODULES = (
    "app_errors", "catching", "details", "error_codes", "external_reporting", "handler", "log_file", "log_lines",
    "logger", "messages", "messages_compile", "negotiation", "references", "retry_hint",
)  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_there_and_right(name: str) -> None:
    module = importlib.import_module(f"otel_errors.{name}")
    for public in module.__all__:
        documented = getattr(module, public)
        if callable(documented):
            assert ">>>" in (inspect.getdoc(documented) or ""), public
    found = doctest.testmod(module)
    assert found.failed == 0
    assert found.attempted > 0
