"""Errors / Overview: what is open, what is new, who has it, and how much of it there is."""

from __future__ import annotations

from . import config
from .config import REAL_ISSUES, SERVICE, SERVICE_AND_ENVIRONMENT
from .panels import (
    Json,
    bars_over_time,
    births,
    dashboard,
    datasource_variable,
    latest,
    latest_increase,
    link,
    override,
    panel,
    prometheus,
    query_variable,
    releases,
    row,
    stat,
    table,
    text,
    thresholds,
)

EVENTS_BY_SERVICE = f"sum by (service_name) ({latest('otel_errors_events_total', SERVICE_AND_ENVIRONMENT)})"
OPEN = 'state=~"new|regressed|acknowledged"'
ISSUE_DASHBOARD = (
    f"/d/{config.ISSUE_UID}?var-issue=${{__data.fields.issue_id}}"
    "&${datasource:queryparam}&${loki:queryparam}&${environment:queryparam}&${__url_time_range}"
)
# 0 where otel-errors answers and has no such issue, nothing where Prometheus knows nothing of it: "0 open" must not
# hide a missing scrape job.
NONE_IF_ANSWERING = "or 0 * max(otel_errors_build_info)"


def build() -> Json:
    """The dashboard ``otel-errors-overview``."""
    return dashboard(
        config.OVERVIEW_UID,
        "Errors / Overview",
        description="Issues of all services: what is open, new, back, and not yet acknowledged.",
        since="now-24h",
        variables=[
            datasource_variable("datasource", "prometheus", "Prometheus"),
            datasource_variable("loki", "loki", "Loki"),
            query_variable(
                "environment",
                "Environment",
                "label_values(otel_errors_issue_events_total, environment)",
                everything=True,
                description="Counts of issues by state know no environment; all other panels follow it.",
            ),
            query_variable(
                "service", "Service", "label_values(otel_errors_issue_events_total, service_name)", everything=True
            ),
        ],
        annotations=[releases(latest("otel_errors_release_first_seen_timestamp_seconds", SERVICE))],
        panels=[
            *_header(),
            _events_by_service(),
            _open_by_service(),
            _top_issues(),
            _set_up_help(),
        ],
    )


def _header() -> list[Json]:
    open_issues = latest("otel_errors_issues", OPEN, SERVICE)
    regressed = latest("otel_errors_issues", 'state="regressed"', SERVICE)
    first_seen = latest("otel_errors_issue_first_seen_timestamp_seconds", REAL_ISSUES, SERVICE_AND_ENVIRONMENT)
    unacknowledged = "otel_errors_issue_unacknowledged_since_timestamp_seconds"
    critical = latest(unacknowledged, 'severity="critical"', SERVICE)
    any_is_orange = thresholds((None, "green"), (1, "orange"))
    return [
        stat(
            "Open issues",
            f"sum({open_issues}) {NONE_IF_ANSWERING}",
            description="Issues that are new, regressed or acknowledged: not resolved and not ignored.",
            x=0,
            y=0,
        ),
        stat(
            "New in 24 h",
            f"count(count by (issue_id) (time() - {first_seen} < 86400)) {NONE_IF_ANSWERING}",
            description="Issues whose first event in the chosen environments is less than 24 hours old.",
            x=4,
            y=0,
            steps=any_is_orange,
        ),
        stat(
            "Regressed",
            f"sum({regressed}) {NONE_IF_ANSWERING}",
            description="Issues that were resolved and have happened again.",
            x=8,
            y=0,
            steps=any_is_orange,
        ),
        stat(
            "Unacknowledged",
            f"count({latest(unacknowledged, SERVICE)}) {NONE_IF_ANSWERING}",
            description="Issues of any severity that are new or regressed and that nobody has acknowledged.",
            x=12,
            y=0,
            steps=any_is_orange,
        ),
        stat(
            "Critical, unacknowledged",
            f"count({critical}) {NONE_IF_ANSWERING}",
            description="Critical issues without anybody on them. These page, and page again.",
            x=16,
            y=0,
            steps=thresholds((None, "green"), (1, "red")),
        ),
        stat(
            "Events per minute",
            f"sum(60 * rate({EVENTS_BY_SERVICE}[$__rate_interval:{config.STEP}]))",
            description="Error events of the chosen services and environments, and their course over the chosen time.",
            x=20,
            y=0,
            unit="epm",
            spark=True,
        ),
    ]


def _events_by_service() -> Json:
    # Summed before the increase is taken: a type of exception that is new to a service is a new series, whose first
    # events increase() would not see. The totals come from the store and never restart, which makes the sum safe.
    increase = f"increase({EVENTS_BY_SERVICE}[$__interval:{config.STEP}])"
    first_seen = latest("otel_errors_issue_first_seen_timestamp_seconds", REAL_ISSUES, SERVICE_AND_ENVIRONMENT)
    born = births(
        "otel_errors_events_total",
        SERVICE_AND_ENVIRONMENT,
        totals=EVENTS_BY_SERVICE,
        first_seen=f"min by (service_name) ({first_seen})",
        on="service_name",
    )
    return bars_over_time(
        "Events by service",
        [prometheus(f"{born} or {increase}", legend="{{service_name}}", exemplar=True)],
        description="Error events of each step. Points are single events; a click on one opens its trace.",
        x=0,
        y=4,
        w=16,
        h=9,
        unit="short",
    )


def _open_by_service() -> Json:
    return panel(
        "barchart",
        "Open issues by service",
        description="How many issues of each service are new, regressed or acknowledged.",
        x=16,
        y=4,
        w=8,
        h=9,
        targets=[
            prometheus(
                "sum by (service_name, state) (" + latest("otel_errors_issues", OPEN, SERVICE) + ") > 0",
                table=True,
            )
        ],
        transformations=[
            {
                "id": "groupingToMatrix",
                "options": {
                    "rowField": "service_name",
                    "columnField": "state",
                    "valueField": "Value",
                    "emptyValue": "zero",
                },
            }
        ],
        fieldConfig={
            "defaults": {
                "unit": "short",
                "min": 0,
                "noValue": "no open issues",
                "custom": {"fillOpacity": 80, "lineWidth": 0},
            },
            "overrides": [
                override(state, color={"mode": "fixed", "fixedColor": config.STATE_COLORS[state]})
                for state in ("new", "regressed", "acknowledged")
            ],
        },
        options={
            "orientation": "horizontal",
            "stacking": "normal",
            "showValue": "auto",
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    )


def _top_issues() -> Json:
    matchers = f"{REAL_ISSUES}, {SERVICE_AND_ENVIRONMENT}"
    total = latest("otel_errors_issue_events_total", matchers)
    increase = latest_increase("otel_errors_issue_events_total", matchers, within="$__range")
    first_seen = latest("otel_errors_issue_first_seen_timestamp_seconds", matchers)
    # An issue first seen within the range has its total in the range; increase() would miss its first events.
    born = f"({total} and on (issue_id, environment) time() - {first_seen} < $__range_s)"
    info = f"topk by (issue_id) (1, {latest('otel_errors_issue_info', REAL_ISSUES, SERVICE)})"
    columns = ["title", "service_name", "severity", "owner", "first_release", "issue_id", "url"]
    state = f"max by (issue_id, state) ({latest('otel_errors_issue_state', REAL_ISSUES, SERVICE)})"
    return table(
        "Top issues",
        [
            prometheus(f"topk({config.TOP_ISSUES}, sum by (issue_id) ({born} or {increase}) > 0)", table=True, ref="A"),
            prometheus(f"max by ({', '.join(columns)}) ({info})", table=True, ref="B"),
            prometheus(f"topk by (issue_id) (1, {state})", table=True, ref="C"),
            prometheus(f"sum by (issue_id) ({latest('otel_errors_issue_users', matchers)})", table=True, ref="D"),
            prometheus(
                f"1000 * max by (issue_id) ({latest('otel_errors_issue_last_seen_timestamp_seconds', matchers)})",
                table=True,
                ref="E",
            ),
        ],
        description=(
            f"The {config.TOP_ISSUES} issues with most events in the chosen time. The title opens the issue's page "
            "(stack trace, acknowledge, resolve, assign), the id its dashboard."
        ),
        x=0,
        y=13,
        w=24,
        h=13,
        no_value="No issue has events in the chosen time. If you expected some, open the row below.",
        sort_by="Events",
        transformations=[
            {
                "id": "filterFieldsByName",
                "options": {"include": {"names": [*columns, "state", "Value #A", "Value #D", "Value #E"]}},
            },
            {"id": "joinByField", "options": {"byField": "issue_id", "mode": "outerTabular"}},
            {
                "id": "filterByValue",
                "options": {
                    "type": "include",
                    "match": "all",
                    "filters": [{"fieldName": "Value #A", "config": {"id": "isNotNull", "options": {}}}],
                },
            },
            {
                "id": "organize",
                "options": {
                    "excludeByName": {},
                    "indexByName": {
                        name: index
                        for index, name in enumerate(
                            [
                                "state",
                                "title",
                                "service_name",
                                "severity",
                                "Value #A",
                                "Value #D",
                                "Value #E",
                                "owner",
                                "first_release",
                                "issue_id",
                                "url",
                            ]
                        )
                    },
                    "renameByName": {
                        "state": "State",
                        "title": "Title",
                        "service_name": "Service",
                        "severity": "Severity",
                        "Value #A": "Events",
                        "Value #D": "Users",
                        "Value #E": "Last seen",
                        "owner": "Owner",
                        "first_release": "First release",
                        "issue_id": "Issue",
                        "url": "Page",
                    },
                },
            },
        ],
        overrides=[
            override(
                "State",
                mappings=config.words(config.STATE_COLORS),
                custom__cellOptions={"type": "color-text"},
                custom__width=110,
            ),
            override("Title", links=[link("Open the issue's page", "${__data.fields.url}")], custom__minWidth=280),
            override("Service", custom__width=130),
            override(
                "Severity",
                mappings=config.words(config.SEVERITY_COLORS),
                custom__cellOptions={"type": "color-text"},
                custom__width=90,
            ),
            override(
                "Events",
                unit="short",
                decimals=0,
                custom__cellOptions={"type": "gauge", "mode": "gradient"},
                color={"mode": "continuous-BlYlRd"},
                min=0,
                # Without it the gauge ends at the largest number of the whole table, which is a time.
                fieldMinMax=True,
                custom__width=190,
            ),
            override("Users", unit="short", decimals=0, noValue="–", custom__width=80),
            override("Last seen", unit="dateTimeFromNow", custom__width=140),
            override("Owner", custom__width=110),
            override("First release", custom__width=110),
            override("Issue", links=[link("Open the issue's dashboard", ISSUE_DASHBOARD)], custom__width=120),
            override(
                "Page",
                links=[link("Open the issue's page", "${__value.raw}")],
                mappings=config.OPEN,
                custom__width=70,
            ),
        ],
    )


def _set_up_help() -> Json:
    return row(
        "Nothing here? Set-up, and how otel-errors itself is doing",
        y=26,
        collapsed=[
            text(
                "Set-up",
                "1. **Prometheus** must scrape otel-errors: job `otel-errors`, target `host:8080`, path `/metrics` "
                "(an example is beside the shipped rules: `prometheus/prometheus.yml`). "
                "Start it with `--enable-feature=exemplar-storage` for links from events to traces.\n"
                "2. **Choose the data sources** at the top of this page.\n"
                "3. **Send an error**: `otel-errors send-test` prints the page of the issue that it makes.\n"
                "4. **Rules and alerts**: `otel-errors assets export DIR` writes them; see "
                f"[alerting]({config.DOCS}/alerting.md) and the [runbooks]({config.DOCS}/runbooks.md).\n",
                description="What has to be there before this dashboard shows anything.",
                x=0,
                y=27,
                w=12,
                h=8,
            ),
            stat(
                "Replicas that answer",
                "sum(otel_errors_build_info)",
                description="Processes of otel-errors that Prometheus has scraped with success.",
                x=12,
                y=27,
                h=8,
                no_value="none: is the scrape job there?",
                steps=thresholds((None, "red"), (1, "green")),
            ),
            stat(
                "Last error received",
                "1000 * max(" + latest("otel_errors_service_last_received_timestamp_seconds", SERVICE) + ")",
                description="When otel-errors last received an error of the chosen services.",
                x=16,
                y=27,
                h=8,
                unit="dateTimeFromNow",
                no_value="never",
            ),
            stat(
                "Dropped in 24 h",
                "sum(increase(otel_errors_dropped_total[1d])) " + NONE_IF_ANSWERING,
                description="Items that otel-errors gave up: see OtelErrorsDropping in the runbooks.",
                x=20,
                y=27,
                h=8,
                steps=thresholds((None, "green"), (1, "red")),
                links=[link("Runbook", f"{config.DOCS}/runbooks.md#otelerrorsdropping", new_tab=True)],
            ),
        ],
    )
