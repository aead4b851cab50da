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
from opentelemetry.semconv.attributes.http_attributes import HTTP_REQUEST_METHOD, HTTP_ROUTE
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
    "FEATURE_FLAG_KEY",
    "FEATURE_FLAG_PREFIX",
    "FEATURE_FLAG_VALUE",
    "FEATURE_FLAG_VARIANT",
    "FINGERPRINT",
    "FINGERPRINT_CLIENT",
    "FRAMES",
    "HANDLED",
    "HTTP_METHOD",
    "HTTP_REQUEST_METHOD",
    "HTTP_ROUTE",
    "ISSUE_URL",
    "LAST_LOG_RECORDS",
    "MECHANISM",
    "REDACTED",
    "RPC_METHOD",
    "RPC_SERVICE",
    "SERVICE_INSTANCE_ID",
    "SERVICE_NAME",
    "SERVICE_NAMESPACE",
    "SERVICE_VERSION",
    "SESSION_ID",
    "SEVERITIES",
    "SEVERITY",
    "SUPPORT_REFERENCE",
    "TAG_PREFIX",
    "TASK_NAME",
    "TELEMETRY_SDK_LANGUAGE",
    "THREAD_ID",
    "THREAD_NAME",
    "USER_EMAIL",
    "USER_HASH",
    "USER_ID",
    "USER_NAME",
    "VCS_PROVIDER_NAME",
    "VCS_REF_HEAD_REVISION",
    "VCS_REPOSITORY_URL_FULL",
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
VCS_PROVIDER_NAME: Final = "vcs.provider.name"
VCS_REF_HEAD_REVISION: Final = "vcs.ref.head.revision"
VCS_REPOSITORY_URL_FULL: Final = "vcs.repository.url.full"
HTTP_METHOD: Final = "http.method"
"""The deprecated form, which Python's instrumentations write by default."""
RPC_SERVICE: Final = "rpc.service"
RPC_METHOD: Final = "rpc.method"
FEATURE_FLAG_KEY: Final = "feature_flag.key"
FEATURE_FLAG_VARIANT: Final = "feature_flag.result.variant"
FEATURE_FLAG_VALUE: Final = "feature_flag.result.value"
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
TASK_NAME: Final = "otel_errors.task.name"
"""Of the asyncio task that failed."""
FRAMES: Final = "otel_errors.frames"
"""Local variables and source lines of the application's own frames, JSON text (``otel_errors.frame_details``)."""
LAST_LOG_RECORDS: Final = "otel_errors.last_log_records"
"""What was logged before the error, JSON text (``otel_errors.last_log_records``)."""

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "high", "medium", "low")

ERROR_KEYS: Final = frozenset({EXCEPTION_TYPE, EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EVENT_ID})
"""A span event or log record with any of these is an error event, whatever its event name."""

COMPUTED_BY_PROCESSOR: Final = frozenset({FINGERPRINT, ISSUE_URL, REDACTED})
"""What the processor computes: incoming values are replaced, never believed."""
