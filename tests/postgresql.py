"""A PostgreSQL server of the tests' own: real, on a port of its own, with nothing kept.

Its data directory is not below ``tmp_path``: a root that runs the tests has to leave it to another user, who cannot
look into root's folders.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.waiting import wait_until

PASSWORD = "p@ss:word/1"  # has to be quoted in a URL, as generated passwords have
URL_PASSWORD = "p%40ss%3Aword%2F1"
# Programs that are killed leave their data with the operating system, so nothing has to wait for the disk.
_QUICK = ("fsync=off", "full_page_writes=off", "max_wal_size=256MB", "shared_buffers=64MB", "max_connections=60")


def binaries() -> Path:
    """Where PostgreSQL's programs are; skips the test where they are not (with ``CI`` set it fails instead)."""
    on_path = shutil.which("postgres")
    folders = [Path(on_path).parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    reason = "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI is set: a skipped test would prove nothing", pytrace=False)
    pytest.skip(reason)


class PostgresServer:
    """``start`` and ``kill`` as often as wanted; ``remove`` at the end."""

    def __init__(self) -> None:
        self.bin = binaries()
        self.port = free_port()
        self.spare: list[str] = []
        """Databases with an empty store that nobody uses now."""
        self._folder = Path(tempfile.mkdtemp(prefix="otel-errors-postgresql-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self._as_user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            owner = next((user for user in pwd.getpwall() if user.pw_name == "postgres"), pwd.getpwnam("nobody"))
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
            self._as_user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        try:
            self._initialise()
        except BaseException:
            self.remove()
            raise

    def _initialise(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD + "\n")
        password.chmod(0o644)  # of a server that lives for minutes, on loopback, in a folder that only its user enters
        # Collated as people's databases are, by language, and not by bytes as SQLite does.
        by_language = ("--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8", "--encoding=UTF8")
        secret = ("--auth=scram-sha-256", f"--pwfile={password}", "--username=otel")
        self._run("initdb", "--no-sync", "--no-instructions", *by_language, *secret, "--pgdata", str(self._data))

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Start and wait until it answers."""
        where = (f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self._folder}")
        command = [str(self.bin / "postgres"), "-D", str(self._data)]
        for option in (*where, *_QUICK):
            command += ["-c", option]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdout=log, stderr=log, start_new_session=True, **self._as_user
            )
        wait_until(self._answers, what="PostgreSQL to answer")

    def _answers(self) -> bool:
        import psycopg

        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.address("postgres"), connect_timeout=5).close()
            return True
        return False

    def kill(self) -> None:
        """``kill -9`` of the server and all its processes."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(60)
        self._process = None
        # its processes have sessions of their own; they end by themselves once it is gone, and may not meet the next
        wait_until(lambda: not self._remaining(), what="PostgreSQL's processes to end")
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _remaining(self) -> list[str]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (process / "cwd").resolve() == self._data.resolve():
                    found.append(process.name)
        return found

    def remove(self) -> None:
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def address(self, database: str) -> str:
        """As PostgreSQL's own programs take it."""
        return f"postgresql://otel:{URL_PASSWORD}@127.0.0.1:{self.port}/{database}"

    def url(self, database: str) -> str:
        """As ``store.url`` takes it."""
        return self.address(database).replace("postgresql:", "postgresql+psycopg:", 1)

    def create(self, template: str = "template1") -> str:
        """A new database; returns its name."""
        import psycopg

        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    @cached_property
    def migrated(self) -> str:
        """The name of a database with an empty store, to make others from."""
        from collector_processor.issues.store import IssueStore

        name = self.create()
        IssueStore.open(self.url(name)).close()
        return name

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **self._as_user,
        )
        assert done.returncode == 0, done.stdout.decode()


@contextlib.contextmanager
def postgresql_running() -> Iterator[PostgresServer]:
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()
