"""The connection under the store: how it is opened, brought to the schema of this version, and locked.

SQL is SQLAlchemy's and common to SQLite and PostgreSQL; what differs is here and in ``bulk``.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, SQLAlchemyError

REVISION = "0002"
"""The newest migration; the store is brought to it when it is opened."""
BUSY_SECONDS = 10.0
"""How long one waits for another's transaction."""
_WRITES = "otel_errors_writes"
_POSTGRESQL_DRIVER = "postgresql+psycopg"
_POSTGRESQL_CONNECTION = {
    "connect_timeout": 10,
    # a server whose machine is gone answers nothing at all: counting must not wait for the system's two hours
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
    "application_name": "otel-errors",
}
_WRITE_LOCK = text(
    f"SELECT set_config('lock_timeout', '{BUSY_SECONDS:g}s', true), pg_advisory_xact_lock(7308332050741919000)"
)
_LIMIT_EXCEEDED = "54"
"""The class of PostgreSQL's codes for what is too long for an index or a row."""


class StoreUnavailable(OSError):
    """The store cannot be opened, read or written now; the text names it and the reason."""


class UnstorableValue(ValueError):
    """A value that the database cannot hold, however often it is tried: NUL in a text, a number out of range, a key
    that is too long for an index."""


def open_engine(url: str) -> Engine:
    """An engine whose schema is that of this version. Raises ``StoreUnavailable``."""
    try:
        parsed = _with_driver(make_url(url))
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
            arguments = {name: value for name, value in _POSTGRESQL_CONNECTION.items() if name not in parsed.query}
            engine = create_engine(parsed, pool_pre_ping=True, connect_args=arguments)
        try:
            migrate(engine)
        except BaseException:
            engine.dispose()
            raise
        return engine
    except ModuleNotFoundError as error:
        raise StoreUnavailable(
            f"store {_without_password(url)}: {error}: install it with pip install 'otel-errors[postgres]'"
        ) from error
    except (SQLAlchemyError, ArgumentError) as error:
        raise StoreUnavailable(f"store {_without_password(url)}: {_reason(error)}") from error
    except StoreUnavailable:
        raise
    except OSError as error:
        raise StoreUnavailable(f"store {_without_password(url)}: {error}") from error


def _with_driver(url: URL) -> URL:
    """``postgresql:`` means the one driver that this store knows. Raises ``StoreUnavailable`` for another."""
    if url.get_backend_name() == "sqlite" or url.drivername == _POSTGRESQL_DRIVER:
        return url
    if url.drivername == "postgresql":
        return url.set(drivername=_POSTGRESQL_DRIVER)
    raise StoreUnavailable(
        f"store.url: {url.drivername!r}: sqlite:///path or {_POSTGRESQL_DRIVER}://user:password@host/database is needed"
    )


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

    Raises ``StoreUnavailable`` when the database fails, ``UnstorableValue`` for what it cannot hold; nothing of the
    transaction is kept then.
    """
    with _translated(engine), engine.execution_options(**{_WRITES: True}).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(_WRITE_LOCK)
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that reads, from one moment of the store. Raises ``StoreUnavailable``."""
    if engine.dialect.name == "postgresql":  # by itself it would show each statement another moment
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
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
        told = f"store {engine.url.render_as_string()}: {_reason(error)}"
        if isinstance(error, DataError) or str(getattr(error.orig, "sqlstate", None)).startswith(_LIMIT_EXCEEDED):
            raise UnstorableValue(told) from error
        raise StoreUnavailable(told) from error


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
