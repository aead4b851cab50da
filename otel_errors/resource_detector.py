"""Release, commit and deployment environment for everything that the application sends, not only for its errors.

An OpenTelemetry resource detector, entry point ``otel_errors``: the SDK runs it when
``OTEL_EXPERIMENTAL_RESOURCE_DETECTORS`` or the configuration file names it. The one module of the library that needs
the SDK, which loads it.
"""

from __future__ import annotations

import os

from opentelemetry.sdk.resources import Resource, ResourceDetector

from otel_errors.release import release_attributes, release_of


class ReleaseDetector(ResourceDetector):
    """``service.version``, ``vcs.ref.head.revision`` and ``deployment.environment.name`` as the variables of builds and
    hosting services tell them. Never what ``OTEL_RESOURCE_ATTRIBUTES`` sets, whatever the order of the detectors."""

    def detect(self) -> Resource:
        """Does not raise."""
        return Resource(release_attributes(release_of(os.environ)))
