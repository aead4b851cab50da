"""What every process of the service sets up the same way: its log and its event loop."""

from __future__ import annotations

import asyncio
import logging
import resource
import sys
from collections.abc import Coroutine
from typing import Any

from collector_processor.settings import Settings

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure_logging(settings: Settings) -> None:
    """Log to stderr. Nothing that a client sent is ever logged: messages name kinds, sizes and reasons."""
    logging.basicConfig(stream=sys.stderr, level=settings.log_level.upper(), format=LOG_FORMAT)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs the URL of every push
    logging.getLogger("alembic").setLevel(logging.WARNING)


def run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run to the end on uvloop where there is one, with as many descriptors as there may be."""
    raise_descriptor_limit()
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
        return
    uvloop.run(main)


def raise_descriptor_limit() -> None:
    """As many descriptors as this user may have: the soft limit is 1,024 on many systems, for programs that use
    ``select``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):
            pass  # some systems name a hard limit that they do not grant; the soft one stays
