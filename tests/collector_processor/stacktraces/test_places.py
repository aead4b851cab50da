"""Whose code a file is, and what of its name is its own."""

from __future__ import annotations

import pytest

from collector_processor.stacktraces import in_app
from collector_processor.stacktraces.source_file import file_key, short_file


@pytest.mark.parametrize(
    ("file", "application"),
    [
        ("/app/shop/payments.py", True),
        ("shop/payments.py", True),
        ("C:\\shop\\payments.py", True),
        ("/srv/library/lib/loader.py", True),
        ("<string>", True),
        ("<stdin>", True),
        ("<ipython-input-3-a1b2>", True),
        ("/usr/lib/python3/dist-packages/requests/api.py", False),
        ("/app/.venv/lib/python3.11/site-packages/django/core/handlers/base.py", False),
        ("/usr/lib/python3.12/json/decoder.py", False),
        ("/usr/local/lib/python3.13t/asyncio/runners.py", False),
        ("C:\\Python312\\Lib\\json\\decoder.py", False),
        ("C:\\Users\\bob\\AppData\\Local\\Programs\\Python\\Python312\\Lib\\json\\decoder.py", False),
        ("/opt/conda/lib/python3.11/json/decoder.py", False),
        ("<frozen importlib._bootstrap>", False),
        ("<decorator-gen-39>", False),
        ("<attrs generated init shop.Order>", False),
        ("/app/opentelemetry/trace/__init__.py", False),
        ("/src/otel_errors/hooks/asyncio.py", False),
        ("/var/runtime/bootstrap.py", False),
    ],
)
def test_python(file: str, application: bool) -> None:
    assert in_app.python(file) is application


@pytest.mark.parametrize(
    ("file", "application"),
    [
        ("/app/src/cart.js", True),
        ("file:///app/src/cart.mjs", True),
        ("https://shop.example/assets/index-BkX3a9dQ.js", True),
        ("webpack:///./src/cart.jsx?", True),
        ("webpack-internal:///./src/cart.jsx", True),
        ("/app/nodes/events.js", True),
        ("/app/node_modules/express/lib/router/index.js", False),
        ("webpack:///./~/react-proxy/modules/createPrototypeProxy.js?", False),
        ("webpack:///./node_modules/react-dom/index.js", False),
        ("node:internal/process/task_queues", False),
        ("internal/process/task_queues.js", False),
        ("events.js", False),
        ("native", False),
        ("ext:core/01_core.js", False),
        ("https://deno.land/std@0.224.0/http/server.ts", False),
        ("https://deno.example/main.ts", True),
        ("[native code]", False),
        ("<anonymous>", False),
        ("chrome-extension://abcdef/content.js", False),
        ("moz-extension://abcdef/content.js", False),
        ("safari-web-extension://abcdef/content.js", False),
        ("https://shop.example/static/vendors~main.3f2a1b9c.js", False),
        ("/app/node_modules/@opentelemetry/context-async-hooks/build/src/index.js", False),
    ],
)
def test_javascript(file: str, application: bool) -> None:
    assert in_app.javascript(file) is application


@pytest.mark.parametrize(
    ("key", "files"),
    [
        (
            "payments.py",
            [
                "/app/shop/payments.py",
                "shop/payments.py",
                "C:\\srv\\releases\\20260101\\shop\\payments.py",
                "/home/bob/shop/payments.py",
                "/mnt/builds/J9vw_pB_Ql-Xm4_fdf4c43/shop/payments.py",
            ],
        ),
        ("shop/views.py", ["/app/shop/views.py", "/srv/releases/42/shop/views.py", "D:\\deploy\\shop\\views.py"]),
        ("views.py", ["/app/views.py", "/srv/views.py", "/home/bob/views.py", "/var/www/releases/1.2.3/views.py"]),
        (
            "requests/adapters.py",
            [
                "/usr/lib/python3/dist-packages/requests/adapters.py",
                "C:\\app\\.venv\\Lib\\site-packages\\requests\\adapters.py",
                "/app/.venv/lib/python3.11/site-packages/requests-2.1-py3.8.egg/requests/adapters.py",
            ],
        ),
        ("json/decoder.py", ["/usr/lib/python3.11/json/decoder.py", "C:\\Python312\\Lib\\json\\decoder.py"]),
        (
            "express/lib/router/index.js",
            [
                "/app/node_modules/express/lib/router/index.js",
                "/app/node_modules/.pnpm/express@4.18.2/node_modules/express/lib/router/index.js",
                "webpack:///./node_modules/express/lib/router/index.js",
            ],
        ),
        (
            "main.js",
            [
                "https://cdn.example/static/js/main.3f2a1b9c.js",
                "https://shop.example:8443/main.9a8b7c6d5e.js?v=3",
                "https://shop.example/assets/main-BkX3a9dQ.js",
                "https://shop.example/assets/main-DiwrgTda.js",
                "file:///app/main.js",
            ],
        ),
        ("<n>.js", ["33.js", "https://x.example/1959.js"]),
        ("", ["<anonymous>", "native", "[native code]", "<string>", ""]),
        ("node:fs", ["node:fs"]),
    ],
)
def test_key_of_a_file(key: str, files: list[str]) -> None:
    assert {file: file_key(file) for file in files} == dict.fromkeys(files, key)


def test_equal_names_in_other_packages_differ() -> None:
    assert file_key("/app/orders/views.py") != file_key("/app/users/views.py")
    assert file_key("/app/shop/__init__.py") != file_key("/app/bank/__init__.py")
    assert file_key("/app/src/cart/index.js") != file_key("/app/src/user/index.js")


def test_what_people_read_names_nobody() -> None:
    assert short_file("/app/shop/payments.py") == "shop/payments.py"
    assert short_file("/home/alice/worker.py") == "worker.py"
    assert short_file("C:\\Users\\alice\\worker.py") == "worker.py"
    assert short_file("https://shop.example/static/js/cart.3f2a1b9c.js") == "cart.js"
    assert short_file("/usr/lib/python3/dist-packages/requests/adapters.py") == "requests/adapters.py"
