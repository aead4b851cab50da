"""The pages are tested over the same stores as the API."""

from __future__ import annotations

from tests.collector_processor.api.conftest import empty, stored

__all__ = ["empty", "stored"]
