from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector_processor.api.stored import Stored


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Stored]:
    made = Stored(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    """A store without an issue, for tests that leave it so."""
    made = Stored(tmp_path_factory.mktemp("empty"))
    yield made
    made.close()
