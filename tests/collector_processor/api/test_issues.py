from __future__ import annotations

from typing import Any

import pytest

from collector_processor.api.problems import phrase
from collector_processor.queue import QueueDepth
from tests.collector_processor.api.stored import Stored, error, fingerprint


def fill(stored: Stored) -> None:
    """Issue 1: three errors of shop; 2: two of cart, critical; 3: one of shop in staging."""
    stored.add(error(1), error(1), error(1, release="1.1.0"))
    stored.add(error(2, service_name="cart", severity="critical", title="KeyError: 'price'", type="KeyError"))
    stored.add(error(2, service_name="cart", severity="critical", title="KeyError: 'price'", type="KeyError"))
    stored.add(error(3, environment="staging", severity="low"))


def ids(answer: dict[str, Any]) -> list[str]:
    return [issue["id"] for issue in answer["issues"]]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [3, 2, 1]),
        ("sort=count", [1, 2, 3]),
        ("sort=count&order=asc", [3, 2, 1]),
        ("sort=first_seen&order=asc", [1, 2, 3]),
        ("service_name=cart", [2]),
        ("service_name=cart&service_namespace=", [2]),
        ("service_name=nobody", []),
        ("severity=critical&severity=low", [3, 2]),
        ("environment=staging", [3]),
        ("state=open", [3, 2, 1]),
        ("state=resolved", []),
        ("state=resolved&state=new", [3, 2, 1]),
        ("q=PRICE keyerror", [2]),
        ("q=charge_1", [1]),
        ("q=%25", []),
        ("assignee=nobody", []),
        ("limit=1", [3]),
    ],
)
async def test_filters_and_orders(stored: Stored, query: str, numbers: list[int]) -> None:
    fill(stored)
    async with stored.client() as client:
        response = await client.get("/api/v1/issues?" + query)
    assert response.status_code == 200, response.text
    assert ids(response.json()) == [stored.id_of(number) for number in numbers]


async def test_pages_hold_every_issue_once(stored: Stored) -> None:
    stored.add_all([error(number, time_unix_nano=1_795_000_000_000_000_000) for number in range(1, 24)])
    seen: list[str] = []
    async with stored.client() as client:
        cursor: str | None = ""
        while cursor is not None:
            answer = (await client.get("/api/v1/issues", params={"limit": 5, "cursor": cursor})).json()
            seen += ids(answer)
            cursor = answer["next_cursor"]
    assert len(seen) == len(set(seen)) == 23


async def test_an_issue_says_everything(stored: Stored) -> None:
    fill(stored)
    async with stored.client() as client:
        issue = (await client.get(f"/api/v1/issues/{stored.id_of(1)}")).json()
    assert issue["count"] == 3
    assert issue["users"] == 3
    assert issue["state"] == "new"
    assert issue["severity"] == "high"
    assert issue["fingerprints"] == [fingerprint(1)]
    assert [(row["name"], row["count"]) for row in issue["releases"]] == [("1.0.0", 2), ("1.1.0", 1)]
    assert [(row["name"], row["count"]) for row in issue["environments"]] == [("prod", 3)]
    assert issue["url"] == f"http://127.0.0.1:8080/issues/{stored.id_of(1)}"
    assert issue["first_seen"].endswith("Z")
    assert issue["unacknowledged_since"] is not None


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ([{"state": "acknowledged"}], "acknowledged"),
        ([{"state": "resolved"}], "resolved"),
        ([{"state": "resolved", "in_next_release": True}], "resolved"),
        ([{"state": "ignored"}], "ignored"),
        ([{"state": "ignored", "ignore_until": "2126-01-01T00:00:00Z"}], "ignored"),
        ([{"state": "ignored", "ignore_events": 100}], "ignored"),
        ([{"state": "acknowledged"}, {"state": "new"}], "new"),
        ([{"state": "resolved"}, {"state": "new"}], "regressed"),
        ([{"assignee": "mara", "team": "checkout", "severity": "low", "note": "because"}], "new"),
    ],
)
async def test_changes(stored: Stored, changes: list[dict[str, Any]], state: str) -> None:
    fill(stored)
    path = f"/api/v1/issues/{stored.id_of(1)}"
    async with stored.client() as client:
        for change in changes:
            response = await client.patch(path, json=change)
            assert response.status_code == 200, response.text
        issue = response.json()
        activity = (await client.get(path + "/activity")).json()["activity"]
    assert issue["state"] == state
    last = changes[-1]
    for key in ("assignee", "team", "severity"):
        if key in last:
            assert issue[key] == last[key]
    assert issue["ignored_until"] == ("2126-01-01T00:00:00.000Z" if "ignore_until" in last else None)
    assert issue["ignored_until_count"] == (103 if "ignore_events" in last else None)
    assert issue["in_next_release"] == last.get("in_next_release", False)
    assert activity[0]["actor"] == "api"
    assert len(activity) >= 1 + len(changes)


@pytest.mark.parametrize(
    ("case", "body", "status", "told"),
    [
        ("a state that it cannot come into", {"state": "new"}, 409, "state"),
        ("an unknown state", {"state": "regressed"}, 422, "state"),
        ("an unknown key", {"stat": "resolved"}, 422, "stat"),
        ("nothing", {}, 422, "nothing to change"),
        ("an unknown severity", {"severity": "urgent"}, 422, "severity"),
        ("a date without a state", {"ignore_until": "2126-01-01T00:00:00Z"}, 422, "ignore_until"),
        ("a date in the past", {"state": "ignored", "ignore_until": "2001-01-01T00:00:00Z"}, 422, "until"),
        ("no date", {"state": "ignored", "ignore_until": "tomorrow"}, 422, "RFC 3339"),
        ("a date at the edge", {"state": "ignored", "ignore_until": "0001-01-01T00:00:00+23:59"}, 422, "until"),
        ("a number that is none", {"state": "ignored", "ignore_events": True}, 422, "ignore_events"),
        ("no events", {"state": "ignored", "ignore_events": 0}, 422, "ignore_events"),
        ("a release without a state", {"in_next_release": True}, 422, "in_next_release"),
        ("a long name", {"assignee": "x" * 201}, 422, "assignee"),
        ("a hidden character", {"assignee": "ma\u202era"}, 422, "assignee"),
        ("a text in the place of an object", "resolved", 422, ""),
    ],
)
async def test_changes_that_are_refused(stored: Stored, case: str, body: Any, status: int, told: str) -> None:
    fill(stored)
    async with stored.client() as client:
        response = await client.patch(f"/api/v1/issues/{stored.id_of(1)}", json=body)
        issue = (await client.get(f"/api/v1/issues/{stored.id_of(1)}")).json()
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert told in response.json()["detail"]
    assert response.json()["status"] == status
    assert (issue["state"], issue["assignee"]) == ("new", "")


@pytest.mark.parametrize(
    ("case", "body", "status"),
    [
        ("half an object", b"{", 422),
        ("a deep one", b"[" * 60_000, 400),
        ("half a character", b'{"assignee": "\\ud800"}', 422),
        ("half a character in a note", b'{"note": "\\ud800", "assignee": "x"}', 422),
        ("not UTF-8", b'{"assignee": "\xff"}', 400),
        ("nothing", b"", 422),
        ("a number that is none", b'{"ignore_events": NaN, "state": "ignored"}', 422),
    ],
)
async def test_bodies_that_are_no_document(empty: Stored, case: str, body: bytes, status: int) -> None:
    async with empty.client() as client:
        response = await client.patch(
            "/api/v1/issues/0000000000", content=body, headers={"Content-Type": "application/json"}
        )
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"]


async def test_merging(stored: Stored) -> None:
    fill(stored)
    one, three = stored.id_of(1), stored.id_of(3)
    async with stored.client() as client:
        merged = await client.post("/api/v1/issues/merge", json={"into": one, "issues": [three]})
        assert merged.status_code == 200, merged.text
        assert merged.json()["count"] == 4
        assert merged.json()["merged_issues"] == [three]
        followed = await client.get(f"/api/v1/issues/{three}")
        assert followed.json()["id"] == one
        listed = (await client.get("/api/v1/issues?service_name=shop")).json()
        assert ids(listed) == [one]
        page = await client.get(f"/issues/{three}")
        assert page.status_code == 302
        assert str(page.next_request.url if page.next_request else "").endswith(f"/issues/{one}")
        by_fingerprint = await client.get(f"/f/{fingerprint(3)}")
        assert str(by_fingerprint.next_request.url if by_fingerprint.next_request else "").endswith(f"/issues/{one}")


@pytest.mark.parametrize(
    ("case", "sources", "status"),
    [("another service", [2], 422), ("itself", [1], 422), ("nothing", [], 422)],
)
async def test_merges_that_are_refused(stored: Stored, case: str, sources: list[int], status: int) -> None:
    fill(stored)
    async with stored.client() as client:
        body = {"into": stored.id_of(1), "issues": [stored.id_of(number) for number in sources]}
        response = await client.post("/api/v1/issues/merge", json=body)
        unknown = await client.post("/api/v1/issues/merge", json={"into": "0000000000", "issues": [stored.id_of(1)]})
    assert response.status_code == status, response.text
    assert unknown.status_code == 404


async def test_occurrences_and_events(stored: Stored) -> None:
    fill(stored)
    kept = error(1, tags={"plan": "pro"}, attributes={"http.route": "/pay"}, stacktrace="Traceback", redacted=2)
    stored.add(kept)
    async with stored.client() as client:
        path = f"/api/v1/issues/{stored.id_of(1)}/occurrences"
        first = (await client.get(path, params={"limit": 1})).json()
        rest = (await client.get(path, params={"cursor": first["next_cursor"]})).json()
        event = (await client.get(f"/api/v1/events/{kept.event_id}")).json()
    (newest,) = first["occurrences"]
    assert newest == event
    assert len(rest["occurrences"]) == 3
    assert rest["next_cursor"] is None
    assert event["tags"] == {"plan": "pro"}
    assert event["attributes"] == {"http.route": "/pay"}
    assert event["stacktrace"] == "Traceback"
    assert event["trace_id"] == kept.trace_id
    assert event["redacted"] == 2
    assert event["issue_id"] == stored.id_of(1)


async def test_trend_has_no_gaps(stored: Stored) -> None:
    fill(stored)
    async with stored.client() as client:
        trend = (await client.get(f"/api/v1/issues/{stored.id_of(1)}/trend?hours=48")).json()
    assert trend["bucket_seconds"] == 3600
    assert len(trend["points"]) == 48


async def test_stats(stored: Stored) -> None:
    fill(stored)
    stored.store.commands.resolve(stored.id_of(3), actor="test")
    stored.metrics.watch_queue(lambda: QueueDepth(4, 100, 1.5))
    async with stored.client() as client:
        stats = (await client.get("/api/v1/stats")).json()
    assert stats["issues"] == {"new": 2, "regressed": 0, "acknowledged": 0, "resolved": 1, "ignored": 0}
    assert stats["open_issues"] == 2
    assert stats["open_by_severity"] == {"critical": 1, "high": 1, "medium": 0, "low": 0}
    assert stats["events"] == 6
    assert [(row["service_name"], row["open_issues"], row["events"]) for row in stats["services"]] == [
        ("cart", 1, 2),
        ("shop", 1, 4),
    ]
    assert stats["queue"] == {"events": 4, "bytes": 100, "oldest_seconds": 1.5}


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/issues/nope",
        "/api/v1/issues/%00",
        "/api/v1/issues/..%2F..",
        "/api/v1/issues/" + "0" * 5_000,
        "/api/v1/issues/0000000000/occurrences",
        "/api/v1/issues/0000000000/activity",
        "/api/v1/issues/0000000000/trend",
        "/api/v1/events/nope",
        "/api/v1/events/%E2%80%AE",
        "/api/v1/nothing",
        "/api/v2/issues",
        "/api/v1/issues/",
        "/docs",
        "/redoc",
        "/f/nope",
        f"/f/{fingerprint(77)}",
        "/static/../app.py",
        "/static/none.css",
    ],
)
async def test_what_is_not_there(empty: Stored, path: str) -> None:
    async with empty.client() as client:
        response = await client.get(path)
    assert response.status_code == 404, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["title"] == "Not Found"


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("stat=new", "stat"),
        ("state=closed", "state"),
        ("sort=title", "sort"),
        ("order=up", "order"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("cursor=!!", "cursor"),
        ("cursor=abcd", "cursor"),
        ("severity=urgent", "severity"),
        ("q=%00", "q"),
        ("q=" + "x" * 300, "q"),
    ],
)
async def test_parameters_that_make_no_sense(empty: Stored, query: str, key: str) -> None:
    async with empty.client() as client:
        response = await client.get("/api/v1/issues?" + query)
    assert response.status_code == 422
    assert response.json()["detail"].startswith(key + ": ")


async def test_the_document_names_key_value_and_what_is_allowed(empty: Stored) -> None:
    async with empty.client() as client:
        problem = (await client.get("/api/v1/issues?state=new&state=closed")).json()
    allowed = "input should be 'open', 'new', 'regressed', 'acknowledged', 'resolved' or 'ignored'"
    assert problem == {
        "type": "about:blank",
        "title": phrase(422),
        "status": 422,
        "detail": f"state: 'closed': {allowed}",
        "instance": "/api/v1/issues",
        "errors": [{"key": "state", "in": "query", "value": "closed", "allowed": allowed}],
    }


async def test_a_method_that_is_not_allowed(empty: Stored) -> None:
    async with empty.client() as client:
        response = await client.delete("/api/v1/issues")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET"
    assert response.json()["title"] == "Method Not Allowed"


async def test_the_api_describes_itself(empty: Stored) -> None:
    async with empty.client() as client:
        document = (await client.get("/api/v1/openapi.json")).json()
    assert {
        "/api/v1/issues",
        "/api/v1/issues/{id}",
        "/api/v1/issues/merge",
        "/api/v1/issues/{id}/occurrences",
        "/api/v1/issues/{id}/activity",
        "/api/v1/issues/{id}/trend",
        "/api/v1/events/{event_id}",
        "/api/v1/lookup/{support_reference}",
        "/api/v1/stats",
    } == set(document["paths"])
