"""What spans know of the work that failed: the request's route and method, and the feature flags that were decided.

Read from the SDK's spans while they record; a span of anything else, or one that is not sampled, knows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from opentelemetry.trace import SpanKind

from otel_errors import semconv
from otel_errors.origin import Origin
from otel_errors.safe_text import text_of
from otel_errors.scope import MAX_FEATURE_FLAGS, MAX_TAG_KEY_CHARACTERS, flag_text, shared_in

MAX_CHARACTERS: Final = 256

_ASKED_FOR: Final = {
    semconv.HTTP_ROUTE: (semconv.HTTP_ROUTE,),
    semconv.HTTP_REQUEST_METHOD: (semconv.HTTP_REQUEST_METHOD, semconv.HTTP_METHOD),
    semconv.RPC_SERVICE: (semconv.RPC_SERVICE,),
    semconv.RPC_METHOD: (semconv.RPC_METHOD,),
}
_FLAG_EVENT: Final = "feature_flag"
"""What names of events of a decision begin with: ``feature_flag.evaluation``, before that ``feature_flag``."""
_FLAG_VARIANTS: Final = (semconv.FEATURE_FLAG_VARIANT, "feature_flag.variant", semconv.FEATURE_FLAG_VALUE)


def request_of(where: Origin) -> dict[str, str]:
    """Route and method of the request that is served, by the names of the conventions; of the server's span only: a
    client's span inside it knows those of another request."""
    found: dict[str, str] = {}
    for span in _spans(where):
        attributes: Any = getattr(span, "attributes", None)
        if getattr(span, "kind", None) is not SpanKind.SERVER or not isinstance(attributes, Mapping):
            continue
        for name, sources in _ASKED_FOR.items():
            value = next((value for source in sources if (value := attributes.get(source))), None)
            if value is not None and name not in found:
                found[name] = text_of(value)[0][:MAX_CHARACTERS]
    return found


def flags_of(where: Origin) -> dict[str, str]:
    """Flag → variant: what OpenFeature's hook noted on the spans of the work, then what ``set_feature_flag`` said."""
    flags: dict[str, str] = {}
    for span in reversed(_spans(where)):
        for key, variant in _decided_on(span):
            flags.pop(key, None)
            flags[key] = variant
    for key, variant in where.scope.feature_flags.items():
        flags.pop(key, None)
        flags[key] = variant
    return dict(list(flags.items())[-MAX_FEATURE_FLAGS:]) if len(flags) > MAX_FEATURE_FLAGS else flags


def _decided_on(span: Any) -> Iterator[tuple[str, str]]:
    try:
        # A copy: another thread may add an event meanwhile.
        events = [event for event in list(span.events) if event.name.startswith(_FLAG_EVENT)]
    except Exception:  # no span of the SDK
        return
    for event in events:
        attributes: Mapping[str, Any] = event.attributes or {}
        key = text_of(attributes.get(semconv.FEATURE_FLAG_KEY, ""))[0][:MAX_TAG_KEY_CHARACTERS]
        variant = next((value for name in _FLAG_VARIANTS if (value := attributes.get(name)) is not None), None)
        if key and variant is not None:
            yield key, flag_text(variant)


def _spans(where: Origin) -> list[Any]:
    """The current one, then the one that the unit of work began with."""
    current = where.span
    shared = shared_in(where.context)
    entry = shared.entry_span if shared is not None else None
    return [current] if entry is None or entry is current else [current, entry]
