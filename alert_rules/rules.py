"""The Prometheus rules as plain data.

Three habits hold in every expression:

* Store series start with ``max without (instance, pod)``: all replicas answer from one store and agree, a sum would
  multiply. The service's own series start with ``sum``.
* Text (title, link, severity) is joined from ``issue_id:otel_errors_issue_info:one``, which has one series an issue
  by construction. Joined against the info series itself, one issue with two of them (two replicas, a changed title)
  would make the rule fail for *all* issues.
* An alert that inhibits another (alertmanager_config.py) stands before it and ends one evaluation after it.
  Alertmanager hears of alerts one by one: where both ended at once, it could hear first that nothing inhibits any more,
  and page for what has just been acknowledged.

Only functions and syntax of Prometheus 2.42 are used.
"""

from __future__ import annotations

from typing import Any

from . import config
from .config import Rules, seconds

Rule = dict[str, Any]

JOINED = ("title", "exception_type", "severity", "team", "url")
"""Labels that an alert takes from the issue. Not the owner: a change of labels is a new alert, and assigning an issue
must not page again.
"""


def rule_file(rules: Rules) -> dict[str, Any]:
    """The content of ``otel-errors.rules.yml``. One group, because its rules are evaluated in order and at one
    instant.
    """
    return {
        "groups": [
            {
                "name": config.GROUP,
                "interval": rules.evaluation_interval,
                "rules": [
                    _info_one(),
                    _unacknowledged(rules, tier="2", after=rules.escalate_after),
                    _unacknowledged(rules, tier="1", after=rules.unacknowledged_after),
                    _new_issue(rules),
                    _regression(rules),
                    _burst(rules),
                    _down(rules),
                    _dropping(rules),
                ],
            }
        ]
    }


def _store(series: str) -> str:
    return f"max without (instance, pod) ({series})"


EVENTS = _store('otel_errors_issue_events_total{issue_id!="other"}')
FIRST_SEEN = _store("otel_errors_issue_first_seen_timestamp_seconds")
STATE_CHANGED = _store("otel_errors_issue_state_changed_timestamp_seconds")
UNACKNOWLEDGED_CRITICAL = _store('otel_errors_issue_unacknowledged_since_timestamp_seconds{severity="critical"}')


def _state(*states: str) -> str:
    matcher = f'state="{states[0]}"' if len(states) == 1 else f'state=~"{"|".join(states)}"'
    return _store(f"otel_errors_issue_state{{{matcher}}}") + " == 1"


def _indented(expression: str) -> str:
    return "\n".join("  " + line for line in expression.splitlines())


def _described(expression: str, labels: tuple[str, ...] = JOINED) -> str:
    return f"(\n{_indented(expression)}\n)\n* on (issue_id) group_left ({', '.join(labels)}) {config.INFO_ONE}"


def _held(rules: Rules, alert: str, expression: str, extra: str = "") -> str:
    """What fires goes on firing while otel-errors does not answer.

    A failed scrape ends its series at once. Without this, each restart of otel-errors would resolve every alert and
    page again afterwards.
    """
    return (
        f"{expression}\nor\n(\n"
        f'  0 * max without (alertname, alertstate) (ALERTS{{alertname="{alert}", alertstate="firing"{extra}}})\n'
        "  unless on () (\n"
        f"{_indented(_indented(_fresh(rules)))}\n"
        "  )\n"
        ")\n"
    )


def _fresh(rules: Rules) -> str:
    """Present when this query sees what a scrape brought, and the join partners of it too.

    Part of each alert's own query, not a rule of its own: a query sees all of a scrape or nothing of it, but a scrape
    may come in between two rules. For the same reason the recorded info series count: they may be one scrape behind.
    """
    info = _store("otel_errors_issue_info")
    return (
        "(\n"
        # Any of the three: a scrape job of another name must not make alerts last for ever.
        "  max(otel_errors_build_info)\n"
        f'  or max(up{{job="{rules.job}"}} == 1)\n'
        f"  or max({info})\n"
        ")\n"
        f"and on () (max({config.INFO_ONE}) or absent({info}))"
    )


def _info_one() -> Rule:
    labels = "issue_id, service_name, title, exception_type, culprit, first_release, severity, owner, team, url"
    # topk keeps one series an issue where replicas or a changed title leave two.
    expression = f"topk by (issue_id) (1, max by ({labels}) ({_store('otel_errors_issue_info')}))\n"
    return {"record": config.INFO_ONE, "expr": expression}


def _unacknowledged(rules: Rules, *, tier: str, after: str) -> Rule:
    expression = (
        f"time() - {UNACKNOWLEDGED_CRITICAL} > {seconds(after)}\n"
        # The series is gone once acknowledged or ignored; a replica that still shows an old one must not page.
        f"unless on (issue_id) {_state('ignored')}"
    )
    joined = tuple(label for label in JOINED if label not in ("severity", "team"))
    return _alert(
        rules,
        config.UNACKNOWLEDGED,
        _held(rules, config.UNACKNOWLEDGED, _described(expression, joined), f', tier="{tier}"'),
        labels={"tier": tier},
        summary="Nobody has acknowledged: {{ $labels.title }} ({{ $labels.service_name }})",
        description=(
            _unless_held("Critical and without anybody on it for {{ $value | humanizeDuration }}.")
            + " Acknowledge it on its page and this alert ends; "
            + f"tier {tier} fires {after} after the issue became new or came back."
        ),
    )


def _new_issue(rules: Rules) -> Rule:
    window = seconds(rules.new_for)
    # By the first event's time in this environment, and by the time the store made the issue: telemetry that was held
    # up somewhere arrives with old times. A critical issue stays until somebody acknowledges it, so that a page never
    # says "resolved" while nobody has looked.
    expression = (
        "(\n"
        f"  {EVENTS}\n"
        f"  and on (issue_id, environment) time() - {FIRST_SEEN} < {window}\n"
        "  or\n"
        f"  {EVENTS}\n"
        "  and on (issue_id) (\n"
        f"    time() - {STATE_CHANGED} < {window}\n"
        f"    or {UNACKNOWLEDGED_CRITICAL}\n"
        "  )\n"
        ")\n"
        f"and on (issue_id) {_state('new')}"
    )
    return _alert(
        rules,
        config.NEW_ISSUE,
        _held(rules, config.NEW_ISSUE, _described(expression)),
        summary="New: {{ $labels.title }} ({{ $labels.service_name }})",
        description=_seen("An error that {{ $labels.service_name }} did not have before."),
    )


def _regression(rules: Rules) -> Rule:
    events = f"sum without (environment) ({EVENTS})"
    expression = (
        f"{events}\n"
        "and on (issue_id) (\n"
        f"  time() - {STATE_CHANGED} < {seconds(rules.regressed_for)}\n"
        f"  or {UNACKNOWLEDGED_CRITICAL}\n"
        ")\n"
        f"and on (issue_id) {_state('regressed')}"
    )
    return _alert(
        rules,
        config.REGRESSION,
        _held(rules, config.REGRESSION, _described(expression)),
        summary="Came back: {{ $labels.title }} ({{ $labels.service_name }})",
        description=_seen("An issue that was resolved has happened again in {{ $labels.service_name }}."),
    )


def _burst(rules: Rules) -> Rule:
    increase = _store(f'increase(otel_errors_issue_events_total{{issue_id!="other"}}[{rules.burst_within}])')
    # increase() never sees a birth, so an issue first seen within the window counts with its total.
    expression = (
        "(\n"
        f"  {increase} >= {rules.burst_events}\n"
        "  or\n"
        f"  {EVENTS} >= {rules.burst_events}\n"
        f"  and on (issue_id, environment) time() - {FIRST_SEEN} < {seconds(rules.burst_within)}\n"
        ")\n"
        f"unless on (issue_id) {_state('ignored')}\n"
        "unless on (issue_id) (\n"
        f"  {_state('acknowledged', 'resolved')}\n"
        f"  and on (issue_id) time() - {STATE_CHANGED} < {seconds(rules.burst_quiet)}\n"
        ")"
    )
    return _alert(
        rules,
        config.BURST,
        _held(rules, config.BURST, _described(expression)),
        summary="Burst: {{ $labels.title }} ({{ $labels.service_name }})",
        description=_unless_held(
            f"{_COUNT} events within {rules.burst_within}{_IN_ENVIRONMENT}, {rules.burst_events} are a burst."
        ),
    )


def _down(rules: Rules) -> Rule:
    return _alert(
        rules,
        config.DOWN,
        f'absent(up{{job="{rules.job}"}} == 1)\n',
        hold=rules.down_for,
        labels={"severity": "critical"},
        summary="otel-errors does not answer",
        description=(
            f"Prometheus has had no successful scrape of job {rules.job} for {rules.down_for}: "
            "no new issue, burst or regression can be seen."
        ),
    )


def _dropping(rules: Rules) -> Rule:
    dropped, within = "otel_errors_dropped_total", rules.dropping_within
    # A reason that drops for the first time is a new series, whose first drops increase() does not see.
    expression = (
        "sum by (reason, output) (\n"
        f"  increase({dropped}[{within}]) > 0\n"
        "  or\n"
        f"  ({dropped} unless last_over_time({dropped}[{within}] offset {within}))\n"
        ") > 0\n"
    )
    return _alert(
        rules,
        config.DROPPING,
        expression,
        labels={"severity": "high"},
        summary="otel-errors drops telemetry ({{ $labels.reason }})",
        description=(
            f"{_COUNT} items dropped within {rules.dropping_within}"
            "{{ with $labels.output }} on the way to {{ . }}{{ end }}, reason {{ $labels.reason }}."
        ),
    )


_IN_ENVIRONMENT = "{{ with $labels.environment }} in {{ . }}{{ end }}"
_INHIBITING = (config.NEW_ISSUE, config.REGRESSION, config.UNACKNOWLEDGED)

_COUNT = '{{ $value | printf "%.0f" }}'
_NOT_ANSWERING = "otel-errors does not answer at present; this is what was so when it last did."


def _seen(sentence: str) -> str:
    times = f"{{{{ if eq $value 1.0 }}}}once{{{{ else }}}}{_COUNT} times{{{{ end }}}}"
    return _unless_held(f"{sentence} Seen {times}{_IN_ENVIRONMENT}.")


def _unless_held(text: str) -> str:
    # $value is 0 only while the alert is held.
    return f"{{{{ if $value }}}}{text}{{{{ else }}}}{_NOT_ANSWERING}{{{{ end }}}}"


def _alert(
    rules: Rules,
    name: str,
    expression: str,
    *,
    summary: str,
    description: str,
    hold: str = "",
    labels: dict[str, str] | None = None,
) -> Rule:
    about_issue = name not in (config.DOWN, config.DROPPING)
    annotations = {"summary": summary, "description": description, "runbook_url": f"{rules.runbook_url}#{name.lower()}"}
    grafana = rules.grafana_url.rstrip("/")
    if about_issue:
        annotations["issue_url"] = "{{ $labels.url }}"
        annotations["dashboard_url"] = f"{grafana}/d/{config.ISSUE_UID}?var-issue={{{{ $labels.issue_id }}}}"
    else:
        annotations["dashboard_url"] = f"{grafana}/d/{config.OVERVIEW_UID}"
    rule: Rule = {"alert": name, "expr": expression}
    if hold:
        rule["for"] = hold
    if name in _INHIBITING:
        rule["keep_firing_for"] = rules.evaluation_interval
    if labels:
        rule["labels"] = labels
    rule["annotations"] = annotations
    return rule
