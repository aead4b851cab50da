"""A real store with known errors in it, and the app over it: what the tests of the API and of the pages share."""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx

from collector_processor.events import ErrorEvent
from collector_processor.issues.store import IssueStore
from collector_processor.settings import Settings
from collector_processor.sinks.metrics import ServiceMetrics
from collector_processor.web.app import create_app

BASE = "http://127.0.0.1:8080"
START_NS = 1_795_000_000_000_000_000
TRACE = "https://grafana.example/explore?trace={trace_id}"

_numbers = itertools.count(1)


def fingerprint(number: int) -> str:
    return f"fp1:{number:032x}"


def error(number: int, **fields: Any) -> ErrorEvent:
    """An error of the issue ``number``; each call is another error."""
    n = next(_numbers)
    values: dict[str, Any] = {
        "signal": "log",
        "time_unix_nano": START_NS + n * 1_000_000_000,
        "event_id": f"event-{n}",
        "trace_id": f"{n:032x}",
        "span_id": f"{n:016x}",
        "service_name": "shop",
        "release": "1.0.0",
        "environment": "prod",
        "type": "ValueError",
        "message": f"bad value {number}",
        "title": f"ValueError: bad value {number}",
        "culprit": f"shop/pay.py in charge_{number}",
        "language": "python",
        "severity": "high",
        "fingerprint": fingerprint(number),
        "user": f"user{n % 3}",
    }
    return ErrorEvent(**{**values, **fields})


@lru_cache(maxsize=1)
def empty_store() -> bytes:
    """The file of a store without an issue: making its tables takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "issues.sqlite3"
        IssueStore.open(f"sqlite:///{path}").close()
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return path.read_bytes()


class Stored:
    """The store, the app and a client of it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.path = folder / "issues.sqlite3"
        self.path.write_bytes(empty_store())
        self.store = IssueStore.open(f"sqlite:///{self.path}")
        self.metrics = ServiceMetrics()
        self.reasons: list[str] = []
        self.settings = Settings.model_validate({"links": {"trace": TRACE}, **settings})
        self.app = create_app(
            store=self.store, settings=self.settings, metrics=self.metrics, readiness=lambda: self.reasons
        )
        self._position = 0

    def add(self, *errors: ErrorEvent, now: float | None = None) -> None:
        self.add_all(errors, now=now)

    def add_all(self, errors: Sequence[ErrorEvent], *, now: float | None = None) -> None:
        records = [(self._position + index, event) for index, event in enumerate(errors, 1)]
        self._position += len(records)
        self.store.apply("queue", records, now=START_NS / 1e9 + 10_000 if now is None else now)

    def id_of(self, number: int) -> str:
        detail = self.store.queries.issue_by_fingerprint(fingerprint(number))
        assert detail is not None
        return detail.issue.id

    def client(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=BASE, headers=headers)

    def close(self) -> None:
        self.store.close()
