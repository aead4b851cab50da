"""A store of every earlier schema opens under this version, on both database systems, with what it counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from collector_processor.issues import database
from collector_processor.issues.database import reading
from collector_processor.issues.schema import metadata
from collector_processor.issues.store import IssueStore
from tests.collector_processor.issues.errors import NOW, error
from tests.postgresql import PostgresServer

MIGRATIONS = Path(database.__file__).parent / "migrations"
REVISIONS = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]
OLD_ROWS = (
    "INSERT INTO services (id, namespace, name, last_received) VALUES (1, '', 'shop', 5)",
    "INSERT INTO issues (id, service_id, title, culprit, type, language, search_text, count, users, first_seen, "
    "last_seen, created_at, state, changed_at, opened_at, severity, resolved_release, assignee, team) VALUES "
    "('0123456789', 1, 'T', 'c', 'E', 'python', 't', 7, 0, 1, 2, 5, 'acknowledged', 5, 5, 'high', '', 'ada', '')",
    "INSERT INTO fingerprints (id, service_id, fingerprint, issue_id, count, first_seen, last_seen, user_rows) "
    "VALUES (1, 1, 'fp1:" + "a" * 32 + "', '0123456789', 7, 1, 2, 0)",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of a database with nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'issues.sqlite3'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgresql")
        yield server.url(server.create())


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_earlier_schema_is_brought_forward(url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for row in OLD_ROWS:
            connection.execute(text(row))
    engine.dispose()
    store = IssueStore.open(url)
    with reading(store.engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert store.apply("q", [(1, error(1))], now=NOW).created == []
    (issue,) = store.queries.list_issues().issues
    assert (issue.id, issue.count, issue.state, issue.assignee) == ("0123456789", 8, "acknowledged", "ada")
    store.close()
    IssueStore.open(url).close()  # once more: nothing is left to do
