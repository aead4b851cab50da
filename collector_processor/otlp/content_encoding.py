"""Undo the compression of a request body, never holding more than the limit: a bomb costs as much as an honest request.

``deflate`` is zlib's format by the HTTP specification and a bare deflate stream by custom; both are read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

import zstandard

SUPPORTED: Final = ("gzip", "deflate", "zstd")

_PIECE: Final = 64 * 1024
_MAX_OUT: Final = 1024 * 1024
_MAX_MEMBERS: Final = 1024
"""A body may be several compressed ones after each other; millions of empty ones would only burn time."""
# A zstd block of four bytes may stand for 128 KiB: what goes in at once bounds what can come out at once (16 MiB).
_ZSTD_PIECE: Final = 512
_ZSTD_WINDOW: Final = 8 * 1024 * 1024
"""What RFC 9659 allows for the content coding; a larger window is memory that the sender chooses."""


class UnsupportedEncoding(ValueError):
    """A content encoding that is not read here."""


class BrokenBody(ValueError):
    """The body is not what its content encoding says, or ends too early."""


class BodyTooLarge(ValueError):
    """More bytes than the limit after decompression."""


def check_encoding(content_encoding: str) -> str:
    """The one encoding that a ``Content-Encoding`` header names, ``""`` for none. Raises ``UnsupportedEncoding``."""
    name = content_encoding.strip().lower()
    name = {"identity": "", "none": "", "x-gzip": "gzip"}.get(name, name)
    if name and name not in SUPPORTED:
        raise UnsupportedEncoding(f"this content encoding is not supported; {', '.join(SUPPORTED)} and none are")
    return name


def decompress(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """The decompressed body. ``encoding``: as ``check_encoding`` returns it.

    Raises ``BrokenBody`` and ``BodyTooLarge``; the latter as soon as more than ``max_bytes`` have come out.
    """
    if not encoding:
        pieces: Iterator[bytes] = iter((body,))
    elif encoding == "zstd":
        pieces = _zstd(body)
    else:
        pieces = _zlib(body, encoding)
    out, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > max_bytes:
            raise BodyTooLarge(f"more than {max_bytes} bytes after decompression")
        out.append(piece)
    return out[0] if len(out) == 1 else b"".join(out)


def _zlib(body: bytes, encoding: str) -> Iterator[bytes]:
    if encoding == "gzip":
        window = 16 + zlib.MAX_WBITS
    else:
        window = zlib.MAX_WBITS if _has_zlib_header(body) else -zlib.MAX_WBITS
    left = memoryview(body)
    for _ in range(_MAX_MEMBERS):
        if not left:
            return
        member = zlib.decompressobj(window)
        while not member.eof:
            if not left:
                raise BrokenBody(f"the {encoding} body ends too early")
            try:
                yield from _zlib_piece(member, left[:_PIECE])
            except zlib.error:
                raise BrokenBody(f"the body is not {encoding}") from None
            left = left[min(_PIECE, len(left)) - len(member.unused_data) :]
        if left and encoding == "deflate":
            raise BrokenBody("bytes stand after the end of the deflate body")
    raise BrokenBody(f"the {encoding} body has more than {_MAX_MEMBERS} members")


def _zlib_piece(member: zlib._Decompress, piece: bytes | memoryview) -> Iterator[bytes]:
    while True:
        yield member.decompress(piece, _MAX_OUT)
        piece = member.unconsumed_tail
        if member.eof or not piece:
            return


def _has_zlib_header(body: bytes) -> bool:
    return len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0


def _zstd(body: bytes) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    left = memoryview(body)
    for _ in range(_MAX_MEMBERS):
        if not left:
            return
        frame = decompressor.decompressobj()
        while not frame.eof:
            if not left:
                raise BrokenBody("the zstd body ends too early")
            try:
                piece = frame.decompress(left[:_ZSTD_PIECE])
            except zstandard.ZstdError:
                raise BrokenBody("the body is not zstd, or needs a window over 8 MiB") from None
            left = left[min(_ZSTD_PIECE, len(left)) - len(frame.unused_data) :]
            yield piece
    raise BrokenBody(f"the zstd body has more than {_MAX_MEMBERS} frames")
