from __future__ import annotations

import pytest

from collector_processor.web.links import filled


@pytest.mark.parametrize(
    ("case", "template", "values", "url"),
    [
        ("plain", "https://tempo/trace/{trace_id}", {"trace_id": "ab"}, "https://tempo/trace/ab"),
        (
            "JSON in a URL",
            'https://grafana/explore?left={"queries":[{"query":"{trace_id}"}], "x":1}',
            {"trace_id": "ab"},
            'https://grafana/explore?left={"queries":[{"query":"ab"}],%20"x":1}',
        ),
        ("a value cannot leave its place", "https://t/{service_name}/x", {"service_name": "a/../?b#\" '<"}, "https://t/a%2F..%2F%3Fb%23%22%20%27%3C/x"),
        ("a value is not a template", "https://t/{trace_id}/{span_id}", {"trace_id": "{span_id}", "span_id": "s"}, "https://t/%7Bspan_id%7D/s"),
        ("no value", "https://tempo/trace/{trace_id}", {}, None),
        ("no template", None, {"trace_id": "ab"}, None),
        ("script", "javascript:alert('{trace_id}')", {"trace_id": "ab"}, None),
        ("script, disguised", " java\nscript:alert(1)//{trace_id}", {"trace_id": "ab"}, None),
        ("data", "data:text/html,{trace_id}", {"trace_id": "ab"}, None),
        ("a value as scheme", "{service_name}:alert(1)", {"service_name": "javascript"}, None),
        ("no host", "https:///{trace_id}", {"trace_id": "ab"}, None),
        ("not a URL", "http://[{trace_id}", {"trace_id": "ab"}, None),
        ("lone surrogate", "https://t/{trace_id}", {"trace_id": "\ud800"}, "https://t/%3F"),
    ],
)  # fmt: skip
def test_templates(case: str, template: str | None, values: dict[str, str], url: str | None) -> None:
    assert filled(template, **values) == url
