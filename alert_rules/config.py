"""Every threshold, name and address of the shipped rules and of the Alertmanager configuration, in one place.

Durations are Prometheus' own form (``90s``, ``15m``, ``1h30m``), because that is what people read in the written files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Final
from urllib.parse import urlsplit

GROUP: Final = "otel-errors"
INFO_ONE: Final = "issue_id:otel_errors_issue_info:one"
"""Exactly one info series an issue, whatever replicas or a changed title do: the only safe side to join."""

NEW_ISSUE: Final = "OtelErrorsNewIssue"
BURST: Final = "OtelErrorsBurst"
REGRESSION: Final = "OtelErrorsRegression"
UNACKNOWLEDGED: Final = "OtelErrorsUnacknowledged"
DOWN: Final = "OtelErrorsDown"
DROPPING: Final = "OtelErrorsDropping"

PAGER: Final = "pager"
ESCALATION: Final = "escalation"
CHAT: Final = "chat"
DIGEST: Final = "digest"

OVERVIEW_UID: Final = "otel-errors-overview"
ISSUE_UID: Final = "otel-errors-issue"


class ConfigError(ValueError):
    """A value that cannot be used; the text names it, its value and what is allowed."""


_UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:\d+[wdhms])+")


def seconds(duration: str) -> int:
    """``1h30m`` → 5400. Raises ``ConfigError`` for anything but whole w, d, h, m, s in Prometheus' order."""
    parts = re.findall(r"(\d+)([wdhms])", duration)
    order = [list(_UNITS).index(unit) for _, unit in parts]
    if not _DURATION.fullmatch(duration) or order != sorted(set(order)):
        raise ConfigError(f"{duration!r} is not a duration: 30s, 15m, 1h or 1h30m is needed")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


@dataclass(frozen=True)
class Rules:
    """What makes an alert. Every field is an option of ``python -m alert_rules.build``."""

    new_for: str = "10m"
    """How long an issue counts as new. A critical one stays an alert until somebody acknowledges it."""
    burst_events: int = 10
    burst_within: str = "5m"
    """A burst is ``burst_events`` events of one issue in one environment within this time. Keep it at four scrape
    intervals or more.
    """
    burst_quiet: str = "1h"
    """No burst alert for this long after somebody acknowledged or resolved the issue: acknowledging must never cause
    a page.
    """
    regressed_for: str = "15m"
    """As ``new_for``, for an issue that came back."""
    unacknowledged_after: str = "15m"
    """When a critical issue that nobody acknowledged pages again (tier 1)."""
    escalate_after: str = "1h"
    """When it goes to the next people (tier 2)."""
    down_for: str = "5m"
    dropping_within: str = "15m"
    """How far the look back for dropped telemetry reaches; also how long that alert stays after the last drop."""
    evaluation_interval: str = "15s"
    job: str = "otel-errors"
    """The ``job`` label of the scrape configuration."""
    grafana_url: str = "http://localhost:3000"
    """Where people reach Grafana, for ``dashboard_url``."""
    runbook_url: str = "https://github.com/otel-errors/otel-errors/blob/main/docs/runbooks.md"
    """The page of the runbooks; ``#otelerrorsnewissue`` and so on is appended."""

    def __post_init__(self) -> None:
        for name in (
            "new_for",
            "burst_within",
            "burst_quiet",
            "regressed_for",
            "unacknowledged_after",
            "escalate_after",
            "down_for",
            "dropping_within",
        ):
            _duration(name, getattr(self, name))
        if _duration("evaluation_interval", self.evaluation_interval) == 0:
            raise ConfigError("evaluation_interval: '0s' is not allowed: 1s or more is needed")
        for name in ("burst_within", "dropping_within"):
            if seconds(getattr(self, name)) == 0:
                raise ConfigError(f"{name}: '0s' is not allowed: 1s or more is needed")
        if self.burst_events < 1:
            raise ConfigError(f"burst_events: {self.burst_events} is not allowed: 1 or more is needed")
        if seconds(self.escalate_after) <= seconds(self.unacknowledged_after):
            first = self.unacknowledged_after
            raise ConfigError(f"escalate_after: {self.escalate_after!r} is not after unacknowledged_after ({first!r})")
        if not re.fullmatch(r"[A-Za-z0-9_./:-]+", self.job):
            raise ConfigError(f"job: {self.job!r} is not a job name: letters, digits and _ . / : - are allowed")
        for name in ("grafana_url", "runbook_url"):
            _http_url(name, getattr(self, name))


@dataclass(frozen=True)
class Notifiers:
    """Where alerts go. Without any the configuration is valid and notifies nobody; its comments say where to put
    what.
    """

    pager_webhook: str = ""
    """Gets critical alerts, and tier 1 and 2 of unacknowledged ones."""
    escalation_webhook: str = ""
    """Gets tier 2 besides the pager."""
    chat_slack_url_file: str = ""
    """A file on Alertmanager's machine that holds the Slack incoming webhook; the address is a secret and stays out
    of this file.
    """
    chat_slack_channel: str = ""
    chat_webhook: str = ""
    email_to: str = ""
    """Comma-separated addresses that get critical alerts (``CRITICAL_ERROR_RECIPIENTS``)."""
    digest_email_to: str = ""
    smtp_smarthost: str = ""
    """``host:port``; with ``smtp_from`` needed for e-mail."""
    smtp_from: str = ""
    smtp_username: str = ""
    smtp_password_file: str = ""
    group_wait: str = ""
    """Overrides every route's ``group_wait`` (tests); likewise the next."""
    group_interval: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            if re.search(r"[\x00-\x1f\x7f]", getattr(self, field.name)):
                raise ConfigError(f"{field.name}: {getattr(self, field.name)!r} holds a control character")
        for name in ("pager_webhook", "escalation_webhook", "chat_webhook"):
            if getattr(self, name):
                _http_url(name, getattr(self, name))
        for name in ("email_to", "digest_email_to"):
            for address in filter(None, (part.strip() for part in getattr(self, name).split(","))):
                if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", address):
                    raise ConfigError(
                        f"{name}: {address!r} is not an e-mail address: name@host[, name@host …] is needed"
                    )
        if (self.email_to or self.digest_email_to) and not (self.smtp_smarthost and self.smtp_from):
            raise ConfigError("email_to: e-mail needs smtp_smarthost (host:port) and smtp_from too")
        if self.smtp_smarthost and not re.fullmatch(r"[^\s:]+:\d+|\[[0-9A-Fa-f:]+\]:\d+", self.smtp_smarthost):
            raise ConfigError(f"smtp_smarthost: {self.smtp_smarthost!r} is not host:port")
        if self.chat_slack_channel and not self.chat_slack_url_file:
            raise ConfigError("chat_slack_channel: a channel needs chat_slack_url_file too")
        if self.group_wait:
            _duration("group_wait", self.group_wait)
        if self.group_interval and _duration("group_interval", self.group_interval) == 0:
            raise ConfigError("group_interval: '0s' is not allowed: 1s or more is needed")


def _duration(name: str, value: str) -> int:
    try:
        return seconds(value)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None


def _http_url(name: str, value: str) -> None:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"\s|\{\{", value):
        raise ConfigError(f"{name}: {value!r} is not an address: http://host[:port]/… or https://… is needed")
