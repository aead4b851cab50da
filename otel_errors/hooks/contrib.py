"""OpenTelemetry contrib's own ``exceptions`` instrumentation: where it is active, the hooks of process, threads
and tasks are its."""

from __future__ import annotations

import sys


def owns_process_hooks() -> bool:
    """Asked when a hook is called: which of the two is instrumented first is a matter of chance."""
    module = sys.modules.get("opentelemetry.instrumentation.exceptions")
    instrumentor = getattr(module, "UnhandledExceptionInstrumentor", None)
    # Never constructed to ask it: its __init__ runs again on the one instance and silences it.
    instance = getattr(instrumentor, "_instance", None)
    return bool(getattr(instance, "_is_instrumented_by_opentelemetry", False))
