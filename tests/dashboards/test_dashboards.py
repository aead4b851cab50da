"""The dashboards: what Grafana needs to load them, what a reader needs, and nothing outside the metric contract."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from dashboards import build, config
from tests.dashboards import promql
from tests.dashboards.metric_contract import METRICS, STORE

REPOSITORY = Path(build.__file__).resolve().parent.parent
FILES = {name: json.loads(text) for name, text in build.render().items()}
UIDS = {"otel-errors-overview", "otel-errors-issue"}

# Of Grafana's unit ids, those that these dashboards may use.
UNITS = {"short", "none", "epm", "dateTimeFromNow", "s"}
DATA_PANELS = {"stat", "timeseries", "table", "barchart", "logs"}
TRANSFORMATIONS = {"filterFieldsByName", "joinByField", "filterByValue", "organize", "groupingToMatrix"}
BUILT_IN_VARIABLES = {"__data", "__field", "__value", "__url_time_range", "__interval", "__interval_ms", "__range"}
BUILT_IN_VARIABLES |= {"__range_s", "__rate_interval", "__all"}


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in dashboard["panels"]:
        yield one
        yield from one.get("panels", [])


PANELS = [
    pytest.param(name, one, id=f"{name}-{one['title']}") for name, board in FILES.items() for one in panels(board)
]
TARGETS = [
    pytest.param(target["expr"], id=f"{name}-{one['title']}-{target['refId']}")
    for name, board in FILES.items()
    for one in panels(board)
    for target in one.get("targets", [])
    if target["datasource"] == config.PROMETHEUS
] + [
    pytest.param(mark["expr"], id=f"{name}-{mark['name']}")
    for name, board in FILES.items()
    for mark in board["annotations"]["list"]
]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def links(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "url" in value and "targetBlank" in value:
            yield value["url"]
        for inner in value.values():
            yield from links(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from links(inner)


def test_the_committed_files_are_what_the_builders_write() -> None:
    assert build.main(["--check"]) == 0


def test_check_notices_missing_changed_and_left_over_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--out", str(tmp_path)]) == 0
    assert build.main(["--out", str(tmp_path), "--check"]) == 0
    (tmp_path / "otel-errors-issue.json").write_text("{}", encoding="utf-8")
    (tmp_path / "otel-errors-overview.json").unlink()
    (tmp_path / "old.json").write_text("{}", encoding="utf-8")
    assert build.main(["--out", str(tmp_path), "--check"]) == 1
    told = capsys.readouterr().err
    for name in ("otel-errors-issue.json", "otel-errors-overview.json", "old.json"):
        assert f"{name}: not current" in told


@pytest.mark.parametrize("name", FILES)
def test_grafana_can_provision_it(name: str) -> None:
    board = FILES[name]
    assert name == f"{board['uid']}.json"
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", board["uid"])
    assert board["schemaVersion"] == 39
    assert board["editable"] is False
    # An id or a version belongs to one Grafana; __inputs works in the import dialog only.
    assert not {"id", "version", "__inputs", "__requires"} & board.keys()
    assert "${DS_" not in json.dumps(board)
    assert board["tags"] == ["otel-errors"]
    assert board["title"].startswith("Errors / ")
    assert board["description"]
    assert board["refresh"]


def test_the_uids_are_the_published_ones() -> None:
    assert {board["uid"] for board in FILES.values()} == UIDS


@pytest.mark.parametrize("name", FILES)
def test_panel_ids_are_unique_and_positive(name: str) -> None:
    ids = [one["id"] for one in panels(FILES[name])]
    assert len(ids) == len(set(ids))
    assert min(ids) > 0


def overlaps(some: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found = []
    taken: dict[tuple[int, int], str] = {}
    for one in some:
        place = one["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (x, y) in taken:
                    found.append((taken[x, y], one["title"]))
                taken[x, y] = one["title"]
    return found


@pytest.mark.parametrize("name", FILES)
def test_panels_are_in_the_grid_and_do_not_overlap(name: str) -> None:
    everything = list(panels(FILES[name]))
    for one in everything:
        place = one["gridPos"]
        assert place["x"] >= 0
        assert place["w"] >= 1
        assert place["h"] >= 1
        assert place["x"] + place["w"] <= 24
    assert overlaps(everything) == []
    assert overlaps([*everything, everything[0]]), "the check itself"


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_every_panel_says_what_it_shows(name: str, panel: dict[str, Any]) -> None:
    assert panel["title"]
    if panel["type"] == "row":
        return
    assert len(panel["description"]) > 20
    assert panel["description"].endswith((".", "ID"))
    if panel["type"] not in DATA_PANELS:
        assert panel["type"] == "text"
        return
    assert panel["targets"]
    references = [target["refId"] for target in panel["targets"]]
    assert len(references) == len(set(references))
    for target in panel["targets"]:
        assert target["datasource"] in (config.PROMETHEUS, config.LOKI)
    if panel["type"] != "logs":
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["fieldConfig"]["defaults"]["noValue"]
    for override in panel.get("fieldConfig", {}).get("overrides", []):
        for item in override["properties"]:
            if item["id"] == "unit":
                assert item["value"] in UNITS
    for transformation in panel.get("transformations", []):
        assert transformation["id"] in TRANSFORMATIONS


@pytest.mark.parametrize("expression", TARGETS)
def test_queries_use_the_contract_and_read_it_safely(expression: str) -> None:
    tree = promql.parse(expression)
    found = list(promql.selectors(tree))
    assert found
    for selector in found:
        assert selector.name in METRICS, selector.name
        assert set(selector.labels) <= METRICS[selector.name], selector
        operation = selector.first_aggregation()
        assert operation is not None
        if selector.name in STORE:
            assert operation == ("max", frozenset({"instance", "pod"}), "without")
        else:
            assert operation[0] in ("sum", "max")


def instant_total(expression: str) -> bool:
    """The two documented uses of a bare counter: a total since the beginning, and the first events of what is new."""
    return expression.startswith("sum(max without (instance, pod) (otel_errors_issue_events_total{") or (
        re.search(r"and on \([a-z_, ]+\) time\(\) - .*_first_seen_timestamp_seconds", expression) is not None
        and " or " in expression
        and "increase(" in expression
    )


@pytest.mark.parametrize("expression", TARGETS)
def test_counters_are_read_through_increase_or_rate(expression: str) -> None:
    for selector in promql.selectors(promql.parse(expression)):
        if selector.name.endswith("_total"):
            # last_over_time asks whether the series was there, not how large it was.
            read = any(function in ("increase", "rate", "last_over_time") for function in selector.functions())
            assert read or instant_total(expression), selector.name


@pytest.mark.parametrize("expression", TARGETS)
def test_joins_can_not_meet_two_partners(expression: str) -> None:
    """``group_left`` against an info series fails for all issues once one has two; tables join in Grafana instead."""
    for node in promql.nodes(promql.parse(expression)):
        if isinstance(node, promql_parser.BinaryExpr) and node.modifier is not None:
            assert node.modifier.card != promql_parser.VectorMatchCardinality.ManyToOne


@pytest.mark.parametrize("name", FILES)
def test_variables_exist_and_the_data_sources_come_first(name: str) -> None:
    variables = FILES[name]["templating"]["list"]
    assert [(one["name"], one["type"]) for one in variables[:2]] == [
        ("datasource", "datasource"),
        ("loki", "datasource"),
    ]
    names = {one["name"] for one in variables}
    assert ("issue" in names) == (name == "otel-errors-issue.json")
    for text in strings(FILES[name]):
        for used in re.findall(r"\$\{?(\w+)", text):
            assert used in names | BUILT_IN_VARIABLES, text
    for variable in variables:
        if variable["type"] == "query":
            # Also for a time range that is chosen later.
            assert variable["refresh"] == 2
            for metric in re.findall(r"otel_errors_\w+", variable["definition"]):
                assert metric in METRICS


@pytest.mark.parametrize("name", FILES)
def test_links_lead_somewhere(name: str) -> None:
    urls = [url for url in links(FILES[name]) if url]
    assert urls
    for url in urls:
        board = re.match(r"/d/([\w-]+)", url)
        if board:
            target = FILES[f"{board.group(1)}.json"]
            known = {one["name"] for one in target["templating"]["list"]}
            assert set(re.findall(r"var-(\w+)=", url)) <= known
            assert set(re.findall(r"\$\{(\w+):queryparam\}", url)) <= known
        elif url.startswith("http"):
            page, _, anchor = url.removeprefix(config.DOCS).partition("#")
            text = (REPOSITORY / "docs" / page.lstrip("/")).read_text(encoding="utf-8")
            assert anchor in {heading.lower() for heading in re.findall(r"^## (\S+)$", text, re.MULTILINE)}
        else:
            assert url in ("${__data.fields.url}", "${__value.raw}", "${__field.labels.url}")


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_tables_name_fields_that_their_queries_have(name: str, panel: dict[str, Any]) -> None:
    """A renamed, joined or overridden field that no query yields would silently do nothing."""
    if panel["type"] != "table":
        return
    fields: set[str] = set()
    for target in panel["targets"]:
        assert target["format"] == "table"
        tree = promql.parse(target["expr"])
        aggregations = [
            node for node in promql.nodes(tree) if isinstance(node, promql_parser.AggregateExpr) and node.modifier
        ]
        modifiers = [node.modifier for node in aggregations if node.modifier is not None]
        by = [set(modifier.labels) for modifier in modifiers if str(modifier.type).endswith("By")]
        fields |= set().union(*by) | {f"Value #{target['refId']}"}
    shown: set[str] = set()
    for transformation in panel["transformations"]:
        options = transformation["options"]
        if transformation["id"] == "filterFieldsByName":
            assert set(options["include"]["names"]) <= fields
        elif transformation["id"] == "joinByField":
            assert options["byField"] in fields
        elif transformation["id"] == "organize":
            assert set(options["renameByName"]) == set(options["indexByName"]) <= fields
            shown = set(options["renameByName"].values())
    of_strings, *overrides = panel["fieldConfig"]["overrides"]
    assert of_strings["matcher"] == {"id": "byType", "options": "string"}
    assert of_strings["properties"] == [{"id": "noValue", "value": "–"}]
    for override in overrides:
        assert override["matcher"]["options"] in shown
        properties = {item["id"]: item["value"] for item in override["properties"]}
        if properties.get("custom.cellOptions", {}).get("type") == "gauge":
            assert properties["fieldMinMax"] or "max" in properties, "else the gauge's scale is that of all columns"
    for sort in panel["options"]["sortBy"]:
        assert sort["displayName"] in shown


def test_log_queries_select_by_stream_and_issue() -> None:
    queries = [
        t["expr"]
        for b in FILES.values()
        for p in panels(b)
        for t in p.get("targets", [])
        if t["datasource"] == config.LOKI
    ]
    assert queries == ['{source="otel-errors"} | issue_id="$issue"']


def test_the_issue_variable_shows_titles_and_holds_ids() -> None:
    variable = next(one for one in FILES["otel-errors-issue.json"]["templating"]["list"] if one["name"] == "issue")
    pattern = variable["regex"].strip("/").replace("(?<", "(?P<")
    for title in ("KeyError: <int> of 'x'", 'cannot print "<b>" on {paper}', 'x="1"'):
        match = re.search(pattern, f'{{issue_id="42",title="{title}"}} 1 1700000000000')
        assert match is not None
        assert (match.group("value"), match.group("text")) == ("42", title)
    untitled = re.search(pattern, '{issue_id="42"} 1 1700000000000')
    assert untitled is not None
    assert untitled.group("value") == "42"


def test_the_uids_that_alerts_link_to_are_these() -> None:
    from alert_rules import config as alert_config

    assert {alert_config.OVERVIEW_UID, alert_config.ISSUE_UID} == UIDS


def test_provisioning_names_the_folder_and_connects_the_sources() -> None:
    folder = REPOSITORY / "dashboards" / "provisioning"
    provider = yaml.safe_load((folder / "dashboards" / "dashboards.yml").read_text(encoding="utf-8"))["providers"][0]
    assert provider["type"] == "file"
    assert provider["options"]["path"]
    text = (folder / "datasources" / "datasources.yml").read_text(encoding="utf-8")
    sources = {one["uid"]: one for one in yaml.safe_load(text)["datasources"]}
    exemplar = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"][0]
    assert exemplar["name"] == "trace_id"
    assert exemplar["datasourceUid"] in sources
    derived = {one["name"]: one for one in sources["loki"]["jsonData"]["derivedFields"]}
    assert derived["trace"]["datasourceUid"] in sources
    assert derived["issue"]["url"].startswith("/d/otel-errors-issue?var-issue=")
    # A single $ would be taken for an environment variable.
    assert not re.search(r"(?<!\$)\$(?!\$)", re.sub(r"#.*", "", text))
