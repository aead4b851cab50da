from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector_processor.issues.stores import PostgresStores, SqliteStores, Stores
from tests.postgresql import PostgresServer

SYSTEMS = ("sqlite", "postgresql")


def _stores(request: pytest.FixtureRequest, folder: Path) -> Stores:
    if request.param == "sqlite":
        return SqliteStores(folder)
    server: PostgresServer = request.getfixturevalue("postgresql")
    return PostgresStores(server)


@pytest.fixture(params=SYSTEMS)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """Stores of each database system in turn."""
    made = _stores(request, tmp_path)
    yield made
    made.close()


@pytest.fixture(params=SYSTEMS, scope="module")
def shared_stores(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """The same for all tests of a module, which empty what they take."""
    made = _stores(request, tmp_path_factory.mktemp("shared"))
    yield made
    made.close()
