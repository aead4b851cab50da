"""Exceptions that misbehave change nothing of the application: output, exit code and answers are what they are without
us."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.otel_errors.matrix.running import Ran, run
from tests.otel_errors.matrix.table import APPLICATIONS, Application
from tests.otel_errors.receiver import Receiver

KINDS = ("str raises", "not text", "recursion", "no memory", "properties", "100 kB", "cycle", "at the limit")
SHORT = ("str raises", "properties", "cycle", "at the limit")
KINDS_OF_GRPC = ("properties", "100 kB", "cycle", "at the limit")
"""Without us gRPC leaves its caller waiting for ever when ``str()`` of the error raises."""
BY_NAME = {application.name: application for application in APPLICATIONS}
VARYING = re.compile(
    # How deep a recursion gets depends on the frames below it; ours are there while a hook calls the one before it.
    r"repeated \d+ more times|maximum recursion depth exceeded[a-z ]*|"
    r"0x[0-9a-f]+|\[\d+\]|\d{4}-\d\d-\d\d[ T][\d:.,+ ]*|Thread-\d+|Process-\d+|port \d+|127\.0\.0\.1:\d+|pid \d+|"
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


def compare(application: Application, kind: str, receiver: Receiver, tmp_path: Path) -> tuple[Ran, Ran]:
    """Bare, and under ``opentelemetry-instrument`` with us."""

    def ran(place: str, instrumented: bool) -> Ran:
        home = tmp_path / place
        home.mkdir()
        extra = {"MISBEHAVE": kind, "METHODS": "fork"}
        if kind == "100 kB":
            # The SDK puts the whole message into the status of every span.
            extra["OTEL_TRACES_SAMPLER"] = "always_off"
        return run(application, receiver.port, home, instrumented=instrumented, extra=extra)

    without = ran("without", False)
    receiver.clear()
    with_us = ran("with", True)
    assert (with_us.code, with_us.out) == (without.code, without.out), with_us.err[-3000:]
    assert with_us.statuses == without.statuses
    assert "otel_errors: " not in with_us.err, with_us.err[-3000:]
    assert len({record.event_id for record in receiver.errors}) >= 2, with_us.err[-3000:]
    return without, with_us


def _lines(text: str) -> list[str]:
    """Sorted, because workers and threads write when they run; without what varies from run to run."""
    return sorted(VARYING.sub("*", line)[:500] for line in text.splitlines())


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
        ("Flask, gunicorn sync", "str raises"),
        ("FastAPI, uvicorn --workers 2", "properties"),
        ("Django, gunicorn sync", "cycle"),
        ("aiohttp", "no memory"),
        ("gRPC, sync and aio", "cycle"),
    ],
)
def test_servers(name: str, kind: str, receiver: Receiver, tmp_path: Path) -> None:
    compare(BY_NAME[name], kind, receiver, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [name for name in BY_NAME if name != "plain" and not name.startswith("Celery")])
def test_servers_with_every_kind(name: str, receiver: Receiver, tmp_path: Path) -> None:
    for kind in KINDS if not name.startswith("gRPC") else KINDS_OF_GRPC:
        home = tmp_path / kind.replace(" ", "-")
        home.mkdir()
        compare(BY_NAME[name], kind, receiver, home)
