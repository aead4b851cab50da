"""Exceptions that misbehave change nothing of the application: output, exit code and answers are what they are without
us."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.otel_errors.matrix.running import Ran, run
from tests.otel_errors.matrix.table import APPLICATIONS, MODES, Application
from tests.otel_errors.receiver import Receiver

pytestmark = pytest.mark.timeout(600)

NO_TEXT = ("str raises", "str exits", "not text", "recursion", "no memory")
KINDS = (
    *NO_TEXT,
    "repr raises",
    "memory error",
    "cause raises",
    "traceback raises",
    "10 MB",
    "cycle",
    "at the limit",
)
SHORT = ("str raises", "cause raises", "10 MB", "at the limit")
"""Of the scripts, in the ordinary run."""
NOT_SURVIVED = {
    "flask_app.py": {"cause raises"},
    "django_app.py": {"traceback raises"},
    "aiohttp_app.py": {"cause raises", "traceback raises"},
    "grpc_app.py": {*NO_TEXT},
    "celery_app.py": {"memory error"},
}
"""What the applications cannot stand without us, so that there is nothing to compare: workers of gunicorn die of it,
aiohttp and gRPC leave the caller waiting for ever, Celery shuts its worker down, at once."""
BY_NAME = {application.name: application for application in APPLICATIONS}
VARYING = re.compile(
    # How deep a recursion gets depends on the frames below it; ours are there while a hook calls the one before it.
    r"repeated \d+ more times|maximum recursion depth exceeded[A-Za-z ]*|"
    r"0x[0-9a-f]+|\[\d+\]|\d{4}-\d\d-\d\d[ T][\d:.,+ ]*|Thread-\d+|Process-\d+|Task-\d+|port \d+|127\.0\.0\.1:\d+|"
    r"pid[ :]\d+|\S+:\d+: RuntimeWarning|file://\S+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


def compare(application: Application, kind: str, receiver: Receiver, tmp_path: Path, mode: str = "") -> tuple[Ran, Ran]:
    """Bare, and under ``opentelemetry-instrument`` with us."""
    extra = {"MISBEHAVE": kind, "METHODS": "fork"}
    if mode:
        extra["OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN"] = mode

    def ran(place: str, instrumented: bool) -> Ran:
        home = tmp_path / place
        home.mkdir()
        return run(application, receiver.port, home, instrumented=instrumented, extra=extra)

    without = ran("without", False)
    receiver.clear()
    with_us = ran("with", True)
    assert with_us.code == without.code, with_us.err[-3000:]
    assert _lines(with_us.out) == _lines(without.out), with_us.err[-3000:]
    assert with_us.statuses == without.statuses
    assert "otel_errors: " not in with_us.err, with_us.err[-3000:]
    assert len({record.event_id for record in receiver.errors}) >= 2, with_us.err[-3000:]
    return without, with_us


# When a handler of logging fails, logging prints the stack of callers; a hook that calls what it replaced is one.
OUR_CALLERS = re.compile(
    r'^  File "[^"]*/otel_errors/(?:hooks/[^"]*|patching\.py)", line \d+, in \w+\n'
    r"    return (?:wrapped|call|original\.__get__)\(.*\n(?: *[~^]+\n)?",
    re.MULTILINE,
)


def _lines(text: str) -> list[str]:
    """Sorted, because workers and threads write when they run; without what varies from run to run."""
    return sorted(VARYING.sub("*", line[:2000])[:500] for line in OUR_CALLERS.sub("", text).splitlines())


@pytest.mark.parametrize(
    "kind", [kind if kind in SHORT else pytest.param(kind, marks=pytest.mark.long) for kind in KINDS]
)
def test_scripts(kind: str, receiver: Receiver, tmp_path: Path) -> None:
    # Contrib's threading instrumentation would show its own frames in the application's tracebacks.
    without, with_us = compare(replace(BY_NAME["plain"], instrumentations=()), kind, receiver, tmp_path)
    assert _lines(with_us.err) == _lines(without.err)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Flask, gunicorn sync", "not text"),
        ("FastAPI, uvicorn --workers 2", "str raises"),
        ("Django, gunicorn sync", "cycle"),
        ("aiohttp", "no memory"),
        ("gRPC, sync and aio", "cycle"),
        ("Celery prefork", "str raises"),
    ],
)
def test_servers(name: str, kind: str, receiver: Receiver, tmp_path: Path) -> None:
    compare(BY_NAME[name], kind, receiver, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "kind", "mode"),
    [
        (name, kind, MODES[(row + column) % len(MODES)])
        for row, name in enumerate(BY_NAME)
        for column, kind in enumerate(KINDS)
        if name != "plain" and kind not in NOT_SURVIVED.get(BY_NAME[name].file, ())
    ],
)
def test_servers_with_every_kind(name: str, kind: str, mode: str, receiver: Receiver, tmp_path: Path) -> None:
    compare(BY_NAME[name], kind, receiver, tmp_path, mode)
