"""The connection under the store: how it is opened, brought to the schema of this version, and locked.

SQL is SQLAlchemy's and common to SQLite and PostgreSQL; what differs is here.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

REVISION = "0002"
"""The newest migration; the store is brought to it when it is opened."""
BUSY_SECONDS = 10.0
_WRITES = "otel_errors_writes"


class StoreUnavailable(OSError):
    """The store cannot be opened, read or written now; the text names it and the reason."""


def open_engine(url: str) -> Engine:
    """An engine whose schema is that of this version. Raises ``StoreUnavailable``."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise StoreUnavailable(
                    f"store.url: {url!r}: a file is needed (sqlite:///path): other processes read the store too"
                )
            _make_private(Path(parsed.database))
            engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS})
            event.listen(engine, "connect", _prepare_sqlite)
            # Before "begin": SQLite would go on in a file that nobody finds any more, or make an empty one.
            stays = _still_there(Path(parsed.database))
            event.listen(engine, "do_connect", stays)
            event.listen(engine, "begin", stays)
            event.listen(engine, "begin", _begin_sqlite)
        else:
            engine = create_engine(parsed, pool_pre_ping=True)
        try:
            migrate(engine)
        except BaseException:
            engine.dispose()
            raise
        return engine
    except (SQLAlchemyError, ArgumentError, ModuleNotFoundError) as error:
        raise StoreUnavailable(f"store {_without_password(url)}: {_reason(error)}") from error
    except StoreUnavailable:
        raise
    except OSError as error:
        raise StoreUnavailable(f"store {_without_password(url)}: {error}") from error


def migrate(engine: Engine) -> None:
    """Run the migrations that the store lacks, in one transaction: of two openers the second finds it done."""
    with engine.connect() as connection:
        if _revision(connection) == REVISION:
            return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreUnavailable(
                f"store {engine.url.render_as_string()}: its schema {_revision(connection)!r} is not known to this "
                f"version ({REVISION!r}): was it written by a newer one? ({error})"
            ) from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes: it has the write lock from its start, so what it reads stays true.

    Raises ``StoreUnavailable`` when the database fails; nothing of the transaction is kept then.
    """
    with _translated(engine), engine.execution_options(**{_WRITES: True}).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(7308332050741919000)"))
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that reads, from one moment of the store. Raises ``StoreUnavailable``."""
    with _translated(engine), engine.begin() as connection:
        yield connection


def upsert(dialect: str, table: Table) -> Any:
    """``insert(table)`` of a dialect, which knows ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StoreUnavailable(f"store {engine.url.render_as_string()}: {_reason(error)}") from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # the driver would begin transactions of its own, too late and never for reads: they are begun by _begin_sqlite
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16384", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _still_there(path: Path) -> Callable[..., None]:
    """A listener that raises ``StoreUnavailable`` once the file at ``path`` is another than now. What is not counted
    stays in the queue files then, where the next start finds it."""
    opened = _file_number(path)

    def check(*_: object) -> None:
        if _file_number(path) != opened:
            raise StoreUnavailable(
                f"store {path}: the file was removed or replaced while it was open; put it back or start again"
            )

    return check


def _file_number(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _reason(error: Exception) -> str:
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return "(store.url)"
