"""What is kept of an error over its service's limit: everything that counts, nothing that takes room."""

from __future__ import annotations

from typing import Final

import msgspec

from collector_processor.events import ErrorEvent

NOT_KEPT: Final = "otel_errors.not_kept"
REASON: Final = (
    "stack and attributes: the service is over otlp.limits.service_stacks_per_second; every error is counted"
)


def without_stack(event: ErrorEvent) -> ErrorEvent:
    """A copy without stack text, tags and attributes, whose occurrence says that and why."""
    return msgspec.structs.replace(event, stacktrace="", tags={}, attributes={NOT_KEPT: REASON})
