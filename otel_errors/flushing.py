"""Send what the SDK still holds, within a deadline. The SDK's own ``force_flush`` takes a timeout and ignores it."""

from __future__ import annotations

import threading
from contextvars import ContextVar

from otel_errors import active
from otel_errors.guard import guarded

_flushing: ContextVar[bool] = ContextVar("otel_errors.flushing", default=False)


def is_flushing() -> bool:
    """Whether this is the thread of a flush. What an exporter logs there ("retrying in 4s") must not be queued for the
    same exporter: at the end of the process that doubles the time that the SDK takes to give up."""
    return _flushing.get()


def flush(timeout_seconds: float) -> bool:
    """True when log records and spans were handed over in time; False after ``timeout_seconds``, when off, or
    without an SDK."""
    done = threading.Event()
    with guarded("flush") as go:
        reporter = active.for_explicit_calls() if go else None
        if reporter is None:
            return False
        # Log records first: the FATAL record of an error whose span event has the same id should be the one that
        # arrives first.
        flushes = [
            force_flush
            for provider in reporter.providers()
            if callable(force_flush := getattr(provider, "force_flush", None))
        ]
        if not flushes:
            return False

        def run() -> None:
            _flushing.set(True)  # in this thread's own context
            with guarded("flush"):
                for force_flush in flushes:
                    force_flush()
                done.set()

        threading.Thread(target=run, name="otel_errors.flush", daemon=True).start()
        return done.wait(max(0.0, timeout_seconds))
    return False
