"""Every attribute name that otel-errors reads or writes, once.

OpenTelemetry's stable names are imported; names that the conventions still develop are spelled out here, as the
conventions' code generation guidance asks of instrumentations (the ``_incubating`` modules may break on any release).
Ours are under ``otel_errors.`` and never under ``exception.``.
"""

from __future__ import annotations

from typing import Final, Literal

from opentelemetry.semconv.attributes.code_attributes import (
    CODE_COLUMN_NUMBER,
    CODE_FILE_PATH,
    CODE_FUNCTION_NAME,
    CODE_LINE_NUMBER,
)
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.exception_attributes import (
    EXCEPTION_ESCAPED,
    EXCEPTION_MESSAGE,
    EXCEPTION_STACKTRACE,
    EXCEPTION_TYPE,
)
from opentelemetry.semconv.attributes.service_attributes import SERVICE_NAME, SERVICE_VERSION
from opentelemetry.semconv.attributes.telemetry_attributes import TELEMETRY_SDK_LANGUAGE

__all__ = [
    "CODE_COLUMN_NUMBER",
    "CODE_FILE_PATH",
    "CODE_FUNCTION_NAME",
    "CODE_LINE_NUMBER",
    "COMPUTED_BY_PROCESSOR",
    "CONTEXT_PREFIX",
    "DEPLOYMENT_ENVIRONMENT",
    "DEPLOYMENT_ENVIRONMENT_NAME",
    "ENDUSER_ID",
    "ENDUSER_PSEUDO_ID",
    "ERROR_CODE",
    "ERROR_KEYS",
    "ERROR_TYPE",
    "EVENT_ID",
    "EXCEPTION_ESCAPED",
    "EXCEPTION_EVENT_NAME",
    "EXCEPTION_MESSAGE",
    "EXCEPTION_STACKTRACE",
    "EXCEPTION_TYPE",
    "FEATURE_FLAG_PREFIX",
    "FINGERPRINT",
    "FINGERPRINT_CLIENT",
    "HANDLED",
    "ISSUE_URL",
    "MECHANISM",
    "REDACTED",
    "SERVICE_INSTANCE_ID",
    "SERVICE_NAME",
    "SERVICE_NAMESPACE",
    "SERVICE_VERSION",
    "SESSION_ID",
    "SEVERITIES",
    "SEVERITY",
    "SUPPORT_REFERENCE",
    "TAG_PREFIX",
    "TELEMETRY_SDK_LANGUAGE",
    "THREAD_ID",
    "THREAD_NAME",
    "USER_EMAIL",
    "USER_HASH",
    "USER_ID",
    "USER_NAME",
    "Severity",
]

# --- OpenTelemetry, still in development (semantic conventions 1.44) ---
SERVICE_NAMESPACE: Final = "service.namespace"
SERVICE_INSTANCE_ID: Final = "service.instance.id"
DEPLOYMENT_ENVIRONMENT_NAME: Final = "deployment.environment.name"
DEPLOYMENT_ENVIRONMENT: Final = "deployment.environment"
"""The deprecated form, still what many agents send."""
USER_ID: Final = "user.id"
USER_NAME: Final = "user.name"
USER_EMAIL: Final = "user.email"
USER_HASH: Final = "user.hash"
ENDUSER_ID: Final = "enduser.id"
ENDUSER_PSEUDO_ID: Final = "enduser.pseudo.id"
SESSION_ID: Final = "session.id"
THREAD_ID: Final = "thread.id"
THREAD_NAME: Final = "thread.name"
EXCEPTION_EVENT_NAME: Final = "exception"

# --- ours ---
FINGERPRINT: Final = "otel_errors.fingerprint"
FINGERPRINT_CLIENT: Final = "otel_errors.fingerprint.client"
ISSUE_URL: Final = "otel_errors.issue.url"
SEVERITY: Final = "otel_errors.severity"
HANDLED: Final = "otel_errors.handled"
MECHANISM: Final = "otel_errors.mechanism"
ERROR_CODE: Final = "otel_errors.error_code"
EVENT_ID: Final = "otel_errors.event_id"
SUPPORT_REFERENCE: Final = "otel_errors.support_reference"
REDACTED: Final = "otel_errors.redacted"
TAG_PREFIX: Final = "otel_errors.tag."
"""A tag of the scope, ``set_tag("plan", "pro")``, is the attribute ``otel_errors.tag.plan``."""
CONTEXT_PREFIX: Final = "otel_errors.context."
"""``set_context("cart", {"items": 3})`` is the attribute ``otel_errors.context.cart``, JSON text."""
FEATURE_FLAG_PREFIX: Final = "otel_errors.feature_flag."
"""``set_feature_flag("checkout", "new")`` is the attribute ``otel_errors.feature_flag.checkout``."""

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "high", "medium", "low")

ERROR_KEYS: Final = frozenset({EXCEPTION_TYPE, EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EVENT_ID})
"""A span event or log record with any of these is an error event, whatever its event name."""

COMPUTED_BY_PROCESSOR: Final = frozenset({FINGERPRINT, ISSUE_URL, REDACTED})
"""What the processor computes: incoming values are replaced, never believed."""
