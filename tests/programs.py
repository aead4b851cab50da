"""Programs that some tests run for real: found, or the test says why it did not run."""

from __future__ import annotations

import os
import shutil

import pytest


def required_program(*names: str) -> str:
    """The path of the first of ``names`` (one program's names on different systems) that is installed.

    Skips the test with the reason where none is. With ``CI`` set it fails instead: a skipped check proves nothing.
    """
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    reason = f"{' or '.join(names)} is not installed (Debian: apt-get install prometheus prometheus-alertmanager)"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI is set: a skipped test would prove nothing", pytrace=False)
    pytest.skip(reason)
