"""The page for middleware: each example is run and asked."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HTTP = ("FastAPI and Starlette", "Flask", "Django", "Any ASGI application", "Any WSGI application")
ASKING = """
import asyncio, importlib, json, sys
from tests.otel_errors.middleware.calling import call_asgi, call_wsgi

kind, module = sys.argv[1:]
shop = importlib.import_module(module)
if kind == "asgi":
    called = call_asgi(shop.app, path="/orders/7")
    print(json.dumps([called.status, called.headers["support-reference"], called.body.decode()]))
elif kind == "wsgi":
    called = call_wsgi(shop.app, path="/orders/7")
    print(json.dumps([called.status, called.headers["support-reference"], called.body.decode()]))
else:
    import grpc

    def call(port):
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            try:
                channel.unary_unary("/shop.Shop/Order")(b"", timeout=60)
            except grpc.RpcError as error:
                trailers = dict(error.trailing_metadata())
                print(json.dumps([error.code().value[0], trailers["support-reference"], error.details()]))

    async def aio():
        server, port = await shop.start()
        await asyncio.to_thread(call, port)
        await server.stop(None)

    if kind == "grpc":
        shop.server.start()
        call(shop.port)
        shop.server.stop(None).wait()
    else:
        asyncio.run(aio())
"""


def page() -> str:
    return (ROOT / "docs" / "middleware.md").read_text(encoding="utf-8")


def examples_under(heading: str) -> list[str]:
    section = re.split(rf"^#+ {re.escape(heading)}$", page(), flags=re.MULTILINE)[1]
    section = re.split(r"^#", section, flags=re.MULTILINE)[0] if heading != "Settings" else section
    return re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def asked(kind: str, code: str, folder: Path) -> tuple[int, str, str]:
    (folder / "shop.py").write_text(code, encoding="utf-8")
    (folder / "asking.py").write_text(ASKING, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "asking.py", kind, "shop"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "(reference " in done.stderr
    status, reference, body = json.loads(done.stdout)
    assert f"(reference {reference})" in done.stderr
    return status, reference, body


@pytest.mark.parametrize("heading", HTTP)
def test_the_example_answers(heading: str, tmp_path: Path) -> None:
    (code,) = examples_under(heading)
    kind = "asgi" if heading in ("FastAPI and Starlette", "Any ASGI application") else "wsgi"
    status, reference, body = asked(kind, code, tmp_path)
    problem = json.loads(body)
    assert (status, problem["code"], problem["reference"]) == (404, "RESOURCE-NOT-FOUND", reference)
    assert "no row" not in body


def test_the_examples_of_grpc_answer(tmp_path: Path) -> None:
    for kind, code in zip(("grpc", "aio"), examples_under("gRPC"), strict=True):
        status, _, text = asked(kind, code, tmp_path)
        assert (status, text.startswith("We could not find")) == (5, True)


def test_the_examples_of_settings(tmp_path: Path) -> None:
    own, django = examples_under("Settings")
    assert asked("wsgi", own, tmp_path)[0] == 500
    namespace: dict[str, object] = {}
    exec(django, namespace)
    assert getattr(namespace["ShopErrors"], "type_base", "") == "https://shop.example/errors/"


def test_every_name_on_the_page_is_there() -> None:
    names = set(re.findall(r"`(otel_errors\.middleware\.[a-z_]+\.[A-Za-z_]+)", page()))
    assert names
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name
    links = re.findall(r"\]\(([a-z-]+\.md)(?:#[a-z-]+)?\)", page())
    assert links
    assert all((ROOT / "docs" / link).is_file() for link in links)
