"""From a record as some SDK sent it to an ``ErrorEvent``: the same words for the same things, valid and bounded texts,
nothing computed yet."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from collector_processor.events import ErrorEvent, RawError
from collector_processor.stacktraces import language_name
from collector_processor.stacktraces.text import bounded
from collector_processor.stages.severity import severity
from otel_errors import semconv

UNKNOWN_SERVICE: Final = "unknown_service"
"""What the resource conventions say for a service without a name."""

# Characters of a text at most; the tail of a longer one is cut (a stack text loses its middle, see stacktraces.text).
MAX_NAME = 256
MAX_MESSAGE = 8192
_LONGEST_WORD = 200  # what a cut goes through and is longer than this stays, cut
MAX_VALUE = 1024
MAX_SURROUNDINGS = 16 * 1024
MAX_TAGS = 64
MAX_ATTRIBUTES = 64

_UNWANTED = re.compile("[\x00\ud800-\udfff]")

_IDENTITY = (
    semconv.USER_HASH,
    semconv.USER_ID,
    semconv.ENDUSER_PSEUDO_ID,
    semconv.ENDUSER_ID,
    semconv.USER_EMAIL,
    semconv.USER_NAME,
)
_IDENTITY_PREFIXES = ("user.", "enduser.")
"""Who it was: ``user_identity`` reads it for the pseudonym, and nothing of it is kept. ``user_agent.`` is something
else."""

_RELEASE = (semconv.SERVICE_VERSION, semconv.VCS_REF_HEAD_REVISION)
"""A commit is a release where nobody numbers them."""
_ENVIRONMENT = (semconv.DEPLOYMENT_ENVIRONMENT_NAME, semconv.DEPLOYMENT_ENVIRONMENT)

_TAKEN = frozenset(
    {
        semconv.SERVICE_VERSION,
        *_ENVIRONMENT,
        semconv.EXCEPTION_TYPE,
        semconv.EXCEPTION_MESSAGE,
        semconv.EXCEPTION_STACKTRACE,
        semconv.EXCEPTION_ESCAPED,
    }
)

_SHOWN_OF_OURS = (semconv.CONTEXT_PREFIX, semconv.FEATURE_FLAG_PREFIX, semconv.TASK_NAME)

_SURROUNDINGS = frozenset({semconv.FRAMES, semconv.LAST_LOG_RECORDS})
"""JSON, of which half is none: whole or not at all."""

_SHOWN_OF_SPAN = (
    "http.",
    "url.",
    "rpc.",
    "messaging.",
    "db.",
    "server.",
    "code.",
    "thread.",
    "faas.",
    "graphql.",
    "session.",
    "user_agent.",
    "job.",
    "celery.",
    "task.",
)
_SHOWN_OF_RESOURCE = (
    "host.name",
    "k8s.namespace.name",
    "k8s.pod.name",
    "k8s.deployment.name",
    "container.id",
    "cloud.region",
    semconv.SERVICE_INSTANCE_ID,
    "process.pid",
    semconv.VCS_REPOSITORY_URL_FULL,
    semconv.VCS_REF_HEAD_REVISION,
    semconv.VCS_PROVIDER_NAME,
)


def normalise(raw: RawError) -> ErrorEvent:
    """The record in our words. Total: any value type, any text. ``user`` and what later stages compute are left empty.

    Time: the record's, else the observed, else 0. Handled: ``otel_errors.handled``, else the opposite of
    ``exception.escaped`` (as bool or text). Message: the attribute, else the log body. Type: the attribute, else
    ``error.type`` when it is a name and not a status. Release (without one the commit) and environment: the resource's,
    else the record's.
    """
    attributes, resource = raw.attributes, raw.resource
    handled = _handled(attributes)
    body = _text(raw.body, MAX_MESSAGE)
    message = _text(attributes.get(semconv.EXCEPTION_MESSAGE), MAX_MESSAGE)
    return ErrorEvent(
        signal=raw.signal,
        time_unix_nano=raw.time_unix_nano or raw.observed_time_unix_nano,
        ordinal=raw.ordinal,
        trace_id=raw.trace_id,
        span_id=raw.span_id if raw.trace_id else "",
        event_id=_text(attributes.get(semconv.EVENT_ID), MAX_NAME),
        service_name=_text(resource.get(semconv.SERVICE_NAME), MAX_NAME).strip() or UNKNOWN_SERVICE,
        service_namespace=_text(resource.get(semconv.SERVICE_NAMESPACE), MAX_NAME).strip(),
        release=_first(_RELEASE, resource, attributes),
        environment=_first(_ENVIRONMENT, resource, attributes),
        resource_instance=resource_digest(resource),
        type=_type(attributes),
        message=message or body,
        stacktrace=_clean(bounded(_any(attributes.get(semconv.EXCEPTION_STACKTRACE)))),
        language=language_name(_text(resource.get(semconv.TELEMETRY_SDK_LANGUAGE), MAX_NAME)),
        severity=severity(_text(attributes.get(semconv.SEVERITY), MAX_NAME), raw.severity_number, handled),
        handled=handled,
        mechanism=_text(attributes.get(semconv.MECHANISM), MAX_NAME),
        error_code=_text(attributes.get(semconv.ERROR_CODE), MAX_NAME),
        support_reference=_text(attributes.get(semconv.SUPPORT_REFERENCE), MAX_NAME),
        tags=_tags(attributes),
        attributes=_shown(raw, body if message and body != message else ""),
    )


def user_identity(raw: RawError) -> str:
    """Who it happened to, as sent, to be made a pseudonym; ``""`` when unknown. Of the record, else of its span."""
    for source in (raw.attributes, raw.span_attributes):
        for key in _IDENTITY:
            if key in source and (text := _text(source[key], MAX_VALUE).strip()):
                return text
    return ""


def resource_digest(resource: Mapping[str, Any]) -> str:
    """16 hex digits that are the same for every record of one process, whatever the order of its resource
    attributes."""
    try:
        return _digest(frozenset((key, type(value), value) for key, value in resource.items()))
    except TypeError:  # a list or map among the values
        return _hash(resource)


@lru_cache(maxsize=1024)
def _digest(items: frozenset[tuple[str, type, Any]]) -> str:
    return _hash({key: value for key, _, value in items})


def _hash(resource: Mapping[str, Any]) -> str:
    content = json.dumps(dict(resource), sort_keys=True, default=repr)
    return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _any(value: object) -> str:
    """An AnyValue as text: a list or map as JSON, bytes as UTF-8 or else hex, true and false as JSON says them."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex()
    if isinstance(value, (int, float)):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False, default=_any)
    except (TypeError, ValueError, RecursionError):
        return ""


def _clean(text: str) -> str:
    return _UNWANTED.sub("", text) if not text.isascii() or "\x00" in text else text


def _text(value: object, limit: int) -> str:
    if type(value) is str and len(value) <= limit and value.isascii() and "\x00" not in value:
        return value  # nearly all are
    if value is None:
        return ""
    text = _any(value)
    return _clean(text if len(text) <= limit else _shortened(text, limit - 1) + "…")


def _shortened(text: str, length: int) -> str:
    """The head of a text, without the word that the cut goes through: half a card number is no longer known for one."""
    if text[length].isspace():
        return text[:length]
    kept = max(length - _LONGEST_WORD, 0)
    last = max((text.rfind(blank, kept, length) for blank in " \t\n"), default=-1)
    return text[: last if last > 0 else length]


def _first(keys: tuple[str, ...], *sources: Mapping[str, Any]) -> str:
    """The first that is set. What a resource does not say of the process, our library says on each of its records."""
    found = (_text(source.get(key), MAX_NAME).strip() for key in keys for source in sources)
    return next((text for text in found if text), "")


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().lower())
    if isinstance(value, int):
        return {1: True, 0: False}.get(value)
    return None


def _handled(attributes: Mapping[str, Any]) -> bool | None:
    handled = _truth(attributes.get(semconv.HANDLED))
    if handled is not None:
        return handled
    escaped = _truth(attributes.get(semconv.EXCEPTION_ESCAPED))
    return None if escaped is None else not escaped


def _type(attributes: Mapping[str, Any]) -> str:
    given = _text(attributes.get(semconv.EXCEPTION_TYPE), MAX_NAME).strip()
    if given:
        return given
    other = _text(attributes.get(semconv.ERROR_TYPE), MAX_NAME).strip()
    return "" if other == "_OTHER" or other.isdigit() else other


def _tags(attributes: Mapping[str, Any]) -> dict[str, str]:
    tags: dict[str, str] = {}
    prefix = len(semconv.TAG_PREFIX)
    for key, value in attributes.items():
        if key.startswith(semconv.TAG_PREFIX) and len(tags) < MAX_TAGS and len(key) > prefix:
            tags[_text(key[prefix:], MAX_NAME)] = _text(value, MAX_VALUE)
    return tags


def _shown(raw: RawError, body: str) -> dict[str, str]:
    """What else helps to understand an occurrence, the record's own before its span's and its process's."""
    shown: dict[str, str] = {}

    def put(key: str, value: object) -> None:
        if key not in shown and len(shown) < MAX_ATTRIBUTES:
            text = _text(value, MAX_VALUE)
            if text:
                shown[_text(key, MAX_NAME)] = text

    put("log.body", body)
    put("span.name", raw.span_name)
    put("otel.scope.name", raw.scope_name)
    if raw.event_name != semconv.EXCEPTION_EVENT_NAME:
        put("event.name", raw.event_name)
    for key, value in raw.attributes.items():
        if key in _SURROUNDINGS and isinstance(value, str) and len(value) <= MAX_SURROUNDINGS:
            shown[key] = _clean(value)
        if key.startswith(_SHOWN_OF_OURS) or (
            key not in _TAKEN and not key.startswith(("otel_errors.", *_IDENTITY_PREFIXES))
        ):
            put(key, value)
    for key, value in raw.span_attributes.items():
        if key.startswith(_SHOWN_OF_SPAN):
            put(key, value)
    for key in _SHOWN_OF_RESOURCE:
        if key in raw.resource:
            put(key, raw.resource[key])
    return shown
