"""Errors / Issue: one issue beside the same time of everything else."""

from __future__ import annotations

from . import config
from .config import ISSUE, ISSUE_AND_ENVIRONMENT
from .panels import (
    Json,
    bars_over_time,
    births,
    dashboard,
    datasource_variable,
    latest,
    latest_increase,
    link,
    loki,
    override,
    panel,
    prometheus,
    query_variable,
    releases,
    stat,
    table,
)

INFO_SERIES = latest("otel_errors_issue_info", ISSUE)
INFO = f"topk(1, {INFO_SERIES})"
NO_ISSUE = "unknown"


def build() -> Json:
    """The dashboard ``otel-errors-issue``."""
    return dashboard(
        config.ISSUE_UID,
        "Errors / Issue",
        description="One issue: its state, its events over time, its latest occurrences.",
        since="now-24h",
        variables=[
            datasource_variable("datasource", "prometheus", "Prometheus"),
            datasource_variable("loki", "loki", "Loki"),
            query_variable(
                "issue",
                "Issue",
                f"query_result(max by (issue_id, title) ({latest('otel_errors_issue_info')}))",
                # Titles to choose by, ids as values. Grafana escapes nothing: a title may hold quotes, and ends at "}.
                regex=r'/issue_id="(?<value>[^"]+)"(?:.*?title="(?<text>.+)"\})?/',
                description="Links to this dashboard set it: /d/otel-errors-issue?var-issue=ID",
            ),
            query_variable(
                "environment",
                "Environment",
                'label_values(otel_errors_issue_events_total{issue_id="$issue"}, environment)',
                everything=True,
            ),
        ],
        annotations=[
            releases(
                f"({latest('otel_errors_release_first_seen_timestamp_seconds')} and on (service_name) {INFO_SERIES})"
            )
        ],
        panels=[*_header(), _info(), _events(), _occurrences()],
    )


def _header() -> list[Json]:
    first = latest("otel_errors_issue_first_seen_timestamp_seconds", ISSUE_AND_ENVIRONMENT)
    last = latest("otel_errors_issue_last_seen_timestamp_seconds", ISSUE_AND_ENVIRONMENT)
    page = link("Open the issue's page", "${__field.labels.url}")
    return [
        stat(
            "Issue",
            f"max by (title, url) ({INFO})",
            description="The issue's title. A click opens its page: stack trace, history, buttons.",
            x=0,
            y=0,
            w=24,
            h=3,
            legend="{{title}}",
            show="name",
            no_value="No such issue in Prometheus: choose one above, or the scrape job is not there yet",
            links=[page],
        ),
        _word(
            "State",
            "state",
            config.STATE_COLORS,
            description="new, regressed, acknowledged, resolved or ignored. Changed on the issue's page.",
            x=0,
        ),
        _word(
            "Severity",
            "severity",
            config.SEVERITY_COLORS,
            description="critical pages, high goes to chat, medium and low to the digest.",
            x=4,
        ),
        stat(
            "First seen",
            f"1000 * min({first})",
            description="Time of the first event in the chosen environments.",
            x=8,
            y=3,
            unit="dateTimeFromNow",
            no_value="never",
        ),
        stat(
            "Last seen",
            f"1000 * max({last})",
            description="Time of the latest event in the chosen environments.",
            x=12,
            y=3,
            unit="dateTimeFromNow",
            no_value="never",
        ),
        stat(
            "Events, total",
            f"sum({latest('otel_errors_issue_events_total', ISSUE_AND_ENVIRONMENT)})",
            description="All events since the first, each counted once, whatever the chosen time.",
            x=16,
            y=3,
        ),
        stat(
            "Users",
            f"sum({latest('otel_errors_issue_users', ISSUE_AND_ENVIRONMENT)})",
            description="Different users (by pseudonym) that met the error; each environment counts for itself.",
            x=20,
            y=3,
        ),
    ]


def _word(title: str, label: str, colors: dict[str, str], *, description: str, x: int) -> Json:
    """Which of several words a label of the issue is, in its colour. A stat colours numbers: the word's place."""
    series = [latest("otel_errors_issue_state", ISSUE, f'{label}="{word}"') for word in colors]
    places = {
        str(place): {"text": word, "color": color, "index": place}
        for place, (word, color) in enumerate(colors.items(), start=1)
    }
    return stat(
        title,
        " or ".join(f"{place} * max({one})" for place, one in enumerate(series, start=1)),
        description=description,
        x=x,
        y=3,
        no_value=NO_ISSUE,
        mappings=[{"type": "value", "options": places}],
    )


def _events() -> Json:
    total = latest("otel_errors_issue_events_total", ISSUE_AND_ENVIRONMENT)
    increase = latest_increase("otel_errors_issue_events_total", ISSUE_AND_ENVIRONMENT, within="$__interval")
    born = births(
        "otel_errors_issue_events_total",
        ISSUE_AND_ENVIRONMENT,
        totals=total,
        first_seen=latest("otel_errors_issue_first_seen_timestamp_seconds", ISSUE_AND_ENVIRONMENT),
        on="issue_id, environment",
    )
    return bars_over_time(
        "Events over time",
        [prometheus(f"sum by (environment) ({born} or {increase})", legend="{{environment}}", exemplar=True)],
        description="Events of each step by environment. Points are single events; a click on one opens its trace.",
        x=0,
        y=11,
        w=24,
        h=8,
        unit="short",
    )


def _occurrences() -> Json:
    return panel(
        "logs",
        "Latest occurrences",
        description=(
            "Each event as otel-errors wrote it to Loki, stack trace included and personal data removed. "
            "Without Loki, the occurrences are on the issue's page."
        ),
        x=0,
        y=19,
        w=24,
        h=14,
        targets=[loki(f'{config.LOKI_STREAM} | issue_id="$issue"')],
        options={
            "showTime": True,
            "showLabels": False,
            "showCommonLabels": False,
            "wrapLogMessage": True,
            "prettifyLogMessage": False,
            "enableLogDetails": True,
            "dedupStrategy": "none",
            "sortOrder": "Descending",
        },
    )


def _info() -> Json:
    columns = ["service_name", "exception_type", "culprit", "first_release", "owner", "team", "url"]
    names = ["Service", "Type", "Raised in", "First release", "Owner", "Team", "Page"]
    return table(
        "About this issue",
        [prometheus(f"max by ({', '.join(columns)}) ({INFO})", table=True)],
        description="What otel-errors knows of the issue; the page has the rest.",
        x=0,
        y=7,
        w=24,
        h=4,
        no_value="No such issue in Prometheus",
        transformations=[
            {"id": "filterFieldsByName", "options": {"include": {"names": columns}}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {},
                    "indexByName": {name: index for index, name in enumerate(columns)},
                    "renameByName": dict(zip(columns, names, strict=True)),
                },
            },
        ],
        overrides=[
            override("Service", custom__width=160),
            override("First release", custom__width=130),
            override("Owner", custom__width=130),
            override("Team", custom__width=130),
            override(
                "Page",
                links=[link("Open the issue's page", "${__value.raw}")],
                mappings=config.OPEN,
                custom__width=70,
            ),
        ],
    )
