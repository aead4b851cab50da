"""TLS of the OTLP ports with real handshakes: encrypted, mutual, and certificates that change while it runs."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import httpx
import pytest

from collector_processor.otlp import http_server
from collector_processor.otlp.grpc_server import start_grpc
from collector_processor.otlp.http_server import start_http
from collector_processor.otlp.messages import SERVICES
from collector_processor.otlp.tls import TlsFiles, TlsUnusable
from tests.collector_processor.otlp.certificates import Pair, made
from tests.collector_processor.otlp.telemetry import Handler

LIMIT = 64 * 1024


@asynccontextmanager
async def ports(tls: TlsFiles) -> AsyncIterator[tuple[int, int]]:
    """gRPC's and HTTP's."""
    grpc_server = await start_grpc(Handler(), bind="127.0.0.1:0", max_request_bytes=LIMIT, tls=tls)
    web = await start_http(Handler(), bind="127.0.0.1:0", max_request_bytes=LIMIT, tls=tls)
    try:
        yield grpc_server.port, web.port
    finally:
        await asyncio.gather(grpc_server.stop(0), web.stop(0))


async def over_grpc(port: int, authority: Path, client: Pair | None = None) -> bool:
    key, certificate = (client.key.read_bytes(), client.certificate.read_bytes()) if client else (None, None)
    credentials = grpc.ssl_channel_credentials(await asyncio.to_thread(authority.read_bytes), key, certificate)
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.ssl_target_name_override", "localhost")]
    async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=options) as channel:
        try:
            await channel.unary_unary(SERVICES["traces"].method)(b"", timeout=30)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return False
    return True


async def over_http(port: int, authority: Path, client: Pair | None = None) -> bool:
    context = ssl.create_default_context(cafile=authority)
    if client is not None:
        context.load_cert_chain(client.certificate, client.key)
    headers = {"content-type": "application/x-protobuf"}
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=30) as session:
        try:
            answer = await session.post(f"https://127.0.0.1:{port}/v1/traces", content=b"", headers=headers)
        except httpx.TransportError:
            return False
    return answer.status_code == 200


async def test_both_ports_speak_tls_and_nothing_else(tmp_path: Path) -> None:
    server = made(tmp_path, "server")
    async with ports(TlsFiles(server.certificate, server.key)) as (grpc_port, http_port):
        assert await over_grpc(grpc_port, server.certificate)
        assert await over_http(http_port, server.certificate)
        other = made(tmp_path, "other").certificate
        assert not await over_grpc(grpc_port, other), "a client sees that it is somebody else"
        assert not await over_http(http_port, other)
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.TransportError):
                await client.post(f"http://127.0.0.1:{http_port}/v1/traces", content=b"")


async def test_with_an_authority_only_its_clients_get_in(tmp_path: Path) -> None:
    server, authority = made(tmp_path, "server"), made(tmp_path, "authority")
    known = made(tmp_path, "known", signed_by=authority)
    stranger = made(tmp_path, "stranger")
    async with ports(TlsFiles(server.certificate, server.key, authority.certificate)) as (grpc_port, http_port):
        for over, port in ((over_grpc, grpc_port), (over_http, http_port)):
            assert await over(port, server.certificate, known)
            assert not await over(port, server.certificate)
            assert not await over(port, server.certificate, stranger)


async def test_new_files_are_used_without_a_restart_and_broken_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "RELOAD_SECONDS", 0.02)
    first, second = made(tmp_path / "1", "server"), made(tmp_path / "2", "server")
    used = Pair(tmp_path / "key.pem", tmp_path / "certificate.pem")
    for source, target in zip(first, used, strict=True):
        shutil.copy(source, target)
    async with ports(TlsFiles(used.certificate, used.key)) as (grpc_port, http_port):
        assert await over_grpc(grpc_port, first.certificate)
        assert await over_http(http_port, first.certificate)
        used.certificate.write_text("half of a file")
        assert await over_grpc(grpc_port, first.certificate), "the one of before stays"
        assert await over_http(http_port, first.certificate)
        for source, target in zip(second, used, strict=True):
            shutil.copy(source, target)
        for over, port in ((over_grpc, grpc_port), (over_http, http_port)):
            for _ in range(600):
                if await over(port, second.certificate):
                    break
                await asyncio.sleep(0.05)
            assert not await over(port, first.certificate)


@pytest.mark.parametrize("missing", ["certificate", "key"])
async def test_files_that_cannot_be_used_stop_the_start(tmp_path: Path, missing: str) -> None:
    server, other = made(tmp_path, "server"), made(tmp_path, "other")
    files = {"certificate": server.certificate, "key": server.key, missing: tmp_path / "nowhere.pem"}
    for tls in (TlsFiles(**files), TlsFiles(server.certificate, other.key)):
        with pytest.raises(TlsUnusable, match=r"otlp\.tls: .*\.pem"):
            await start_http(Handler(), bind="127.0.0.1:0", max_request_bytes=LIMIT, tls=tls)
        with pytest.raises(TlsUnusable, match=r"otlp\.tls: .*\.pem"):
            await start_grpc(Handler(), bind="127.0.0.1:0", max_request_bytes=LIMIT, tls=tls)
