from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import yaml

from collector_processor.events import ErrorEvent
from collector_processor.web.links import filled
from otel_errors.references import reference_of
from tests.collector_processor.api.stored import BASE, Stored, error

DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"
LOGS = (
    'https://grafana.example/explore?panes={"l":{"expr":"{source=\\"otel-errors\\"}|support_reference=`'
    '{support_reference}`","from":"{from_ms}","to":"{to_ms}"}}'
)


def referred(number: int, name: str, **fields: object) -> ErrorEvent:
    return error(number, **{"event_id": name, "support_reference": reference_of(name), **fields})


@pytest.mark.parametrize("spelled", ["{}", " {} ", "{}.", "−{}"])
@pytest.mark.parametrize("change", [str, str.lower, lambda text: text.replace("-", "")])
async def test_a_reference_in_any_spelling_leads_to_the_event(stored: Stored, spelled: str, change: object) -> None:
    event = referred(1, "4f2e")
    stored.add(error(2), event, error(1))
    reference = event.support_reference
    asked = spelled.format(change(reference.replace("0", "O").replace("1", "i")))  # type: ignore[operator]
    async with stored.client() as client:
        response = await client.get("/api/v1/lookup/" + quote(asked, safe=""))
        occurrences = (await client.get(f"/api/v1/issues/{stored.id_of(1)}/occurrences")).json()["occurrences"]
        issue = (await client.get(f"/api/v1/issues/{stored.id_of(1)}")).json()
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["support_reference"] == reference
    assert answer["issue"].items() <= issue.items()
    assert answer["occurrence"] == next(one for one in occurrences if one["event_id"] == "4f2e")
    assert (answer["event_id"], answer["trace_id"]) == ("4f2e", event.trace_id)
    assert answer["time"] == answer["occurrence"]["time"]
    assert answer["url"] == f"{BASE}/issues/{stored.id_of(1)}?reference={reference}"
    assert answer["trace_url"] == f"https://grafana.example/explore?trace={event.trace_id}"
    assert (answer["logs_url"], answer["logs_query"]) == (None, None)


async def test_what_is_no_longer_kept_has_its_place_and_a_link_to_its_log_line(tmp_path: Path) -> None:
    stored = Stored(tmp_path, links={"logs": LOGS}, loki={"url": "http://loki.example:3100"})
    event = referred(1, "gone")
    stored.add_all([event, *(error(1) for _ in range(400))], now=event.time_unix_nano / 1e9 + 1000)
    stored.store.maintain(event.time_unix_nano / 1e9 + 8 * 86400)
    async with stored.client() as client:
        answer = (await client.get(f"/api/v1/lookup/{event.support_reference}")).json()
    milliseconds = event.time_unix_nano // 10**6
    assert answer["occurrence"] is None
    assert (answer["event_id"], answer["trace_id"]) == ("gone", event.trace_id)
    assert answer["issue"]["id"] == stored.id_of(1)
    assert answer["time"] is not None
    assert answer["logs_query"] == f'{{source="otel-errors"}} | support_reference="{event.support_reference}"'
    assert f"`{event.support_reference}`" in answer["logs_url"]
    assert f'"from":"{milliseconds - 3_600_000}","to":"{milliseconds + 3_600_000}"' in answer["logs_url"]
    stored.close()


def test_the_link_template_of_the_documents_makes_a_link_that_grafana_can_read() -> None:
    block = re.search(r"```yaml\n(links:\n.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert block is not None
    template = yaml.safe_load(block[1])["links"]["logs"]
    link = filled(template, support_reference="1E0-FVE-83B", from_ms="1", to_ms="2")
    assert link is not None
    panes = json.loads(parse_qs(urlsplit(link).query)["panes"][0])
    assert panes["a"]["queries"][0]["expr"] == '{source="otel-errors"} | support_reference=`1E0-FVE-83B`'
    assert panes["a"]["range"] == {"from": "1", "to": "2"}


async def test_it_follows_merges(stored: Stored) -> None:
    event = referred(1, "moved")
    stored.add(event, error(2))
    one, two = stored.id_of(1), stored.id_of(2)
    async with stored.client() as client:
        await client.post("/api/v1/issues/merge", json={"into": two, "issues": [one]})
        answer = (await client.get(f"/api/v1/lookup/{event.support_reference}")).json()
    assert answer["issue"]["id"] == two


async def test_an_unknown_reference(empty: Stored) -> None:
    reference = reference_of("nobody")
    async with empty.client() as client:
        response = await client.get(f"/api/v1/lookup/{reference.lower()}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert reference in response.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("1E0-FVE-83A", "the last character does not fit"),
        ("1E0", "this has 3"),
        ("x" * 5_000, "this has more"),
        ("1E0-FVE-8!B", "does not occur"),
        ("<b>1E0FVE", "does not occur"),
        ("\u202e1E0FVE83B", "this has 10"),
        ("\0", "this has 1"),
    ],
)
async def test_what_is_no_reference(empty: Stored, asked: str, told: str) -> None:
    async with empty.client() as client:
        response = await client.get("/api/v1/lookup/" + quote(asked, safe=""))
    assert response.status_code == 400, response.text
    problem = response.json()
    assert told in problem["detail"]
    assert "nine letters and digits such as 1E0-FVE-83B" in problem["detail"]
    assert problem["errors"][0]["key"] == "support_reference"
    assert len(response.content) < 7_000
