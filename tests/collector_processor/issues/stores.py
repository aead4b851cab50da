"""Stores for tests, of each database that the service knows: migrated once, copied for each test."""

from __future__ import annotations

import tempfile
import uuid
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, event

from collector_processor.issues.database import open_engine, writing
from collector_processor.issues.schema import metadata
from collector_processor.issues.store import IssueStore
from tests.postgresql import PostgresServer


class Stores(Protocol):
    """Stores of one database system. Whoever made it calls ``close``."""

    system: str

    def open(self, name: str = "", **limits: Any) -> IssueStore:
        """A new store, or the one of that name."""
        ...

    def url(self, name: str) -> str:
        """Of the store of that name, made when it is not there."""
        ...

    def close(self) -> None: ...


@cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.sqlite3"
        IssueStore.open(f"sqlite:///{path}").close()
        return path.read_bytes()


class SqliteStores:
    """Files of one folder."""

    system = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: list[IssueStore] = []

    def url(self, name: str) -> str:
        path = self._folder / f"{name}.sqlite3"
        if not path.exists():
            path.write_bytes(_template())
        return f"sqlite:///{path}"

    def open(self, name: str = "", **limits: Any) -> IssueStore:
        store = IssueStore.open(self.url(name or uuid.uuid4().hex), **limits)
        # these tests do not pull the plug; waiting for the disk would be most of their time
        event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        store.engine.dispose()
        self._opened.append(store)
        return store

    def close(self) -> None:
        for store in self._opened:
            store.close()


class PostgresStores:
    """Databases of a server of the tests' own. They are emptied and used again: to make one takes longer than most
    tests."""

    system = "postgresql"

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._opened: list[IssueStore] = []
        self._databases: dict[str, str] = {}

    def url(self, name: str) -> str:
        if name not in self._databases:
            spare = self.server.spare
            self._databases[name] = spare.pop() if spare else self.server.create(self.server.migrated)
        return self.server.url(self._databases[name])

    def open(self, name: str = "", **limits: Any) -> IssueStore:
        store = IssueStore.open(self.url(name or uuid.uuid4().hex), **limits)
        self._opened.append(store)
        return store

    def close(self) -> None:
        for store in self._opened:
            store.close()
        for database in self._databases.values():
            engine = open_engine(self.server.url(database))
            _empty(engine)
            engine.dispose()
            self.server.spare.append(database)


def open_store(folder: Path, name: str = "", **limits: Any) -> IssueStore:
    """A SQLite store in ``folder``: a new one, or the one of that name."""
    return SqliteStores(folder).open(name, **limits)


def empty(store: IssueStore) -> IssueStore:
    """The same store without anything in it: quicker than a new one, whose statements would be compiled anew."""
    _empty(store.engine)
    store._directory.forget()
    store._identities = None
    return store


def _empty(engine: Engine) -> None:
    with writing(engine) as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
