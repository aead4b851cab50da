"""A socket on an address, or the reason why not."""

from __future__ import annotations

import socket


def listen(bind: str, share_port: bool) -> socket.socket:
    """Bound, not yet listening. Raises ``OSError`` that names the address."""
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if share_port:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(address)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
        return listener
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {bind}: {error.strerror or error}") from None
