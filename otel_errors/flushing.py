"""Send what the SDK still holds, within a deadline. The SDK's own ``force_flush`` takes a timeout and ignores it."""

from __future__ import annotations

import threading

from otel_errors import active
from otel_errors.guard import guarded


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
            with guarded("flush"):
                for force_flush in flushes:
                    force_flush()
                done.set()

        threading.Thread(target=run, name="otel_errors.flush", daemon=True).start()
        return done.wait(max(0.0, timeout_seconds))
    return False
