"""Every name, selector and interval of the dashboards, in one place."""

from __future__ import annotations

from typing import Any, Final

OVERVIEW_UID: Final = "otel-errors-overview"
ISSUE_UID: Final = "otel-errors-issue"
"""Fixed for ever: alerts, log lines and people's bookmarks link to them."""
TAGS: Final = ["otel-errors"]
REFRESH: Final = "30s"
SCHEMA_VERSION: Final = 39
"""Of classic dashboards, as Grafana 11.0 writes them; newer ones migrate them in memory. The model after the classic
one cannot be provisioned from files everywhere."""
TIMEZONE: Final = "browser"

PROMETHEUS: Final[dict[str, str]] = {"type": "prometheus", "uid": "${datasource}"}
LOKI: Final[dict[str, str]] = {"type": "loki", "uid": "${loki}"}
"""By variable, never a fixed uid: works when provisioned and when imported, without ``__inputs``."""

SERVICE: Final = 'service_name=~"$service"'
SERVICE_AND_ENVIRONMENT: Final = 'service_name=~"$service", environment=~"$environment"'
ISSUE: Final = 'issue_id="$issue"'
ISSUE_AND_ENVIRONMENT: Final = 'issue_id="$issue", environment=~"$environment"'
REAL_ISSUES: Final = 'issue_id!="other"'
"""``other`` is the sum of issues without series of their own."""
LOKI_STREAM: Final = '{source="otel-errors"}'

STEP: Final = "15s"
"""Resolution of subqueries: the scrape interval, or a little more."""
MIN_INTERVAL: Final = "1m"
"""The smallest step of bars: four scrape intervals."""
TOP_ISSUES: Final = 25

SEVERITY_COLORS: Final = {"critical": "red", "high": "orange", "medium": "yellow", "low": "blue"}
STATE_COLORS: Final = {
    "new": "red",
    "regressed": "orange",
    "acknowledged": "blue",
    "resolved": "green",
    "ignored": "text",
}

DOCS: Final = "https://github.com/otel-errors/otel-errors/blob/main/docs"


def words(colors: dict[str, str]) -> list[dict[str, Any]]:
    """Value mappings that colour words."""
    options = {word: {"color": color, "index": index} for index, (word, color) in enumerate(colors.items())}
    return [{"type": "value", "options": options}]


OPEN: Final[list[dict[str, Any]]] = [
    {"type": "regex", "options": {"pattern": ".+", "result": {"text": "open", "index": 0}}}
]
"""Value mapping that shows an address as one short word."""
