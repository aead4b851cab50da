"""Who gets in: keys, their origins, their limits, and memory; over both protocols on real ports."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest
import pytest_asyncio

from collector_processor.otlp import ingest_keys
from collector_processor.otlp.access_log import AccessLog
from collector_processor.otlp.admission import Admission
from collector_processor.otlp.exchange import Accepted, Forbidden, Retry, Unauthenticated
from collector_processor.otlp.grpc_server import start_grpc
from collector_processor.otlp.http_server import start_http
from collector_processor.otlp.ingest_keys import IngestKey, KeyFile, KeyRing, KeysUnusable
from collector_processor.otlp.messages import SERVICES
from collector_processor.otlp.token_bucket import TokenBuckets
from tests.collector_processor.otlp.telemetry import Handler

LIMIT = 64 * 1024
ORIGIN = "https://shop.example"
PROTOBUF = {"content-type": "application/x-protobuf"}
EXPORT = SERVICES["traces"].method


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "data" / "ingest-keys.json")


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


# --- keys and their file ---


def test_only_a_digest_is_kept_and_only_the_owner_reads_it(file: KeyFile) -> None:
    key, kept = file.create("checkout", "server", [], 1_790_000_000)
    text = file.path.read_text()
    assert key not in text
    assert key.removeprefix(ingest_keys.PREFIX) not in text
    assert stat.S_IMODE(os.stat(file.path).st_mode) == 0o600
    assert file.read() == (kept,)
    assert kept.created == "2026-09-21T14:13:20Z"
    assert os.listdir(file.path.parent) == [file.path.name], "nothing is left of the writing"


def test_two_keys_are_never_the_same(file: KeyFile) -> None:
    made = {file.create(f"key {number}", "server", [], 0)[0] for number in range(20)}
    assert len(made) == 20
    assert all(len(key) > 40 for key in made)


@pytest.mark.parametrize(
    ("name", "kind", "origins", "problem"),
    [
        ("", "server", [], "printable"),
        ("x" * 101, "server", [], "printable"),
        ("a\nb", "server", [], "printable"),
        ("pages", "browser", [], "--origin"),
        ("pages", "browser", ["*"], "not an origin"),
        ("pages", "browser", ["shop.example"], "not an origin"),
        ("pages", "server", [ORIGIN], "--browser"),
        ("taken", "server", [], "there is such a key"),
    ],
)
def test_what_is_no_key_says_so(file: KeyFile, name: str, kind: Any, origins: list[str], problem: str) -> None:
    file.create("taken", "server", [], 0)
    with pytest.raises(KeysUnusable, match=problem):
        file.create(name, kind, origins, 0)
    assert len(file.read()) == 1


def test_a_file_that_is_none_says_which(file: KeyFile) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(b"[{")
    with pytest.raises(KeysUnusable, match=r"ingest-keys\.json: not a file of ingest keys"):
        KeyRing(file)


def test_a_new_and_a_revoked_key_are_noticed_and_half_a_file_is_not(
    file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_keys, "LOOK_SECONDS", 0.0)
    first, kept = file.create("first", "server", [], 0)
    ring = KeyRing(file)
    second, _ = file.create("second", "server", [], 0)
    assert ring.find(f"bearer {second}") is not None
    file.revoke("second")
    assert ring.find(f"Bearer {second}") is None
    file.path.write_bytes(file.path.read_bytes()[:-9])
    assert ring.find(f"Bearer {first}") == kept
    for other in ("", "Bearer", f"Basic {first}", first, f"Bearer {kept.digest}", "Bearer \udcff"):
        assert ring.find(other) is None


def test_revoking_takes_a_name_or_an_id(file: KeyFile) -> None:
    _, kept = file.create("first", "server", [], 0)
    with pytest.raises(KeysUnusable, match="no ingest key"):
        file.revoke("other")
    assert file.revoke(kept.id) == kept
    assert file.read() == ()


# --- buckets ---


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    now = 0.0
    buckets = TokenBuckets(10, 20, clock=lambda: now)
    assert buckets.take("a", 25) == 0.0, "what is larger than the bucket passes once"
    assert buckets.take("a", 1) == pytest.approx(0.5)
    assert buckets.take("b", 1) == 0.0, "others have their own"
    now = 0.6
    assert buckets.take("a", 1) == 0.0
    now = 100.0
    assert buckets.spend("a", 30) == 20
    assert buckets.spend("a", 1) == 0
    now = 100.35
    assert buckets.spend("a", 10) == 3


def test_buckets_are_bounded() -> None:
    buckets = TokenBuckets(1)
    for number in range(10_050):
        buckets.take(f"name {number}", 1)
    assert len(buckets._buckets) == 10_000


# --- admission ---


@pytest.fixture
def keys(file: KeyFile) -> dict[str, str]:
    return {
        "server": file.create("server", "server", [], 0)[0],
        "browser": file.create("pages", "browser", [ORIGIN + "/"], 0)[0],
    }


def test_a_browser_key_is_for_the_pages_of_its_origins(file: KeyFile, keys: dict[str, str]) -> None:
    refused: list[str] = []
    admission = Admission(keys=KeyRing(file), refused=lambda signal, reason: refused.append(reason))
    browser = bearer(keys["browser"])
    assert isinstance(admission.admit("traces", {**browser, "origin": ORIGIN}, "http"), IngestKey)
    for headers, transport in (
        (browser, "http"),
        ({**browser, "origin": "https://shop.example.attacker.test"}, "http"),
        ({**browser, "origin": "null"}, "http"),
        ({**browser, "origin": ORIGIN}, "grpc"),
    ):
        assert isinstance(admission.admit("traces", headers, transport), Forbidden)  # type: ignore[arg-type]
    assert isinstance(admission.admit("traces", {}, "http"), Unauthenticated)
    assert refused == ["forbidden"] * 4 + ["unauthenticated"]


def test_origins_of_new_browser_keys_may_send_at_once(file: KeyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_keys, "LOOK_SECONDS", 0.0)
    file.create("server", "server", [], 0)
    admission = Admission(keys=KeyRing(file), cors_origins=["https://other.example"])
    assert admission.origins.preflight(ORIGIN.encode(), None) is None
    file.create("pages", "browser", [ORIGIN], 0)
    assert admission.origins.preflight(ORIGIN.encode(), None) is not None
    assert admission.origins.preflight(b"https://other.example", None) is not None


def test_without_memory_to_spare_all_are_told_to_come_again() -> None:
    memory = 100
    admission = Admission(max_memory_bytes=99, resident_bytes=lambda: memory)
    assert isinstance(admission.admit("logs", {}, "grpc"), Retry)
    assert Admission(max_memory_bytes=1 << 40).admit("logs", {}, "grpc") is None
    assert isinstance(Admission(max_memory_bytes=1).admit("logs", {}, "grpc"), Retry), "the real figure is not zero"


# --- both ports ---


class Ports:
    def __init__(self, http: str, grpc_target: str, handler: Handler) -> None:
        self.http = http
        self.grpc = grpc_target
        self.handler = handler


@pytest_asyncio.fixture
async def ports(file: KeyFile, keys: dict[str, str]) -> AsyncIterator[Ports]:
    handler = Handler()
    admission = Admission(keys=KeyRing(file), key_bytes=TokenBuckets(1000, 2000))
    access = AccessLog()
    grpc_server = await start_grpc(
        handler, bind="127.0.0.1:0", max_request_bytes=LIMIT, admission=admission, access=access
    )
    http_server = await start_http(
        handler, bind="127.0.0.1:0", max_request_bytes=LIMIT, admission=admission, access=access
    )
    yield Ports(f"http://127.0.0.1:{http_server.port}", f"127.0.0.1:{grpc_server.port}", handler)
    await asyncio.gather(grpc_server.stop(0), http_server.stop(0))


async def test_http_wants_a_key_before_it_reads_the_body(ports: Ports, keys: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=ports.http, trust_env=False) as client:
        refused = await client.post("/v1/traces", content=b"\xff" * 1000, headers=PROTOBUF)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        forbidden = await client.post("/v1/traces", content=b"", headers={**PROTOBUF, **bearer(keys["browser"])})
        assert forbidden.status_code == 403
        assert ports.handler.requests == []
        page = {**PROTOBUF, **bearer(keys["browser"]), "origin": ORIGIN}
        accepted = await client.post("/v1/traces", content=b"", headers=page)
        assert accepted.status_code == 200
        assert accepted.headers["access-control-allow-origin"] == ORIGIN
        asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
        assert (await client.options("/v1/traces", headers=asked)).status_code == 204


async def test_grpc_wants_a_key(ports: Ports, keys: dict[str, str]) -> None:
    async with grpc.aio.insecure_channel(ports.grpc) as channel:
        export = channel.unary_unary(EXPORT)
        for metadata, code in (
            ((), grpc.StatusCode.UNAUTHENTICATED),
            ((("authorization", "Bearer oeik_other"),), grpc.StatusCode.UNAUTHENTICATED),
            ((("authorization", f"Bearer {keys['browser']}"), ("origin", ORIGIN)), grpc.StatusCode.PERMISSION_DENIED),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await export(b"", metadata=metadata, timeout=30)
            assert refused.value.code() is code
        assert ports.handler.requests == []
        assert await export(b"", metadata=(("authorization", f"Bearer {keys['server']}"),), timeout=30) == b""


async def test_a_key_over_its_limit_is_told_when_to_come_again(ports: Ports, keys: dict[str, str]) -> None:
    headers = {**PROTOBUF, **bearer(keys["server"])}
    async with httpx.AsyncClient(base_url=ports.http, trust_env=False) as client:
        assert (await client.post("/v1/traces", content=bytes(30_000), headers=headers)).status_code == 200
        over = await client.post("/v1/traces", content=bytes(10), headers=headers)
        assert over.status_code == 429
        assert int(over.headers["retry-after"]) >= 20
        page = {**PROTOBUF, **bearer(keys["browser"]), "origin": ORIGIN}
        assert (await client.post("/v1/traces", content=bytes(10), headers=page)).status_code == 200


async def test_the_access_log_names_key_and_outcome_and_nothing_that_was_sent(
    ports: Ports, keys: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    ports.handler.outcomes = [Accepted()]
    with caplog.at_level(logging.INFO, logger="otel_errors.access"):
        async with httpx.AsyncClient(base_url=ports.http, trust_env=False) as client:
            headers = {**PROTOBUF, **bearer(keys["server"])}
            await client.post("/v1/logs", content=b"jane.doe@example.com", headers=headers)
            await client.post("/v1/logs", content=b"jane.doe@example.com", headers=PROTOBUF)
    taken, refused = (record.getMessage() for record in caplog.records if record.name == "otel_errors.access")
    assert "http/protobuf logs from 127.0.0.1:" in taken
    assert f"key={ingest_keys.digest(keys['server'])[:12]} 20 bytes Accepted" in taken
    assert "key=- 0 bytes Unauthenticated" in refused
    assert "jane" not in taken + refused
    assert keys["server"] not in taken + refused


async def test_a_grpc_connection_is_asked_to_come_again_and_loses_nothing() -> None:
    handler = Handler()
    server = await start_grpc(handler, bind="127.0.0.1:0", max_request_bytes=LIMIT, max_connection_age_seconds=1.0)
    peers = set()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            export = channel.unary_unary(EXPORT)
            sent = 0
            for _ in range(2000):
                if len(peers) == 2:
                    break
                await export(b"", timeout=30, wait_for_ready=True)
                sent += 1
                peers = {request.peer for request in handler.requests}
                await asyncio.sleep(0.02)
    finally:
        await server.stop(0)
    assert len(peers) == 2
    assert len(handler.requests) == sent
