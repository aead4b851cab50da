"""Stores for tests: a file that was migrated once, copied."""

from __future__ import annotations

import tempfile
import uuid
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import event

from collector_processor.issues.database import writing
from collector_processor.issues.schema import metadata
from collector_processor.issues.store import IssueStore


@cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.sqlite3"
        IssueStore.open(f"sqlite:///{path}").close()
        return path.read_bytes()


def open_store(folder: Path, name: str = "", **limits: Any) -> IssueStore:
    """A store in ``folder``: a new one, or the one of that name."""
    path = folder / f"{name or uuid.uuid4().hex}.sqlite3"
    if not path.exists():
        path.write_bytes(_template())
    store = IssueStore.open(f"sqlite:///{path}", **limits)
    # these tests do not pull the plug; waiting for the disk would be most of their time
    event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    store.engine.dispose()
    return store


def empty(store: IssueStore) -> IssueStore:
    """The same store without anything in it: quicker than a new one, whose statements would be compiled anew."""
    with writing(store.engine) as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    store._directory.forget()
    store._identities = None
    return store
