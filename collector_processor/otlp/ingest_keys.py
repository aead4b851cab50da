"""Ingest keys: who may send. Made of randomness, kept as digests in one file of ``data_dir``, shown once.

A key opens the OTLP ports and nothing else: no page, no API. A ``browser`` key stands in pages for everybody to read,
so it counts only together with the ``Origin`` of one of its pages, over HTTP. The file is looked at again once a
second: a key that is revoked stops working without a restart, in every receiving process.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from collector_processor.otlp.cors import checked_origin

PREFIX: Final = "oeik_"
LOOK_SECONDS: Final = 1.0
MAX_NAME: Final = 100

Kind = Literal["server", "browser"]


class IngestKey(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of a key. ``id`` is for people: the head of the digest."""

    name: str
    kind: Kind
    digest: str
    """SHA-256 in hexadecimal. The key has 256 random bits: there is nothing to guess, so nothing to slow down."""
    origins: tuple[str, ...] = ()
    created: str
    """ISO 8601, UTC."""

    @property
    def id(self) -> str:
        return self.digest[:12]


class KeysUnusable(Exception):
    """The file of the keys cannot be read or written, or a wish for a key cannot be met; the text says which."""


class KeyFile:
    """The keys of one ``data_dir``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[IngestKey, ...]:
        """All keys, oldest first; none when there is no file. Raises ``KeysUnusable``."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=tuple[IngestKey, ...])
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise KeysUnusable(f"{self.path}: {error.strerror or error}") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise KeysUnusable(f"{self.path}: not a file of ingest keys: {error}") from None

    def create(self, name: str, kind: Kind, origins: Sequence[str], now: float) -> tuple[str, IngestKey]:
        """The key itself, which is kept nowhere, and what is kept of it. Raises ``KeysUnusable``."""
        name = name.strip()
        keys = self.read()
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise KeysUnusable(f"name: {name!r}: 1 to {MAX_NAME} printable characters are needed")
        if any(key.name == name for key in keys):
            raise KeysUnusable(f"name: {name!r}: there is such a key; revoke it first or take another name")
        if kind == "browser" and not origins:
            raise KeysUnusable("a browser key needs the origins of its pages: --origin https://shop.example")
        if kind == "server" and origins:
            raise KeysUnusable("only a browser key has origins: --browser")
        try:
            checked = tuple(checked_origin(origin, "--origin").decode() for origin in origins)
        except ValueError as error:
            raise KeysUnusable(str(error)) from None
        key = PREFIX + secrets.token_urlsafe(32)
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        kept = IngestKey(name=name, kind=kind, digest=digest(key), origins=checked, created=created)
        self._write([*keys, kept])
        return key, kept

    def revoke(self, name_or_id: str) -> IngestKey:
        """The key that works no more. Raises ``KeysUnusable`` when there is no such one."""
        keys = self.read()
        for key in keys:
            if name_or_id in (key.name, key.id):
                self._write([other for other in keys if other is not key])
                return key
        raise KeysUnusable(f"{name_or_id!r}: no ingest key has that name or id")

    def _write(self, keys: Iterable[IngestKey]) -> None:
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(tuple(keys))))
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.path)
        except OSError as error:
            raise KeysUnusable(f"{self.path}: {error.strerror or error}") from None


class KeyRing:
    """The keys as they are now. ``changed`` counts how often they were another set."""

    def __init__(self, file: KeyFile) -> None:
        """Raises ``KeysUnusable``."""
        self._file = file
        self._by_digest = {key.digest: key for key in file.read()}
        self._stamp = self._look()
        self._looked = time.monotonic()
        self.changed = 0

    @property
    def keys(self) -> Sequence[IngestKey]:
        """All of them."""
        self._refresh()
        return tuple(self._by_digest.values())

    def find(self, authorization: str) -> IngestKey | None:
        """The key of an ``Authorization: Bearer …`` header."""
        self._refresh()
        scheme, _, key = authorization.partition(" ")
        # Digests are compared by a dictionary: how long that takes says nothing about a digest that cannot be chosen.
        return self._by_digest.get(digest(key.strip())) if scheme.lower() == "bearer" else None

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        stamp = self._look()
        if stamp == self._stamp:
            return
        try:
            self._by_digest = {key.digest: key for key in self._file.read()}
        except KeysUnusable:
            return  # half a file of somebody's editor: the keys of before stay until it can be read
        self._stamp = stamp
        self.changed += 1

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._file.path)
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino)


def digest(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
