"""Loaded by ``opentelemetry-instrument`` before it starts the application (entry point
``opentelemetry_environment_variables``): the last moment at which a variable reaches the SDK's exporters."""

from __future__ import annotations

import sys

from otel_errors.external_reporting import apply_dsn

apply_dsn(arguments=sys.argv[1:])
