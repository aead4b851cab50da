"""The key is made once, kept to its owner, never replaced; pseudonyms are what HMAC says."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from collector_processor.stages.pseudonym import KeyUnusable, load_key, pseudonym


def test_the_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "pseudonym.key"
    key = load_key(path)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path) == key
    assert [file.name for file in path.parent.iterdir()] == ["pseudonym.key"]


def test_two_installations_have_two_keys(tmp_path: Path) -> None:
    assert load_key(tmp_path / "a") != load_key(tmp_path / "b")


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_key(path), range(32)))
    assert len(keys) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["pseudonym.key"]


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_damaged_key_is_reported_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pseudonym.key"
    path.write_bytes(content)
    with pytest.raises(KeyUnusable, match=r"pseudonym\.key: holds .* bytes, not a key of 32; restore it from a backup"):
        load_key(path)
    assert path.read_bytes() == content


def test_a_directory_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="cannot be read: Is a directory"):
        load_key(tmp_path)


def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(KeyUnusable, match=r"data/pseudonym\.key: the key of the pseudonyms cannot be"):
        load_key(tmp_path / "data" / "pseudonym.key")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_directory_without_write_access(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(KeyUnusable, match="give this user write access"):
            load_key(tmp_path / "pseudonym.key")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("value", ["u-1", "ann@example.com", "é漢😀", "a\ud800", " "])
def test_a_pseudonym_is_hmac_sha256_cut(value: str) -> None:
    key = bytes(range(32))
    expected = hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]
    assert pseudonym(key, value) == expected
    assert pseudonym(bytes(32), value) != expected


def test_nobody_is_nobody() -> None:
    assert pseudonym(bytes(32), "") == ""
