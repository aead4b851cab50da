"""The Alertmanager configuration as text, valid for 0.25 and newer.

One page for a new critical issue: ``OtelErrorsNewIssue`` (or ``OtelErrorsRegression``) goes to the pager and, while it
fires, inhibits ``OtelErrorsBurst`` of that issue. If nobody acknowledges, ``OtelErrorsUnacknowledged`` pages again by
design, in a group of its own so that it leaves at once and not at the first page's next interval. Only that group
repeats within hours.

Nothing else is inhibited: Alertmanager drops the end of an alert that is inhibited at that moment, and an incident of a
paging tool would stay open for ever.
"""

from __future__ import annotations

from textwrap import indent
from typing import Any

from . import config
from .config import Notifiers
from .yaml_text import commented

_SLACK_TITLE = '{{ template "otel_errors.slack.title" . }}'
_SLACK_TEXT = '{{ template "otel_errors.slack.text" . }}'
_EMAIL_HTML = '{{ template "otel_errors.email.html" . }}'
_EMAIL_TEXT = '{{ template "otel_errors.text" . }}'
_EMAIL_SUBJECT = '{{ template "otel_errors.title" . }}'

_ISSUE = 'issue_id=~".+"'


def alertmanager_text(notifiers: Notifiers) -> str:
    """The content of ``alertmanager.yml``: routes by severity, inhibitions, the receivers of ``notifiers``."""
    return commented(
        [
            (
                "Alertmanager configuration of otel-errors, for Alertmanager 0.25 and newer.\n"
                "Written by `python -m alert_rules.build` (`otel-errors assets export` from an installed package),\n"
                "whose options fill in the receivers at the end.\n"
                "Check with `amtool check-config alertmanager.yml`.",
                {"global": _global(notifiers)},
            ),
            ("Relative to this file.", {"templates": ["templates/*.tmpl"]}),
            (
                "By severity, one word everywhere: critical pages, high goes to chat, medium and low to the digest.",
                {"route": _route(notifiers)},
            ),
            (
                "A critical issue that waits for somebody has paged: that it storms is no second page.",
                {"inhibit_rules": _inhibit_rules()},
            ),
            (
                "A receiver without a notifier is valid: alerts show in Alertmanager and Grafana and reach nobody.",
                {"receivers": []},
            ),
        ]
    ) + "".join(indent(commented([(comment, [receiver])]), "  ") for comment, receiver in _receivers(notifiers))


def _global(notifiers: Notifiers) -> dict[str, Any]:
    values: dict[str, Any] = {"resolve_timeout": "5m"}
    if notifiers.smtp_smarthost:
        values["smtp_smarthost"] = notifiers.smtp_smarthost
        values["smtp_from"] = notifiers.smtp_from
    if notifiers.smtp_username:
        values["smtp_auth_username"] = notifiers.smtp_username
    if notifiers.smtp_password_file:
        values["smtp_auth_password_file"] = notifiers.smtp_password_file
    return values


def _route(notifiers: Notifiers) -> dict[str, Any]:
    def timing(wait: str, interval: str, repeat: str) -> dict[str, str]:
        return {
            "group_wait": notifiers.group_wait or wait,
            "group_interval": notifiers.group_interval or interval,
            "repeat_interval": repeat,
        }

    unacknowledged = f'alertname="{config.UNACKNOWLEDGED}"'
    pager = timing("10s", "1m", "4h")
    return {
        # An alert without a severity that we know is seen in chat, not lost.
        "receiver": config.CHAT,
        "group_by": ["service_name", "issue_id"],
        **timing("30s", "5m", "24h"),
        "routes": [
            {"matchers": [unacknowledged, 'tier="2"'], "receiver": config.ESCALATION, **pager, "continue": True},
            {"matchers": [unacknowledged], "receiver": config.PAGER, **pager},
            # Repeating a critical issue's page is the business of the two above.
            {"matchers": ['severity="critical"', _ISSUE], "receiver": config.PAGER, **timing("10s", "1m", "24h")},
            {"matchers": ['severity="critical"'], "receiver": config.PAGER, **pager},
            {"matchers": ['severity="high"'], "receiver": config.CHAT},
            {
                "matchers": ['severity=~"medium|low"'],
                "receiver": config.DIGEST,
                "group_by": ["service_name"],
                **timing("5m", "1h", "24h"),
            },
        ],
    }


def _inhibit_rules() -> list[dict[str, Any]]:
    waiting = f'alertname=~"{config.NEW_ISSUE}|{config.REGRESSION}|{config.UNACKNOWLEDGED}"'
    return [
        {
            "source_matchers": [waiting, 'severity="critical"', _ISSUE],
            "target_matchers": [f'alertname="{config.BURST}"'],
            "equal": ["issue_id"],
        },
    ]


def _receivers(notifiers: Notifiers) -> list[tuple[str, dict[str, Any]]]:
    pager = _receiver(config.PAGER, webhook=notifiers.pager_webhook, email_to=notifiers.email_to)
    escalation = _receiver(config.ESCALATION, webhook=notifiers.escalation_webhook)
    chat = _receiver(config.CHAT, webhook=notifiers.chat_webhook)
    if notifiers.chat_slack_url_file:
        slack = {
            "api_url_file": notifiers.chat_slack_url_file,
            "send_resolved": True,
            "title": _SLACK_TITLE,
            "text": _SLACK_TEXT,
        }
        slack["title_link"] = '{{ template "otel_errors.link" . }}'
        slack["fallback"] = _SLACK_TITLE
        if notifiers.chat_slack_channel:
            slack["channel"] = notifiers.chat_slack_channel
        chat["slack_configs"] = [slack]
    digest = _receiver(config.DIGEST, email_to=notifiers.digest_email_to)
    return [
        (
            "Wakes somebody: critical issues, once more those that nobody acknowledged.\n"
            "Put webhook_configs, pagerduty_configs … here.",
            pager,
        ),
        ("The next people, besides the pager, when nobody acknowledged for long (tier 2).", escalation),
        ("The team's channel: high. Put slack_configs with api_url_file, discord_configs … here.", chat),
        ("Medium and low: no notifier, or e-mail.", digest),
    ]


def _receiver(name: str, *, webhook: str = "", email_to: str = "") -> dict[str, Any]:
    receiver: dict[str, Any] = {"name": name}
    if webhook:
        receiver["webhook_configs"] = [{"url": webhook, "send_resolved": True}]
    addresses = [address for address in (part.strip() for part in email_to.split(",")) if address]
    if addresses:
        receiver["email_configs"] = [
            {
                "to": ", ".join(addresses),
                "send_resolved": name != config.DIGEST,
                "headers": {"Subject": _EMAIL_SUBJECT},
                "html": _EMAIL_HTML,
                "text": _EMAIL_TEXT,
            }
        ]
    return receiver
