from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from collector_processor.otlp.content_encoding import (
    BodyTooLarge,
    BrokenBody,
    UnsupportedEncoding,
    check_encoding,
    decompress,
)

BODY = random.Random(1).randbytes(100_000) + b"a" * 300_000
LIMIT = 1024 * 1024


def bare_deflate(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(body) + stream.flush()


COMPRESSORS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", bare_deflate),
    ("zstd", zstandard.compress),
]


@pytest.mark.parametrize(("encoding", "compress"), COMPRESSORS)
def test_reads_what_clients_write(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    assert decompress(compress(BODY), encoding, LIMIT) == BODY
    assert decompress(compress(BODY), encoding, len(BODY)) == BODY
    assert decompress(compress(b""), encoding, LIMIT) == b""


@pytest.mark.parametrize(("encoding", "compress"), COMPRESSORS)
def test_one_byte_over_the_limit_is_too_much(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BodyTooLarge, match=str(len(BODY) - 1)):
        decompress(compress(BODY), encoding, len(BODY) - 1)


@pytest.mark.parametrize(("encoding", "compress"), COMPRESSORS)
@pytest.mark.parametrize("cut", [1, 4, 9, 50_000])
def test_a_truncated_body_is_told_from_a_whole_one(encoding: str, compress: Callable[[bytes], bytes], cut: int) -> None:
    with pytest.raises(BrokenBody):
        decompress(compress(BODY)[:-cut], encoding, LIMIT)


@pytest.mark.parametrize(("encoding", "compress"), COMPRESSORS)
def test_bytes_after_the_end_are_an_error(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    for tail in (b"x", b"\0" * 9, b"more than a header"):
        with pytest.raises(BrokenBody):
            decompress(compress(BODY) + tail, encoding, LIMIT)


@pytest.mark.parametrize(("encoding", "compress"), [COMPRESSORS[0], COMPRESSORS[3]])
def test_several_members_are_one_body(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    assert decompress(compress(BODY[:70_000]) + compress(BODY[70_000:]), encoding, LIMIT) == BODY


@pytest.mark.parametrize(("encoding", "compress"), [COMPRESSORS[0], COMPRESSORS[3]])
def test_millions_of_empty_members_burn_no_time(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BrokenBody, match="1024"):
        decompress(compress(b"") * 1_000_000, encoding, LIMIT)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_costs_no_more_memory_than_an_honest_body(encoding: str) -> None:
    stream = zlib.compressobj(1, wbits=31) if encoding == "gzip" else zstandard.ZstdCompressor().compressobj()
    zeros = bytes(1024 * 1024)
    bomb = b"".join(stream.compress(zeros) for _ in range(100)) + stream.flush()
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge):
            decompress(bomb, encoding, LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 40 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_zstd_window_that_the_sender_chose_too_large_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = stream.compress(BODY) + stream.flush()
    with pytest.raises(BrokenBody, match="window"):
        decompress(body, "zstd", LIMIT)


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "zstd", ""]))
def test_any_bytes_give_a_body_or_a_clear_error(body: bytes, encoding: str) -> None:
    try:
        decompress(body, encoding, 10_000)
    except (BrokenBody, BodyTooLarge):
        pass


@pytest.mark.parametrize(
    ("header", "name"),
    [("", ""), ("identity", ""), ("none", ""), ("GZIP", "gzip"), (" x-gzip ", "gzip"), ("zstd", "zstd")],
)
def test_names_of_encodings(header: str, name: str) -> None:
    assert check_encoding(header) == name


@pytest.mark.parametrize("header", ["br", "gzip, gzip", "snappy", "<script>"])
def test_an_unknown_encoding_names_those_that_are_known(header: str) -> None:
    with pytest.raises(UnsupportedEncoding, match="gzip, deflate, zstd") as caught:
        check_encoding(header)
    assert header not in str(caught.value)
