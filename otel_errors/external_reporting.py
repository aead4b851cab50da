"""``EXTERNAL_REPORTING_DSN``: where errors are reported to and with which key, in one value, for applications that do
not set up an OTLP exporter by OpenTelemetry's own variables.

``https://KEY@errors.example`` becomes ``OTEL_EXPORTER_OTLP_ENDPOINT``, ``…_HEADERS`` and ``…_PROTOCOL``, before the SDK
makes its exporters: by ``opentelemetry-instrument`` (``environment_variables``), else by ``setup_logger``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Final, Literal
from urllib.parse import quote, unquote, urlsplit

from otel_errors.guard import log

__all__ = ["BadDsn", "apply_dsn", "exporter_variables", "is_reporting_on"]

EXTERNAL_REPORTING_DSN: Final = "EXTERNAL_REPORTING_DSN"
ENABLE_EXTERNAL_REPORTING: Final = "ENABLE_EXTERNAL_REPORTING"

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
HEADERS: Final = "OTEL_EXPORTER_OTLP_HEADERS"
PROTOCOL: Final = "OTEL_EXPORTER_OTLP_PROTOCOL"
_ENDPOINTS: Final = (
    ENDPOINT,
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)
GRPC_PORT: Final = 4317
HTTP_PORT: Final = 4318
MAX_KEY_CHARACTERS: Final = 4096

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})

Outcome = Literal["unset", "off", "configured", "bad", "applied"]


class BadDsn(ValueError):
    """A value that cannot be used; the text says why, without the key.

    >>> try:
    ...     exporter_variables("errors.example:4317")
    ... except BadDsn as error:
    ...     print(error)
    http://KEY@HOST:PORT or https://KEY@HOST:PORT is needed
    """


def exporter_variables(dsn: str) -> dict[str, str]:
    """OpenTelemetry's variables that say the same. Port 4318 and any path mean OTLP/HTTP, everything else OTLP/gRPC;
    without a port it is 4317 with ``http`` and 443 with ``https``. Raises ``BadDsn``.

    >>> variables = exporter_variables("http://k-1@errors.example:4318")
    >>> variables["OTEL_EXPORTER_OTLP_ENDPOINT"], variables["OTEL_EXPORTER_OTLP_HEADERS"]
    ('http://errors.example:4318', 'authorization=Bearer%20k-1')
    """
    form = "http://KEY@HOST:PORT or https://KEY@HOST:PORT is needed"
    try:
        parts = urlsplit(dsn.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadDsn(form) from None
    if parts.scheme not in ("http", "https") or not host or port == 0 or not dsn.isprintable():
        raise BadDsn(form)
    if parts.query or parts.fragment:
        raise BadDsn(f"nothing may follow the path; {form}")
    if parts.password is not None:
        raise BadDsn(f"a key alone, without a password, stands in front of the @; {form}")
    key = unquote(parts.username or "")
    if not (key.isascii() and key.isprintable()) or " " in key or len(key) > MAX_KEY_CHARACTERS:
        raise BadDsn("the key may hold printable ASCII characters, no blanks")
    path = parts.path.rstrip("/")
    if port is None and not path:
        port = GRPC_PORT if parts.scheme == "http" else 443
    place = f"[{host}]" if ":" in host else host
    variables = {
        ENDPOINT: f"{parts.scheme}://{place}{f':{port}' if port is not None else ''}{path}",
        PROTOCOL: "http/protobuf" if path or port == HTTP_PORT else "grpc",
    }
    if key:
        variables[HEADERS] = f"authorization=Bearer%20{quote(key, safe='')}"
    return variables


def is_reporting_on(environment: Mapping[str, str] | None = None) -> bool:
    """Whether ``ENABLE_EXTERNAL_REPORTING`` leaves reporting on, as it is unless it says no.

    >>> is_reporting_on({}), is_reporting_on({"ENABLE_EXTERNAL_REPORTING": "off"})
    (True, False)
    """
    text = (os.environ if environment is None else environment).get(ENABLE_EXTERNAL_REPORTING, "").strip().lower()
    if text and text not in _TRUE | _FALSE:
        log.warning("%s: %r: true or false is needed; true is used", ENABLE_EXTERNAL_REPORTING, text)
    return text not in _FALSE


def apply_dsn(environment: MutableMapping[str, str] | None = None, arguments: Sequence[str] = ()) -> Outcome:
    """Put what ``EXTERNAL_REPORTING_DSN`` says into OpenTelemetry's variables, unless an OTLP endpoint is set there, or
    in the ``arguments`` of ``opentelemetry-instrument``: the key is for its own endpoint only. A bad value is named on
    stderr. Never raises.

    >>> environment = {"EXTERNAL_REPORTING_DSN": "https://k-1@errors.example"}
    >>> apply_dsn(environment), environment["OTEL_EXPORTER_OTLP_ENDPOINT"]
    ('applied', 'https://errors.example:443')
    """
    environment = os.environ if environment is None else environment
    dsn = environment.get(EXTERNAL_REPORTING_DSN, "").strip()
    if not dsn:
        return "unset"
    if not is_reporting_on(environment):
        return "off"
    as_argument = any(text.startswith("--exporter_otlp_") and "endpoint" in text for text in arguments)
    if as_argument or any(environment.get(name, "").strip() for name in _ENDPOINTS):
        return "configured"
    try:
        variables = exporter_variables(dsn)
    except BadDsn as problem:
        log.warning("%s: %s; errors are not reported there", EXTERNAL_REPORTING_DSN, problem)
        return "bad"
    environment[ENDPOINT] = variables[ENDPOINT]
    environment.setdefault(PROTOCOL, variables[PROTOCOL])
    headers = environment.get(HEADERS, "").strip().strip(",")
    if HEADERS in variables and "authorization" not in headers.lower():
        environment[HEADERS] = ",".join([text for text in (headers, variables[HEADERS]) if text])
    return "applied"
