"""YAML as people want to read it: keys in order, texts of several lines as blocks, comments above sections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def dump(value: Any) -> str:
    """``value`` as YAML text."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


def commented(sections: Iterable[tuple[str, Any]]) -> str:
    """Each section's YAML under its comment. A section with an empty list opens a block that the next sections fill."""
    return "".join(
        "".join(f"# {line}\n" for line in comment.splitlines()) + dump(value).replace(": []\n", ":\n")
        for comment, value in sections
    )
