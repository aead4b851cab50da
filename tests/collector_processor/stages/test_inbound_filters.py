from __future__ import annotations

from typing import Any

import pytest

from collector_processor.events import RawError
from collector_processor.stages.inbound_filters import FILTERS, Filter, InboundFilters
from collector_processor.stages.normalise import normalise

ALL = InboundFilters(*FILTERS)
BROWSER = {"telemetry.sdk.language": "webjs", "service.name": "web"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def taken(message: str = "x is not a function", stack: str = "", agent: str = FIREFOX, **more: Any) -> Filter | None:
    attributes = {"exception.type": "TypeError", "exception.message": message, "exception.stacktrace": stack}
    raw = RawError(
        signal="log",
        resource=more.get("resource", BROWSER),
        attributes={**attributes, "user_agent.original": agent},
    )
    return more.get("filters", ALL)(raw, normalise(raw))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "place",
    [
        "chrome-extension://gighmmpiobklfepjocnamgkkbiglidom/content.js:1:2",
        "moz-extension://2c127fa4/content.js:1:2",
        "safari-web-extension://0A1B/script.js:5:10",
        "webkit-masked-url://hidden/:3:2",
    ],
)
def test_extensions(place: str) -> None:
    assert taken(stack=f"TypeError: x is not a function\n    at f ({place})") == "browser_extensions"


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 AppleWebKit/537.36 (compatible; bingbot/2.0) Chrome/116.0.1938.76",
        "Mozilla/5.0 (compatible; YandexBot/3.0)",
        "Mozilla/5.0 (compatible; Baiduspider/2.0)",
    ],
)
def test_crawlers(agent: str) -> None:
    assert taken(agent=agent) == "crawlers"


@pytest.mark.parametrize("message", ["ResizeObserver loop limit exceeded", "Uncaught Script error.", "Script error."])
def test_known_noise(message: str) -> None:
    assert taken(message) == "known_noise"


def test_what_is_somebodys_bug_stays() -> None:
    assert taken(stack="TypeError: x\n    at f (https://shop.example/app.js:1:2)") is None
    assert taken("Script error.", "Error: Script error.\n    at f (https://shop.example/app.js:1:2)") is None
    assert taken("the robot arm does not answer", agent=FIREFOX + " Cubot/1") is None
    server = {"telemetry.sdk.language": "nodejs"}
    assert taken("Script error.", resource=server) is None, "errors of servers are not looked at"


def test_only_what_is_switched_on_takes_anything() -> None:
    agent = "Mozilla/5.0 (compatible; Googlebot/2.1)"
    assert taken(agent=agent, filters=InboundFilters()) is None
    assert taken(agent=agent, filters=InboundFilters("known_noise")) is None
    assert taken(agent=agent, filters=InboundFilters("crawlers")) == "crawlers"
