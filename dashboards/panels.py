"""Small builders of what a classic dashboard is made of: dictionaries in Grafana's own form.

Sizes are in Grafana's grid: 24 columns, a row unit of 30 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from . import config

Json = dict[str, Any]


def latest(name: str, *matchers: str) -> str:
    """A store series as all replicas agree on it: each has it from the one store, so a sum would multiply."""
    return f"max without (instance, pod) ({selector(name, *matchers)})"


def selector(name: str, *matchers: str) -> str:
    """``name{matcher, …}``."""
    return f"{name}{{{', '.join(matchers)}}}" if matchers else name


def latest_increase(name: str, *matchers: str, within: str) -> str:
    """What a counter of the store rose by ``within`` a range."""
    return f"max without (instance, pod) (increase({selector(name, *matchers)}[{within}]))"


def births(name: str, *matchers: str, totals: str, first_seen: str, on: str) -> str:
    """The ``totals`` of counters that Prometheus met for the first time in this step: what increase() never sees.

    Young by their first event's time as well, so that a gap in scraping does not make news of an old total.
    """
    seen = f"max without (instance, pod) (last_over_time({selector(name, *matchers)}[5m] offset $__interval))"
    young = f"time() - {first_seen} < 300 + $__interval_ms / 1000"
    return f"({totals} unless on ({on}) {seen} and on ({on}) {young})"


def prometheus(
    expression: str,
    *,
    legend: str = "",
    instant: bool = False,
    exemplar: bool = False,
    ref: str = "A",
    table: bool = False,
) -> Json:
    """A Prometheus target: a range query unless ``instant`` or ``table`` (instant, as rows)."""
    at_once = instant or table
    return {
        "datasource": config.PROMETHEUS,
        "editorMode": "code",
        "exemplar": exemplar,
        "expr": expression,
        "format": "table" if table else "time_series",
        "instant": at_once,
        "legendFormat": legend or "__auto",
        "range": not at_once,
        "refId": ref,
    }


def loki(expression: str, *, ref: str = "A") -> Json:
    """A Loki target that shows lines."""
    return {"datasource": config.LOKI, "editorMode": "code", "expr": expression, "queryType": "range", "refId": ref}


def link(title: str, url: str, *, new_tab: bool = False) -> Json:
    """A data link; ``url`` may use ``${__data.fields.x}``, ``${__field.labels.x}`` and dashboard variables."""
    return {"title": title, "url": url, "targetBlank": new_tab}


def override(field: str, **properties: Any) -> Json:
    """Properties of one field by its name as displayed; ``__`` in a key stands for ``.``."""
    return {
        "matcher": {"id": "byName", "options": field},
        "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()],
    }


def thresholds(*steps: tuple[float | None, str]) -> Json:
    """Colours from values on; the first step has no value."""
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in steps]}


def panel(
    kind: str,
    title: str,
    *,
    description: str,
    x: int,
    y: int,
    w: int,
    h: int,
    targets: Sequence[Json] = (),
    **more: Any,
) -> Json:
    """Any panel. ``id`` is given when the dashboard is put together."""
    source = targets[0]["datasource"] if targets else None
    body: Json = {"type": kind, "title": title, "description": description, "gridPos": {"x": x, "y": y, "w": w, "h": h}}
    if source:
        body |= {"datasource": source, "targets": list(targets)}
    return body | more


def stat(
    title: str,
    expression: str,
    *,
    description: str,
    x: int,
    y: int,
    w: int = 4,
    h: int = 4,
    unit: str = "short",
    legend: str = "",
    steps: Json | None = None,
    no_value: str = "no data",
    spark: bool = False,
    show: str = "value",
    mappings: Sequence[Json] = (),
    links: Sequence[Json] = (),
) -> Json:
    """One value, large. ``spark`` draws its course behind, ``show="name"`` shows the legend instead of the value."""
    return panel(
        "stat",
        title,
        description=description,
        x=x,
        y=y,
        w=w,
        h=h,
        targets=[prometheus(expression, legend=legend, instant=not spark)],
        fieldConfig={
            "defaults": {
                "unit": unit,
                "noValue": no_value,
                "color": {"mode": "thresholds"},
                "thresholds": steps or thresholds((None, "text")),
                "mappings": list(mappings),
                "links": list(links),
            },
            "overrides": [],
        },
        options={
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value",
            "graphMode": "area" if spark else "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": show,
        },
    )


def bars_over_time(
    title: str,
    targets: Sequence[Json],
    *,
    description: str,
    x: int,
    y: int,
    w: int,
    h: int,
    unit: str,
) -> Json:
    """Stacked bars a step, with a table of totals below."""
    return panel(
        "timeseries",
        title,
        description=description,
        x=x,
        y=y,
        w=w,
        h=h,
        targets=targets,
        # increase() over a step needs several scrapes within it.
        interval=config.MIN_INTERVAL,
        fieldConfig={
            "defaults": {
                "unit": unit,
                # increase() extrapolates to the edges of the step: 3 events may come out as 3.2.
                "decimals": 0,
                "min": 0,
                "noValue": "no events",
                "color": {"mode": "palette-classic"},
                "custom": {
                    "drawStyle": "bars",
                    "fillOpacity": 70,
                    "lineWidth": 0,
                    "stacking": {"group": "A", "mode": "normal"},
                },
            },
            "overrides": [],
        },
        options={
            "legend": {
                "calcs": ["sum", "max"],
                "displayMode": "table",
                "placement": "bottom",
                "showLegend": True,
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    )


def table(
    title: str,
    targets: Sequence[Json],
    *,
    description: str,
    x: int,
    y: int,
    w: int,
    h: int,
    no_value: str,
    transformations: Sequence[Json],
    overrides: Sequence[Json],
    sort_by: str = "",
) -> Json:
    """Rows from instant queries."""
    return panel(
        "table",
        title,
        description=description,
        x=x,
        y=y,
        w=w,
        h=h,
        targets=targets,
        fieldConfig={
            "defaults": {
                "noValue": no_value,
                "unit": "none",
                "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True},
            },
            # A cell without text would otherwise show noValue, which is what an empty table says.
            "overrides": [
                {"matcher": {"id": "byType", "options": "string"}, "properties": [{"id": "noValue", "value": "–"}]},
                *overrides,
            ],
        },
        options={
            "showHeader": True,
            "cellHeight": "sm",
            "sortBy": [{"displayName": sort_by, "desc": True}] if sort_by else [],
        },
        transformations=list(transformations),
    )


def text(title: str, markdown: str, *, description: str, x: int, y: int, w: int, h: int) -> Json:
    """Markdown."""
    return panel(
        "text", title, description=description, x=x, y=y, w=w, h=h, options={"mode": "markdown", "content": markdown}
    )


def row(title: str, *, y: int, collapsed: Sequence[Json] = ()) -> Json:
    """A row title; with ``collapsed`` its panels are folded away."""
    return {
        "type": "row",
        "title": title,
        "collapsed": bool(collapsed),
        "gridPos": {"x": 0, "y": y, "w": 24, "h": 1},
        "panels": list(collapsed),
    }


def datasource_variable(name: str, kind: str, label: str) -> Json:
    """Which data source; the first of its kind unless chosen."""
    return {
        "type": "datasource",
        "name": name,
        "label": label,
        "query": kind,
        "current": {},
        "regex": "",
        "hide": 0,
        "refresh": 1,
        "options": [],
    }


def query_variable(
    name: str, label: str, query: str, *, everything: bool = False, regex: str = "", description: str = ""
) -> Json:
    """Values from Prometheus; ``everything`` allows several and all (all matches series without the label, too)."""
    variable: Json = {
        "type": "query",
        "name": name,
        "label": label,
        "description": description,
        "datasource": config.PROMETHEUS,
        "definition": query,
        "query": {"query": query, "refId": "StandardVariableQuery"},
        "regex": regex,
        "refresh": 2,
        "sort": 1,
        "hide": 0,
        "multi": everything,
        "includeAll": everything,
        "options": [],
        "current": {},
    }
    if everything:
        variable |= {"allValue": ".*", "current": {"selected": True, "text": ["All"], "value": ["$__all"]}}
    return variable


def releases(expression: str) -> Json:
    """Marks in every graph where a release was first seen to fail; ``expression`` gives times in seconds."""
    return {
        "name": "Releases",
        "datasource": config.PROMETHEUS,
        "enable": True,
        "hide": False,
        "iconColor": "blue",
        "expr": f"1000 * {expression}",
        "step": config.MIN_INTERVAL,
        "useValueForTime": True,
        "titleFormat": "First error of {{service_name}} {{release}}",
        "tagKeys": "service_name,release",
    }


def dashboard(
    uid: str,
    title: str,
    *,
    description: str,
    variables: Sequence[Json],
    annotations: Sequence[Json],
    panels: Sequence[Json],
    since: str,
) -> Json:
    """The whole; gives panels their ids in order of appearance."""
    number = count(1)

    def numbered(some: Sequence[Json]) -> list[Json]:
        return [
            {"id": next(number), **one, **({"panels": numbered(one["panels"])} if "panels" in one else {})}
            for one in some
        ]

    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": config.TAGS,
        "schemaVersion": config.SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": config.REFRESH,
        "time": {"from": since, "to": "now"},
        "timezone": config.TIMEZONE,
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "weekStart": "",
        "templating": {"list": list(variables)},
        "annotations": {"list": list(annotations)},
        "links": [
            {
                "type": "dashboards",
                "title": "Errors",
                "tags": config.TAGS,
                "asDropdown": True,
                "includeVars": True,
                "keepTime": True,
                "targetBlank": False,
                "icon": "external link",
                "tooltip": "",
                "url": "",
            }
        ],
        "panels": numbered(panels),
    }
