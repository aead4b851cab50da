from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.collector_processor.api.stored import Stored, error, fingerprint
from tests.collector_processor.web.markup import Markup

PAGE = {"Accept": "text/html"}
FORM = {**PAGE, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}

STACK = """Traceback (most recent call last):
  File "/app/.venv/lib/python3.12/site-packages/lib/base.py", line 10, in low
    deeper()
lib.Deadlock: deadlock detected

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/.venv/lib/python3.12/site-packages/web/routing.py", line 73, in app
    handler()
  File "/app/shop/pay.py", line 57, in lock_stock
    raise StockLockError("no lock") from error
shop.pay.StockLockError: no lock
"""


async def get(stored: Stored, path: str) -> tuple[httpx.Response, Markup]:
    async with stored.client(**PAGE) as client:
        response = await client.get(path)
    assert response.headers["content-type"] == "text/html; charset=utf-8", response.text
    return response, Markup(response.text)


async def test_the_list_shows_every_issue(stored: Stored) -> None:
    stored.add(error(1), error(1), error(2, service_name="cart", severity="critical"))
    response, page = await get(stored, "/")
    assert response.status_code == 200
    assert page.faults == []
    assert page.text.count("ValueError: bad value 1") == 1
    for text in ("new", "critical", "cart", "shop/pay.py in charge_2"):
        assert text in page.text
    assert f"./issues/{stored.id_of(2)}" in page.attributes("a", "href")
    assert sum("events in the last 24 hours" in label for label in page.attributes("svg", "aria-label")) == 2


async def test_tabs_tell_how_many_there_are(stored: Stored) -> None:
    stored.add(*(error(number) for number in range(1, 6)), error(6, service_name="cart"))
    stored.store.commands.resolve(stored.id_of(1), actor="test")
    stored.store.commands.acknowledge(stored.id_of(2), actor="test")
    _, page = await get(stored, "/?state=resolved")
    tabs = re.findall(r"(Open|New|Regressed|Acknowledged|Resolved|Ignored|All)\s+(\d+)", page.text)
    assert tabs == [
        ("Open", "5"),
        ("New", "4"),
        ("Regressed", "0"),
        ("Acknowledged", "1"),
        ("Resolved", "1"),
        ("Ignored", "0"),
        ("All", "6"),
    ]
    assert "bad value 1" in page.text
    assert "bad value 2" not in page.text
    _, page = await get(stored, "/?service=cart")
    assert ("Open", "1") in re.findall(r"(Open)\s+(\d+)", page.text)


async def test_the_list_pages_through_all(stored: Stored) -> None:
    stored.add_all([error(number) for number in range(1, 121)])
    path, seen, pages = "/", set(), 0
    while path:
        _, page = await get(stored, path)
        seen |= {href for href in page.attributes("a", "href") if href.startswith("./issues/")}
        following = [values["href"] for tag, values in page.elements if tag == "a" and values.get("rel") == "next"]
        path = following[0].removeprefix(".") if following else ""
        pages += 1
    assert (len(seen), pages) == (120, 3)


async def test_an_empty_store_tells_what_to_do(stored: Stored) -> None:
    _, page = await get(stored, "/")
    assert "No open issues." in page.text
    assert page.faults == []
    _, page = await get(stored, "/?q=nothing")
    assert "No issue matches." in page.text


async def test_an_issue_shows_its_stack_as_frames(stored: Stored) -> None:
    stored.add(error(1, stacktrace=STACK, type="shop.pay.StockLockError", message="no lock", tags={"plan": "pro"}))
    response, page = await get(stored, f"/issues/{stored.id_of(1)}")
    assert response.status_code == 200
    assert page.faults == []
    assert "Caused by" in page.text
    assert "lib.Deadlock" in page.text
    assert "/app/shop/pay.py:57" in page.text
    assert "1 library frame" in page.text
    frames = [values["class"] for tag, values in page.elements if tag == "li" and "frame" in values.get("class", "")]
    assert frames.count("frame own") == 1
    assert "plan" in page.text
    assert any(href.startswith("https://grafana.example/explore?trace=0000") for href in page.attributes("a", "href"))
    assert 'raise StockLockError("no lock") from error' in page.text


async def test_occurrences_can_be_chosen_and_paged(stored: Stored) -> None:
    for start in range(0, 40, 10):  # of a larger batch only a sample is kept
        stored.add_all([error(1, message=f"message {number}") for number in range(start, start + 10)])
    path, messages = f"/issues/{stored.id_of(1)}", []
    base = path
    for _ in range(3):
        _, page = await get(stored, path)
        assert page.faults == []
        messages += re.findall(r"message \d+", page.text.split("Occurrences", 1)[1])[:15]
        links = [v["href"] for tag, v in page.elements if tag == "a" and "#occurrence" in v.get("href", "")]
        older = [v["href"] for tag, v in page.elements if tag == "a" and v.get("rel") == "next"]
        path = older[0].removeprefix("..").split("#")[0] if older else ""
    assert len(set(messages)) == 40
    _, page = await get(stored, links[3].removeprefix("..").split("#")[0])
    chosen = re.search(r"Occurrence\n?\s*2026[^\n]*UTC\s*(message \d+)", page.text)
    assert chosen is not None
    assert base in "".join(links)


@pytest.mark.parametrize(
    ("fields", "state", "more"),
    [
        ({"action": "acknowledge"}, "acknowledged", {}),
        ({"action": "resolve"}, "resolved", {}),
        ({"action": "resolve_next"}, "resolved", {"in_next_release": True}),
        ({"action": "ignore"}, "ignored", {"ignored_until": None}),
        ({"action": "ignore", "ignore_events": "5"}, "ignored", {"ignored_until_count": 6}),
        ({"action": "ignore", "ignore_until": "2126-01-01T00:00"}, "ignored", {"ignored_until": 4922899200.0}),
        ({"action": "assign", "assignee": " mara "}, "new", {}),
        ({"action": "set_severity", "severity": "low"}, "new", {}),
    ],
)
async def test_answers_by_form(stored: Stored, fields: dict[str, str], state: str, more: dict[str, Any]) -> None:
    stored.add(error(1))
    async with stored.client(**FORM) as client:
        response = await client.post(f"/issues/{stored.id_of(1)}/actions", data=fields)
    assert response.status_code == 303, response.text
    request = response.next_request
    assert request is not None
    assert request.url.path == f"/issues/{stored.id_of(1)}"
    detail = stored.store.queries.get_issue(stored.id_of(1))
    assert detail is not None
    assert detail.issue.state == state
    assert {name: getattr(detail, name) for name in more} == more
    assert detail.issue.assignee == fields.get("assignee", "").strip()
    assert detail.issue.severity == fields.get("severity", "high")
    assert stored.store.queries.activity(detail.issue.id)[0].actor == "web page"
    _, page = await get(stored, f"/issues/{detail.issue.id}")
    assert page.faults == []
    assert state in page.text


@pytest.mark.parametrize("state", ["new", "regressed", "acknowledged", "resolved", "ignored"])
async def test_every_button_of_a_state_works_in_it(stored: Stored, state: str) -> None:
    commands = stored.store.commands
    stored.add(*(error(number) for number in range(1, 5)))
    for number in range(1, 5):
        issue = stored.id_of(number)
        if state in ("resolved", "regressed"):
            commands.resolve(issue, actor="test")
        if state == "regressed":
            commands.reopen(issue, actor="test")
        if state == "acknowledged":
            commands.acknowledge(issue, actor="test")
        if state == "ignored":
            commands.ignore(issue, actor="test")
    _, page = await get(stored, f"/issues/{stored.id_of(1)}")
    assert state in page.text
    offered = [v["value"] for tag, v in page.elements if tag == "button" and v.get("name") == "action"]
    buttons = [name for name in dict.fromkeys(offered) if name not in ("assign", "set_severity", "merge")]
    assert buttons
    async with stored.client(**FORM) as client:
        for number, name in enumerate(buttons, 1):
            response = await client.post(f"/issues/{stored.id_of(number)}/actions", data={"action": name})
            assert response.status_code == 303, (name, response.text)
            detail = stored.store.queries.get_issue(stored.id_of(number))
            assert detail is not None
            assert detail.issue.state != state


@pytest.mark.parametrize(
    ("case", "fields", "status", "told"),
    [
        ("an unknown button", {"action": "delete"}, 422, "action"),
        ("no button", {}, 422, "action"),
        ("a state that forbids it", {"action": "reopen"}, 409, "state"),
        ("no number", {"action": "ignore", "ignore_events": "²"}, 422, "ignore_events"),
        ("no date", {"action": "ignore", "ignore_until": "soon"}, 422, "ignore_until"),
        ("a past date", {"action": "ignore", "ignore_until": "2001-01-01T00:00"}, 422, "future"),
        ("an unknown severity", {"action": "set_severity", "severity": "<b>"}, 422, "severity"),
        ("an unknown issue", {"action": "merge", "into": "<b>"}, 404, "no issue"),
        ("half a character", {"action": "merge", "into": "\u202e\x00"}, 404, "no issue"),
        ("a long name", {"action": "assign", "assignee": "x" * 300}, 422, "200"),
    ],
)
async def test_answers_that_are_refused_show_why_on_the_page(
    stored: Stored, case: str, fields: dict[str, str], status: int, told: str
) -> None:
    stored.add(error(1))
    async with stored.client(**FORM) as client:
        response = await client.post(f"/issues/{stored.id_of(1)}/actions", data=fields)
    page = Markup(response.text)
    assert response.status_code == status
    assert page.faults == []
    assert told in page.text
    assert "ValueError: bad value 1" in page.text
    assert "../../static/style.css" in page.attributes("link", "href")[1]


@pytest.mark.parametrize(
    ("case", "headers", "content", "status"),
    [
        ("a foreign page", {**FORM, "Sec-Fetch-Site": "cross-site"}, b"action=resolve", 403),
        ("a foreign page, older browser", {**FORM, "Origin": "https://evil.example"}, b"action=resolve", 403),
        ("JSON", {**FORM, "Content-Type": "application/json"}, b"{}", 415),
        ("bytes", FORM, b"\xff\xfe", 422),
        ("bad UTF-8", FORM, b"action=%ff", 422),
        ("many fields", FORM, b"&".join(b"a=%d" % n for n in range(100)), 422),
    ],
)
async def test_posts_that_are_no_form_of_ours(
    stored: Stored, case: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    stored.add(error(1))
    async with stored.client(**headers) as client:
        response = await client.post(f"/issues/{stored.id_of(1)}/actions", content=content)
    assert response.status_code == status
    detail = stored.store.queries.get_issue(stored.id_of(1))
    assert detail is not None
    assert detail.issue.state == "new"


async def test_merging_by_form_leads_to_the_issue_that_stays(stored: Stored) -> None:
    stored.add(error(1), error(2))
    async with stored.client(**FORM) as client:
        response = await client.post(
            f"/issues/{stored.id_of(1)}/actions",
            data={"action": "merge", "into": stored.id_of(2)},
            follow_redirects=True,
        )
    assert response.status_code == 200
    assert response.url.path == f"/issues/{stored.id_of(2)}"
    assert stored.id_of(1) == stored.id_of(2)


@pytest.mark.parametrize(
    "path", ["/issues/0000000000", "/issues/%3Cscript%3E", "/nothing", f"/f/{fingerprint(9)}", "/a/b/c"]
)
async def test_a_page_that_is_not_there(empty: Stored, path: str) -> None:
    response, page = await get(empty, path)
    assert response.status_code == 404
    assert page.faults == []
    assert "Not Found" in page.text
    assert page.attributes("link", "href")[1].startswith("../" * (path.count("/") - 1) or "./")


async def test_a_bad_address_of_the_list_is_told(empty: Stored) -> None:
    response, page = await get(empty, "/?state=nonsense")
    assert response.status_code == 422
    assert page.faults == []
    assert "nonsense" in page.text


async def test_the_style_sheet_is_kept_under_its_version(empty: Stored) -> None:
    _, page = await get(empty, "/")
    href = page.attributes("link", "href")[1]
    async with empty.client() as client:
        sheet = await client.get(href.removeprefix("."))
        plain = await client.get("/static/style.css")
        icon = await client.get("/static/icon.svg")
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in sheet.headers["cache-control"]
    assert plain.headers["cache-control"] == "no-cache"
    assert icon.headers["content-type"] == "image/svg+xml"


async def test_heads_are_answered(empty: Stored) -> None:
    async with empty.client() as client:
        for path in ("/", "/healthz", "/readyz", "/static/style.css"):
            assert (await client.head(path)).status_code == 200, path
