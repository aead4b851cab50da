"""Keyed pseudonyms: users can be counted and their errors found, without anybody's identity being kept.

A plain hash of an e-mail address is undone by hashing all addresses; with a key that stays on this installation it is
not.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

KEY_BYTES = 32
_DIGITS = 16


class KeyUnusable(Exception):
    """The key of the pseudonyms cannot be read or made. The text names the file and the mend."""


def load_key(path: Path) -> bytes:
    """The key in ``path``; made (random, readable by its owner only) when the file is absent, also when several
    processes start at once.

    Raises ``KeyUnusable``. A damaged key is never replaced: with another key every user would be counted once more.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise KeyUnusable(
            f"{path}: the key of the pseudonyms cannot be read: {error.strerror}; give this user read access"
        ) from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(path)
        return _read(path)
    except OSError as error:
        raise KeyUnusable(
            f"{path}: the key of the pseudonyms cannot be made: {error.strerror}; "
            f"give this user write access to {path.parent}"
        ) from None


def pseudonym(key: bytes, value: str) -> str:
    """16 hex digits of HMAC-SHA256 over the UTF-8 of ``value``; ``""`` for ``""``, which is nobody. Never raises."""
    if not value:
        return ""
    return hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_DIGITS]


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        held = str(len(key)) if len(key) < KEY_BYTES else f"more than {KEY_BYTES}"
        raise KeyUnusable(
            f"{path}: holds {held} bytes, not a key of {KEY_BYTES}; "
            "restore it from a backup, or remove it to start with new pseudonyms"
        )
    return key


def _create(path: Path) -> None:
    """Write aside, then link into place: who comes second finds the first one's key, and nobody ever sees half of
    one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        _sync_directory(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
