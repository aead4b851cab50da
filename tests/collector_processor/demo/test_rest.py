"""Reading issues over HTTP: all pages, and answers that are none."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from collector_processor.demo import Api
from collector_processor.demo.rest import ApiError


def row(number: int) -> dict[str, Any]:
    texts = dict.fromkeys(("title", "culprit", "state", "severity", "service_name", "first_seen", "last_seen"), "x")
    return {"id": f"i{number}", **texts, "count": number, "users": 0, "fingerprints": []}


@contextmanager
def answering(pages: dict[str, tuple[int, Any]]) -> Iterator[str]:
    """A server that answers by cursor."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            cursor = parse_qs(urlsplit(self.path).query).get("cursor", [""])[0]
            status, body = pages[cursor]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_all_pages_are_read() -> None:
    pages = {
        "": (200, {"issues": [row(1), row(2)], "next_cursor": "a/b&c"}),
        "a/b&c": (200, {"issues": [row(3)], "next_cursor": None}),
    }
    with answering(pages) as url:
        assert [issue.id for issue in Api(url + "/").issues()] == ["i1", "i2", "i3"]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (503, {"title": "starting"}, "answered 503: .*starting"),
        (200, ["no", "page"], "not a page of issues"),
        (200, {"issues": [{"id": "i1"}]}, "not a page of issues: KeyError\\('title'\\)"),
    ],
)
def test_other_answers_are_errors(status: int, body: Any, said: str) -> None:
    with answering({"": (status, body)}) as url, pytest.raises(ApiError, match=said):
        Api(url).issues()


def test_nobody_there_is_an_error() -> None:
    with pytest.raises(ApiError, match=r"127\.0\.0\.1:9/"):
        Api("http://127.0.0.1:9").issues()
