"""Whatever a sender writes stays text: the record of tools of this kind says that stack traces are where it breaks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.collector_processor.api.stored import Stored, error
from tests.collector_processor.web.markup import Markup

PAGE = {"Accept": "text/html"}

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "closing a title": "</title></head><script>alert(1)</script>",
    "an attribute": '"><img src=x onerror=alert(1)>',
    "an attribute, single": "' onmouseover='alert(1)",
    "svg": "<svg/onload=alert(1)>",
    "a pre": "</pre></details><iframe src=javascript:alert(1)>",
    "an entity": "&lt;script&gt;&#x3c;script&#x3e;",
    "a template": "{{ 7 * 7 }}{% raw %}{{ self }}",
    "a comment": "<!--<script>",
    "a CDATA": "<![CDATA[<script>]]>",
    "bidirectional": "\u202eexe.gnp\u2066x\u2069",
    "controls": "\x1b[31m red \x07\x0b\x7f",
    "no width": "pass\u200bword\ufeff",
    "a scheme": "javascript:alert(document.domain)",
}


def stack_of(text: str) -> str:
    return (
        f'Traceback (most recent call last):\n  File "/app/{text}.py", line 3, in {text}\n    {text}\n'
        f"shop.{text}: {text}\n"
    )


def hostile(text: str, **fields: Any) -> Any:
    return error(
        1,
        **{
            **dict.fromkeys(("type", "message", "title", "culprit", "service_name", "service_namespace"), text),
            **dict.fromkeys(("release", "environment", "trace_id", "span_id", "event_id", "user", "mechanism"), text),
            **dict.fromkeys(("error_code", "support_reference"), text),
            "stacktrace": stack_of(text),
            "tags": {text: text},
            "attributes": {text: text},
            **fields,
        },
    )


@pytest.mark.parametrize("case", HOSTILE)
async def test_every_place_of_both_pages(stored: Stored, case: str) -> None:
    text = HOSTILE[case]
    stored.add(hostile(text))
    stored.store.commands.assign(stored.id_of(1), "<b>mara</b>", actor="<i>actor</i>", note="<script>note</script>")
    async with stored.client(**PAGE) as client:
        for path in ("/", "/?state=all&q=a", f"/issues/{stored.id_of(1)}"):
            response = await client.get(path)
            assert response.status_code == 200
            page = Markup(response.text)
            assert page.faults == [], path
            shown = response.text
            assert not {c for c in shown if c in "\u202e\u2066\u2069\u200b\ufeff\x1b\x07\x0b\x7f"}, path
    if case in ("script", "an attribute", "svg", "a template"):
        assert text in page.text  # shown as it is, not cleaned
    if case == "bidirectional":
        assert "U+202E" in page.text


@pytest.mark.parametrize(
    "template", ["javascript:alert('{trace_id}')", "data:text/html,{trace_id}", "//evil/{trace_id}"]
)
async def test_a_link_template_that_is_no_web_address_gives_no_link(tmp_path: Any, template: str) -> None:
    stored = Stored(tmp_path, links={"trace": template})
    stored.add(error(1))
    async with stored.client(**PAGE) as client:
        page = Markup((await client.get(f"/issues/{stored.id_of(1)}")).text)
    stored.close()
    assert page.faults == []
    assert not any("evil" in href or "alert" in href for href in page.attributes("a", "href"))


async def test_a_message_of_a_megabyte(stored: Stored) -> None:
    long = "<b>" * 340_000
    stored.add(error(1, message=long, stacktrace="Traceback (most recent call last):\n" + long, tags={"k": long}))
    async with stored.client(**PAGE) as client:
        response = await client.get(f"/issues/{stored.id_of(1)}")
        listed = await client.get("/")
    page = Markup(response.text)
    assert response.status_code == 200
    assert page.faults == []
    assert "more characters" in page.text
    assert len(response.content) < 1_500_000
    assert len(listed.content) < 30_000


async def test_hostile_parameters_stay_text(stored: Stored) -> None:
    stored.add(error(1))
    async with stored.client(**PAGE) as client:
        for name in ("q", "service", "state", "sort", "cursor", "severity"):
            response = await client.get("/", params={name: '"><script>alert(1)</script>'})
            assert Markup(response.text).faults == []
            assert response.status_code in (200, 422)
