"""The processor's issues, read over its REST API as anybody would."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, fields
from typing import Any

PAGE_SIZE = 50


class ApiError(Exception):
    """The API cannot be reached, or answers something else than issues."""


@dataclass(frozen=True)
class Issue:
    """What ``GET /api/v1/issues`` says of an issue, as far as the demo shows it."""

    id: str
    title: str
    culprit: str
    state: str
    severity: str
    service_name: str
    count: int
    users: int
    last_seen: str


class Api:
    """The REST API at ``url``."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def issues(self) -> list[Issue]:
        """All issues, page after page. Raises ApiError."""
        issues: list[Issue] = []
        cursor = ""
        while True:
            query = {"limit": str(PAGE_SIZE), **({"cursor": cursor} if cursor else {})}
            page = self._get("/api/v1/issues?" + urllib.parse.urlencode(query))
            try:
                issues += [Issue(*(row[field.name] for field in fields(Issue))) for row in page["issues"]]
                cursor = page.get("next_cursor") or ""
            except (KeyError, TypeError) as error:
                raise ApiError(f"{self.url}/api/v1/issues: not a page of issues: {error!r}") from None
            if not cursor:
                return issues

    def _get(self, path: str) -> Any:
        try:
            with self._opener.open(self.url + path, timeout=10) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise ApiError(
                f"{self.url}{path} answered {error.code}: {error.read(500).decode(errors='replace')}"
            ) from None
        except (OSError, ValueError) as error:
            raise ApiError(f"{self.url}{path}: {error}") from None
