"""Signals that end the demo, as exceptions in the main thread, so that everything that was started is stopped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Terminated(BaseException):
    """SIGTERM or SIGHUP came."""


class _State:
    undisturbed = 0
    held_back: type[BaseException] | None = None


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Turn the first signal into KeyboardInterrupt (SIGINT) or Terminated; later ones change nothing.

    In another thread than the main one nothing is changed: Python handles signals there alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _end) for number in NUMBERS}
    try:
        yield
    finally:
        _State.held_back = None
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within, a signal's exception is held back to the end: a process that is being started must become somebody's."""
    _State.undisturbed += 1
    try:
        yield
    finally:
        _State.undisturbed -= 1
    if not _State.undisturbed and _State.held_back is not None:
        error, _State.held_back = _State.held_back, None
        raise error


def _end(number: int, frame: FrameType | None) -> None:
    for each in NUMBERS:
        signal.signal(each, _leave_the_ending_alone)
    error = KeyboardInterrupt if number == signal.SIGINT else Terminated
    if not _State.undisturbed:
        raise error
    _State.held_back = error


def _leave_the_ending_alone(number: int, frame: FrameType | None) -> None:
    """Not SIG_IGN: a process that is just being started would inherit that, and not end when it is asked to."""
