"""The commands of docs/backup.md, as they stand there, beside a running service."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.processor import Processor, running
from tests.end_to_end.test_kill import BUGS, Client
from tests.postgresql import PostgresServer
from tests.waiting import wait_until

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "backup.md"
COMMANDS = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)


def send(processor: Processor, seed: int) -> int:
    """One request, seen through; how many errors it held."""
    client = Client(processor.grpc, seed)
    client.send_until(_After(1))
    return sum(client.acknowledged.values())


class _After:
    """An event that is set from the second question on."""

    def __init__(self, number: int) -> None:
        self._left = number

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0


@pytest.fixture(params=["sqlite", "postgresql"])
def system(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Processor, dict[str, str], list[str]]]:
    backup = tmp_path / "backup"
    backup.mkdir()
    variables = {**os.environ, "BACKUP": str(backup)}
    if request.param == "sqlite":
        processor = Processor(tmp_path)
        yield processor, {**variables, "DATA_DIR": str(processor.data_dir)}, COMMANDS[:2]
        return
    server: PostgresServer = request.getfixturevalue("postgresql")
    name = server.create()
    variables |= {"DATABASE": server.address(name), "PATH": f"{server.bin}:{os.environ['PATH']}"}
    yield Processor(tmp_path, OTEL_ERRORS_STORE__URL=server.url(name)), variables, COMMANDS[2:]


@pytest.mark.timeout(600)
def test_a_store_comes_back_from_its_backup(system: tuple[Processor, dict[str, str], list[str]]) -> None:
    processor, variables, (save, restore) = system

    def run(command: str) -> None:
        done = subprocess.run(["/bin/sh", "-eu", "-c", command], env=variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    with running(processor):
        saved = send(processor, 1)
        wait_until(lambda: processor.total() == saved, what="the first errors to be counted")
        issues = processor.issues()
        run(save)  # beside the running service
        lost = send(processor, 2)
        wait_until(lambda: processor.total() == saved + lost, what="the later errors to be counted")
        assert processor.stop() == 0
        run(restore)
        processor.start()
        assert processor.issues() == issues
        more = send(processor, 3)
        wait_until(lambda: processor.total() == saved + more, what="new errors to be counted after the restore")
        assert len(processor.issues()) <= len(BUGS)
        assert processor.stop() == 0
