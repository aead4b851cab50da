"""Ports for programs that must be told one, and must get the same one again after a restart."""

from __future__ import annotations

import random
import socket

# Below what systems hand out by themselves (Linux: from 32768), so that no connection of the test takes it in between.
_LOWEST, _HIGHEST = 12_000, 31_000
_random = random.SystemRandom()


def free_port() -> int:
    """A port of loopback that was free a moment ago."""
    for _ in range(100):
        port = _random.randint(_LOWEST, _HIGHEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no port from {_LOWEST} to {_HIGHEST} is free")
