from __future__ import annotations

from pathlib import Path

import pytest

from otel_errors.references import reference_of
from tests.collector_processor.api.stored import Stored, error
from tests.collector_processor.web.markup import Markup

REFERENCE = reference_of("the-one")


async def test_the_search_leads_to_the_very_event(stored: Stored) -> None:
    stored.add(*(error(1, message=f"before {n}") for n in range(20)))
    stored.add(error(1, message="the very one", event_id="the-one", support_reference=REFERENCE))
    stored.add(*(error(1, message=f"after {n}") for n in range(40)))
    spelled = REFERENCE.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    async with stored.client() as client:
        for searched in (REFERENCE, f" {spelled} "):
            # whatever the filters say: it is this event that is wanted
            response = await client.get("/", params={"q": searched, "state": "resolved", "service": "cart"})
            assert response.status_code == 302
            assert response.headers["location"] == f"./issues/{stored.id_of(1)}?reference={REFERENCE}"
        page = await client.get(f"/issues/{stored.id_of(1)}", params={"reference": spelled})
    shown = Markup(page.text)
    assert "the very one" in page.text.partition('id="occurrence"')[2].partition('id="occurrences"')[0]
    assert REFERENCE in shown.text
    assert "the occurrence below" in shown.text


async def test_an_event_that_is_not_kept_is_told_with_its_links(tmp_path: Path) -> None:
    stored = Stored(tmp_path, links={"logs": "https://logs.example/?q={support_reference}&a={from_ms}"})
    event = error(1, event_id="the-one", support_reference=REFERENCE)
    stored.add(event)
    stored.store.maintain(event.time_unix_nano / 1e9 + 9 * 86400)
    async with stored.client() as client:
        page = await client.get(f"/issues/{stored.id_of(1)}", params={"reference": REFERENCE})
    assert page.status_code == 200
    text = Markup(page.text).text
    assert "the occurrence is no longer kept" in text
    assert "the-one" in text
    assert event.trace_id in text
    assert f"https://logs.example/?q={REFERENCE}&amp;a=" in page.text
    stored.close()


@pytest.mark.parametrize(
    ("searched", "told"),
    [
        (REFERENCE, f"No event with the support reference {REFERENCE} is known"),
        (REFERENCE[:-1] + ("0" if REFERENCE[-1] != "0" else "2"), "If it is a support reference: the last character"),
        ("a word", None),
        ("validator", None),
    ],
)
async def test_a_search_that_finds_nothing_says_why(empty: Stored, searched: str, told: str | None) -> None:
    async with empty.client() as client:
        page = await client.get("/", params={"q": searched})
    assert page.status_code == 200
    text = Markup(page.text).text
    assert "No issue matches." in text
    assert told in text if told else "reference" not in text.partition("No issue matches.")[2]


async def test_a_reference_of_another_issue_is_told(stored: Stored) -> None:
    stored.add(error(1, event_id="the-one", support_reference=REFERENCE), error(2))
    async with stored.client() as client:
        page = await client.get(f"/issues/{stored.id_of(2)}", params={"reference": REFERENCE})
        nonsense = await client.get(f"/issues/{stored.id_of(2)}", params={"reference": "<b>what</b>"})
    assert "No event of this issue is known by the reference" in Markup(page.text).text
    assert nonsense.status_code == 200
    assert "<b>what" not in nonsense.text
