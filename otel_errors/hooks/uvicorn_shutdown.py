"""uvicorn ends itself with the signal that stopped it, so without Python's own end, where the SDK would send what it
holds: the last errors are sent when its shutdown is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from otel_errors import active
from otel_errors.flushing import flush
from otel_errors.hooks.framework import drop_our_frame
from otel_errors.patching import LatePatch
from otel_errors.seen import seen

FLUSH_SECONDS = 2.0


def install() -> None:
    _patch.install()


def uninstall() -> None:
    _patch.uninstall()


async def _shutdown(wrapped: Callable[..., Any], server: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        result = await wrapped(*args, **kwargs)
    except BaseException as own:
        drop_our_frame(own)
        raise
    if active.instrumented() is not None and len(seen) > 0:
        await asyncio.to_thread(flush, FLUSH_SECONDS)
    return result


_patch = LatePatch("uvicorn.server", "Server.shutdown", _shutdown)
