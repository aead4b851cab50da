"""A Python environment that has OpenTelemetry's API and no SDK, made of the distributions that are installed here."""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
from pathlib import Path

NEEDED = ("opentelemetry-api", "opentelemetry-semantic-conventions", "opentelemetry-instrumentation", "wrapt")
"""What a base installation of the library brings (``pyproject.toml``), without what those need."""


def site_without_an_sdk(folder: Path) -> Path:
    """For ``PYTHONPATH``, with ``python -S``, which leaves out what is installed."""
    site = folder / "site"
    waiting, done = list(NEEDED), set[str]()
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or ():
            source = Path(str(distribution.locate_file(file)))
            if ".." in file.parts or file.suffix == ".pyc" or not source.exists():
                continue
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source)
        for requirement in distribution.requires or ():
            wanted, _, condition = requirement.partition(";")
            if "extra" not in condition and "python_version" not in condition:
                match = re.match(r"[A-Za-z0-9._-]+", wanted.strip())
                assert match is not None
                waiting.append(match[0])
    (site / "otel_errors").symlink_to(Path(__file__).resolve().parents[2] / "otel_errors")
    return site


def python_without_an_sdk(folder: Path) -> tuple[list[str], dict[str, str]]:
    """The command and its environment."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    site = site_without_an_sdk(folder)
    return [sys.executable, "-S", "-B"], {**kept, "PYTHONPATH": str(site)}
