"""What every service of the shop does first: console logging, an orderly end on SIGTERM, its listening socket."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from types import FrameType

import otel_errors

FLUSH_SECONDS = 45.0
LISTEN_FD = "SHOP_LISTEN_FD"


class ConsoleFormatter(logging.Formatter):
    """Time, level, logger, the first line of the message's template and the exception's type.

    Neither the arguments nor the exception's text: those name customers and their cards, and a console log is kept in
    files that nobody cleans. The full record goes out as telemetry.
    """

    def format(self, record: logging.LogRecord) -> str:
        template = str(record.msg).partition("\n")[0]  # asyncio's goes on with the exception's text
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {template}"
        if record.exc_info and record.exc_info[0] is not None:
            line += f" ({record.exc_info[0].__qualname__})"
        return line


def prepare() -> socket.socket:
    """Set the process up and return its listening socket, which it inherited: there is no port to agree on."""
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(ConsoleFormatter())
    logging.getLogger().addHandler(console)
    logging.getLogger().setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, _exit)
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    descriptor = os.environ.get(LISTEN_FD, "")
    if not descriptor.isdigit():
        raise SystemExit(f"shop: {LISTEN_FD}: {descriptor!r} is not a file descriptor of a listening socket")
    return socket.socket(fileno=int(descriptor))


def finish() -> None:
    """Hand over what telemetry there is: at its exit the SDK waits less long than an exporter's retries may take."""
    otel_errors.flush(FLUSH_SECONDS)


def _exit(number: int, frame: FrameType | None) -> None:
    # The default action of SIGTERM would skip the exit handlers, and with them the last batch of telemetry; a second
    # SIGTERM would do so while they wait for a processor that is just being started again.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def _end_with_parent() -> None:
    # Standard input is a pipe whose other end only the parent holds: it ends when the parent does, however that died.
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        return
    os.kill(os.getpid(), signal.SIGTERM)
