from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from otel_errors import guard
from otel_errors.log_file import RotatedFile

WRITER = """
    import logging, os, sys
    from otel_errors.logger import setup_logger
    name, lines = sys.argv[1], int(sys.argv[2])
    logger = setup_logger("shop", console=None, file_lines="plain")
    children = [] if not hasattr(os, "fork") else [os.fork()]
    if children == [0]:
        name += "-child"
    for number in range(lines):
        logger.info("%s %d %s", name, number, "ä" * 40)
    if children and children[0]:
        assert os.waitpid(children[0], 0)[1] == 0
"""


def record(text: str) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text})


def test_processes_that_rotate_one_file_lose_no_line(tmp_path: Path) -> None:
    """Two processes that know nothing of each other and a forked child of each."""
    script, file = tmp_path / "writer.py", tmp_path / "log" / "shop.log"
    script.write_text(dedent(WRITER), encoding="utf-8")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "LOG_"))},
        "LOG_FILE_PATH": str(file),
        "LOG_MAX_BYTES": "4000",
        "LOG_BACKUP_COUNT": "1000",
        "PYTHONPATH": os.getcwd(),
    }
    count = 400
    writers = [
        subprocess.Popen([sys.executable, str(script), name, str(count)], env=environment, cwd=tmp_path)
        for name in ("a", "b")
    ]
    assert [writer.wait(90) for writer in writers] == [0, 0]
    files = sorted(file.parent.iterdir())
    assert len(files) > 10
    assert all(each.stat().st_size <= 4000 + 4 * 150 for each in files)
    lines = [line.split("shop: ")[1] for each in files for line in each.read_text(encoding="utf-8").splitlines()]
    names = ("a", "b", "a-child", "b-child")
    assert sorted(lines) == sorted(f"{name} {number} {'ä' * 40}" for name in names for number in range(count))


def test_the_limit_is_in_bytes_and_a_longer_line_has_a_file_to_itself(tmp_path: Path) -> None:
    handler = RotatedFile(tmp_path / "x", max_bytes=100, backup_count=9)
    for text in ("ä" * 40, "ö" * 40, "-" * 500, "end"):
        handler.emit(record(text))
    handler.close()
    assert [file.read_text(encoding="utf-8") for file in sorted(tmp_path.iterdir(), reverse=True)] == [
        "ä" * 40 + "\n",
        "ö" * 40 + "\n",
        "-" * 500 + "\n",
        "end\n",
    ]


def test_a_file_that_was_moved_or_removed_is_made_anew(tmp_path: Path) -> None:
    handler = RotatedFile(tmp_path / "x", max_bytes=10_000, backup_count=1)
    handler.emit(record("one"))
    (tmp_path / "x").rename(tmp_path / "moved")
    handler.emit(record("two"))
    (tmp_path / "x").unlink()
    handler.emit(record("three"))
    handler.close()
    assert (tmp_path / "moved").read_text() == "one\n"
    assert (tmp_path / "x").read_text() == "three\n"


def test_the_path_stays_where_it_was_though_the_application_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    handler = RotatedFile("x", max_bytes=10, backup_count=2)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for number in range(3):
        handler.emit(record(f"line {number}"))
    handler.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["elsewhere", "x", "x.1", "x.2"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_line_that_cannot_be_written_is_told_and_raises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(guard, "_failures", 0)
    (tmp_path / "log").mkdir()
    handler = RotatedFile(tmp_path / "log" / "x", max_bytes=10_000, backup_count=1)
    (tmp_path / "log" / "x").unlink()
    (tmp_path / "log").rmdir()
    for _ in range(20):
        handler.emit(record("lost"))
    said = capsys.readouterr().err
    assert "writing a line to" in said
    assert said.count("FileNotFoundError:") == guard.MAX_REPORTED_FAILURES, "told, and not for ever"
    (tmp_path / "log").mkdir()
    handler.emit(record("found"))
    handler.close()
    assert (tmp_path / "log" / "x").read_text() == "found\n"


def test_a_closed_handler_that_is_still_used_opens_its_file_again(tmp_path: Path) -> None:
    """As with the standard library's: another thread may be logging while the logger is set up anew."""
    handler = RotatedFile(tmp_path / "x", max_bytes=100, backup_count=1)
    handler.close()
    handler.emit(record("late"))
    handler.close()
    assert (tmp_path / "x").read_text() == "late\n"


def test_a_file_that_cannot_be_rotated_does_not_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(guard, "_failures", 0)
    blocker = tmp_path / "x.1" / "in the way"
    blocker.parent.mkdir()
    blocker.touch()
    handler = RotatedFile(tmp_path / "x", max_bytes=14, backup_count=1)
    for number in range(9):
        handler.emit(record(f"line {number}"))
    assert (tmp_path / "x").stat().st_size <= 14
    assert f"writing a line to {tmp_path / 'x'}" in capsys.readouterr().err
    blocker.unlink()
    blocker.parent.rmdir()
    handler.emit(record("again"))
    handler.close()
    assert (tmp_path / "x").read_text() == "again\n"
