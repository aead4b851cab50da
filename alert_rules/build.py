"""Write the rules and the Alertmanager configuration: ``python -m alert_rules.build [--out DIR] [--check]
[--unacknowledged-after 15m …]``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from .alertmanager_config import alertmanager_text
from .config import ConfigError, Notifiers, Rules
from .rules import rule_file
from .yaml_text import commented

HERE = Path(__file__).resolve().parent
RULES = "rules/otel-errors.rules.yml"
ALERTMANAGER = "alertmanager/alertmanager.yml"
WRITTEN_BY_HAND = ("alertmanager/templates/otel-errors.tmpl", "prometheus/prometheus.yml")
"""Sources beside this file; a build into another folder copies them."""

_HEADER = (
    "Prometheus rules of otel-errors, for Prometheus 2.42 and newer. Written by `python -m alert_rules.build`,\n"
    "whose options change thresholds: change them there, not here. What each alert means: docs/runbooks.md.\n"
    "Check with `promtool check rules otel-errors.rules.yml`."
)


def render(rules: Rules, notifiers: Notifiers) -> dict[str, str]:
    """Relative path → content of every file of a build."""
    files = {RULES: commented([(_HEADER, rule_file(rules))]), ALERTMANAGER: alertmanager_text(notifiers)}
    return files | {name: (HERE / name).read_text(encoding="utf-8") for name in WRITTEN_BY_HAND}


def write(files: dict[str, str], out: Path) -> None:
    """Write ``files`` under ``out``; what is current already is left alone."""
    for name, content in files.items():
        target = out / name
        if not target.is_file() or target.read_text(encoding="utf-8") != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")


def stale(files: dict[str, str], out: Path) -> list[str]:
    """The names of those ``files`` that are absent or different under ``out``."""
    return [
        name
        for name, content in files.items()
        if not (out / name).is_file() or (out / name).read_text(encoding="utf-8") != content
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done or current, 1 not current (``--check``), 2 unusable option."""
    parser = argparse.ArgumentParser(
        prog="python -m alert_rules.build", description="Write Prometheus rules and Alertmanager configuration."
    )
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: this one)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the files are not current")
    for part in (Rules, Notifiers):
        for field in fields(part):
            parser.add_argument(
                "--" + field.name.replace("_", "-"),
                type=type(field.default),
                default=field.default,
                metavar="VALUE",
                help=f"default: {field.default}" if field.default else "default: none",
            )
    options = vars(parser.parse_args(arguments))
    try:
        rules = Rules(**{field.name: options[field.name] for field in fields(Rules)})
        notifiers = Notifiers(**{field.name: options[field.name] for field in fields(Notifiers)})
    except ConfigError as error:
        parser.error(str(error))
    files = render(rules, notifiers)
    if options["check"]:
        old = stale(files, options["out"])
        for name in old:
            sys.stderr.write(f"{options['out'] / name}: not current; run python -m alert_rules.build\n")
        return 1 if old else 0
    write(files, options["out"])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
