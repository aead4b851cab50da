"""Calls from one service of the shop to another: JSON over HTTP with urllib."""

from __future__ import annotations

import json
import urllib.request
from http.client import HTTPResponse
from typing import Any, cast


class UpstreamError(Exception):
    """Another service answered with a failure of its own."""

    def __init__(self, service: str, status: int, method: str, path: str) -> None:
        super().__init__(f"{service} answered {status} to {method} {path}")
        self.service = service
        self.status = status


class _EveryAnswer(urllib.request.HTTPErrorProcessor):
    """Hands every answer back: a status is judged by the one who asked, not by urllib."""

    def http_response(self, request: urllib.request.Request, response: HTTPResponse) -> HTTPResponse:
        return response

    https_response = http_response


class Service:
    """Another service, by name and address."""

    def __init__(self, name: str, url: str, *, timeout_seconds: float = 30.0) -> None:
        self.name = name
        self.url = url.rstrip("/")
        self.timeout_seconds = timeout_seconds
        self._opener = urllib.request.build_opener(_EveryAnswer, urllib.request.ProxyHandler({}))

    def get(self, path: str) -> Any:
        """The JSON answer; None when there is no such thing (404)."""
        return self._call("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send ``body`` as JSON; the JSON answer."""
        return self._call("POST", path, json.dumps(body).encode())

    def _call(self, method: str, path: str, body: bytes | None) -> Any:
        request = urllib.request.Request(self.url + path, data=body, method=method)  # noqa: S310 - the URL is the shop's own
        request.add_header("Content-Type", "application/json")
        with self._opener.open(request, timeout=self.timeout_seconds) as opened:
            response = cast(HTTPResponse, opened)
            text = response.read()
        if response.status == 404:
            return None
        if response.status >= 400:
            raise UpstreamError(self.name, response.status, method, path)
        return json.loads(text)
