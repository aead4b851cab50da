"""Errors that are nobody's bug: of browser extensions, of crawlers, and a few texts that browsers print for nothing.

Off unless asked for: what is filtered is in no issue and no count but the one of what was filtered. Only errors of
browsers are looked at; telemetry goes on as it came. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from collector_processor.events import ErrorEvent, RawError
from otel_errors.semconv import TELEMETRY_SDK_LANGUAGE

Filter = Literal["browser_extensions", "crawlers", "known_noise"]
FILTERS: Final[tuple[Filter, ...]] = get_args(Filter)

_EXTENSION: Final = re.compile(
    r"(?:chrome|moz|safari|safari-web|ms-browser|opera)-extension://|webkit-masked-url://|/Extensions/|resource://gre/"
)
_CRAWLER: Final = re.compile(
    r"(?<!cu)bot\b|crawler|spider|slurp|facebookexternalhit|mediapartners-google|lighthouse|pingdom|statuscake|bingpreview",
    re.IGNORECASE,
)
_NOISE: Final = frozenset(
    {
        "ResizeObserver loop limit exceeded",
        "ResizeObserver loop completed with undelivered notifications.",
        "Script error.",
    }
)
"""Messages that name no place: the browser hides it (a script of another origin), or there is none."""
_USER_AGENT: Final = ("user_agent.original", "browser.user_agent", "http.user_agent")
_BROWSER: Final = "webjs"


class InboundFilters:
    """Those that are switched on, as one function."""

    def __init__(self, *on: Filter) -> None:
        self._on = frozenset(on)

    def __call__(self, raw: RawError, event: ErrorEvent) -> Filter | None:
        """The filter that takes the error, or None."""
        if not self._on or not _of_browser(raw):
            return None
        if "browser_extensions" in self._on and _EXTENSION.search(event.stacktrace):
            return "browser_extensions"
        if "crawlers" in self._on and _CRAWLER.search(_user_agent(raw)):
            return "crawlers"
        if "known_noise" in self._on and _says_nothing(event):
            return "known_noise"
        return None


def _says_nothing(event: ErrorEvent) -> bool:
    text = event.message.removeprefix("Uncaught ").strip()
    return text in _NOISE and (text != "Script error." or "\n" not in event.stacktrace.strip())


def _of_browser(raw: RawError) -> bool:
    resource = raw.resource
    return resource.get(TELEMETRY_SDK_LANGUAGE) == _BROWSER or any(key.startswith("browser.") for key in resource)


def _user_agent(raw: RawError) -> str:
    places: tuple[Mapping[str, Any], ...] = (raw.attributes, raw.span_attributes, raw.resource)
    for place in places:
        for key in _USER_AGENT:
            value = place.get(key)
            if isinstance(value, str):
                return value[:1024]
    return ""
