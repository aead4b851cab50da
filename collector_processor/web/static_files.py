"""The style sheet and the icon: two files, read once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from collector_processor.web.environment import STATIC, style_version

MEDIA_TYPES: Final = {"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}


def static_files() -> APIRouter:
    """``/static/style.css`` and ``/static/icon.svg``. Under the version that the pages name they may be kept for
    ever."""
    router = APIRouter(include_in_schema=False)
    for name, media_type in MEDIA_TYPES.items():
        router.add_api_route(
            f"/static/{name}", _serve((STATIC / name).read_bytes(), media_type), methods=["GET", "HEAD"]
        )
    return router


def _serve(body: bytes, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    version = style_version()

    async def file(request: Request) -> Response:
        kept = request.query_params.get("v") == version
        caching = "public, max-age=31536000, immutable" if kept else "no-cache"
        return Response(body, headers={"Content-Type": media_type, "Cache-Control": caching})

    return file
