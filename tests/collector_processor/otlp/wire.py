"""Protobuf as nobody writes it and every parser must read it: any order, fields again, longer varints than needed."""

from __future__ import annotations

from hypothesis import strategies as st

from otel_errors.semconv import ERROR_KEYS

Strategy = st.SearchStrategy[bytes]


def varint(number: int, longer_by: int = 0) -> bytes:
    """``longer_by`` bytes more than needed."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    for _ in range(longer_by):
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


def number_field(field: int, value: int, longer_by: int = 0) -> bytes:
    return varint(field << 3, longer_by) + varint(value, longer_by)


def bytes_field(field: int, value: bytes, longer_by: int = 0) -> bytes:
    return varint(field << 3 | 2, longer_by) + varint(len(value), longer_by) + value


def fixed64_field(field: int, value: int) -> bytes:
    return varint(field << 3 | 1) + value.to_bytes(8, "little")


TEXTS = st.sampled_from(
    [
        "",
        "bad total",
        "no account jane.doe@example.com",
        "exception",
        "an exception",
        "password=hunter2",
        "4111111111111111",
    ]
)
KEYS = st.sampled_from(
    [*sorted(ERROR_KEYS), "user.id", "http.route", "password", "exception.escaped", "exceptional", "n"]
)
LONGER = st.sampled_from([0, 0, 0, 1, 2])
UNKNOWN: Strategy = st.one_of(
    st.builds(number_field, st.integers(60, 70), st.integers(0, 2**40)),
    st.builds(bytes_field, st.integers(60, 70), st.binary(max_size=12)),
    st.builds(fixed64_field, st.integers(60, 70), st.integers(0, 2**64 - 1)),
)


def message(*fields: Strategy, always: Strategy | None = None, max_size: int = 4) -> Strategy:
    """``always``, some of ``fields`` and unknown ones, in any order, any of them again."""
    some = st.lists(st.one_of(*fields, UNKNOWN), max_size=max_size)
    if always is None:
        return some.map(b"".join)
    return st.tuples(always, some, st.integers(0, max_size)).map(
        lambda drawn: b"".join([*drawn[1][: drawn[2]], drawn[0], *drawn[1][drawn[2] :]])
    )


def inside(field: int, inner: Strategy) -> Strategy:
    return st.builds(bytes_field, st.just(field), inner, LONGER)


def text(field: int, texts: st.SearchStrategy[str] = TEXTS) -> Strategy:
    return texts.map(lambda value: bytes_field(field, value.encode()))


VALUE = st.one_of(
    text(1),
    st.builds(number_field, st.just(3), st.sampled_from([0, 1, 2, 4111111111111111])),
    inside(7, TEXTS.map(str.encode)),
    inside(5, inside(1, text(1))),
    st.just(b""),
)
ATTRIBUTE = st.builds(lambda key, value: bytes_field(1, key.encode()) + bytes_field(2, value), KEYS, VALUE)
EVENT = message(
    text(2, st.sampled_from(["exception", "ValueError", "retry"])),
    inside(3, ATTRIBUTE),
    st.builds(fixed64_field, st.just(1), st.sampled_from([0, 7, 8])),
    always=inside(3, ATTRIBUTE),
)
STATUS = message(
    text(2), st.builds(number_field, st.just(3), st.sampled_from([0, 1, 2, 2, 2 + (1 << 32)]), LONGER), max_size=3
)
SPAN = message(
    inside(1, st.sampled_from([b"", bytes(16), bytes(range(16)), bytes(range(1, 17))])),
    inside(2, st.sampled_from([bytes(range(1, 9)), bytes(range(2, 10))])),
    text(3),
    text(5),
    inside(9, ATTRIBUTE),
    inside(11, EVENT),
    inside(13, inside(4, ATTRIBUTE)),
    inside(15, STATUS),
    always=st.one_of(inside(11, EVENT), inside(11, EVENT), inside(15, STATUS), st.just(b"")),
)
RECORD = message(
    inside(5, VALUE),
    inside(6, ATTRIBUTE),
    inside(9, st.sampled_from([bytes(16), bytes(range(1, 17))])),
    text(12),
    st.builds(number_field, st.just(2), st.integers(0, 24)),
    st.builds(fixed64_field, st.just(1), st.sampled_from([0, 7, 8])),
    always=st.one_of(inside(6, ATTRIBUTE), st.just(b"")),
)
POINTS = st.lists(inside(1, st.just(b"")), max_size=3).map(b"".join)
METRIC = message(text(1), *(inside(field, POINTS) for field in (5, 7, 9, 10, 11)))
SERVICE = st.builds(
    lambda key, service: bytes_field(1, bytes_field(1, key) + bytes_field(2, service)),
    st.sampled_from([b"service.name", b"host.name"]),
    st.one_of(text(1, st.sampled_from(["shop", "billing", ""])), VALUE),
)


def request(item: Strategy) -> Strategy:
    """An export request whose spans, records or metrics are ``item``."""
    scope = inside(1, message(text(1), text(2), inside(3, ATTRIBUTE), max_size=3))
    scoped = message(scope, inside(2, item), text(3), always=inside(2, item))
    sent = message(inside(1, message(SERVICE, max_size=2)), inside(2, scoped), text(3), always=inside(2, scoped))
    return message(inside(1, sent), always=inside(1, sent), max_size=2)


REQUESTS: dict[str, Strategy] = {"traces": request(SPAN), "logs": request(RECORD), "metrics": request(METRIC)}
