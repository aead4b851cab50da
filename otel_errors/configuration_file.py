"""OpenTelemetry's configuration file (``OTEL_CONFIG_FILE``, package ``opentelemetry-configuration``): its section for
this library.

The package gives the section to ``instrument()`` itself; but what it makes of ``enabled: false`` is undone by
``opentelemetry-instrument``, which instruments everything afterwards, and a name that it does not know costs the whole
section. So it is read here once more.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any, Final

CONFIG_FILE: Final = "OTEL_CONFIG_FILE"
ENTRY_POINT: Final = "otel_errors"
SECTION: Final = f"instrumentation/development.python.{ENTRY_POINT}"


def options(known: type[Any]) -> tuple[dict[str, object], list[str]]:
    """What the section sets of the fields of ``known``, a dataclass, and what is wrong with it. Does not raise."""
    path = os.environ.get(CONFIG_FILE, "").strip()
    if not path:
        return {}, []
    try:
        from opentelemetry.configuration import load_config_file
    except ImportError:
        return {}, []  # the SDK says so
    try:
        found: Any = load_config_file(path).instrumentation_development
        section: Any = ((found.python if found is not None else None) or {}).get(ENTRY_POINT) or {}
    except Exception as error:  # the SDK says so too, in more words
        return {}, [f"{CONFIG_FILE}: {path}: {type(error).__name__}; its {SECTION} is not used"]
    if not isinstance(section, Mapping):
        return {}, [f"{CONFIG_FILE}: {SECTION}: {section!r:.80}: names and values are needed; it is not used"]
    names = [field.name for field in dataclasses.fields(known)]
    unknown = [
        f"{CONFIG_FILE}: {SECTION}: {key!r:.80}: no such setting; {', '.join(names)} are there"
        for key in section
        if key not in names
    ]
    return {key: value for key, value in section.items() if key in names}, unknown
