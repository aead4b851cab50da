"""PromQL expressions as trees for the tests of rules and dashboards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser

_MACROS = (
    (r"\$__rate_interval\b", "5m"),
    (r"\$__interval\b", "1m"),
    (r"\$__interval_ms\b", "60000"),
    (r"\$__range_s\b", "3600"),
    (r"\$__range\b", "1h"),
)


def parse(expression: str) -> Any:
    """The tree of ``expression`` once Grafana's macros are values; raises ``ValueError`` where it is not PromQL."""
    for pattern, value in _MACROS:
        expression = re.sub(pattern, value, expression)
    return promql_parser.parse(expression)


@dataclass(frozen=True)
class Selector:
    """One vector selector with what stands around it, outermost first."""

    name: str
    labels: tuple[str, ...]
    around: tuple[Any, ...]

    def functions(self) -> list[str]:
        """Names of the functions around, innermost first."""
        return [node.func.name for node in reversed(self.around) if isinstance(node, promql_parser.Call)]

    def first_aggregation(self) -> tuple[str, frozenset[str], str] | None:
        """The innermost aggregation around: operation, labels, ``by`` or ``without``."""
        for node in reversed(self.around):
            if isinstance(node, promql_parser.AggregateExpr):
                kind = "" if node.modifier is None else str(node.modifier.type).rpartition(".")[2].lower()
                return str(node.op), frozenset(node.modifier.labels if node.modifier else ()), kind
        return None


def selectors(tree: Any, around: tuple[Any, ...] = ()) -> Iterator[Selector]:
    """Every vector selector of ``tree``."""
    if isinstance(tree, promql_parser.VectorSelector):
        name = tree.name or ""
        yield Selector(name, tuple(matcher.name for matcher in tree.matchers.matchers), around)
        return
    for child in children(tree):
        yield from selectors(child, (*around, tree))


def children(node: Any) -> Iterator[Any]:
    """The nodes directly below."""
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        child = getattr(node, name, None)
        if child is not None and not isinstance(child, (int, float, str)):
            yield child
    yield from getattr(node, "args", None) or ()


def nodes(tree: Any) -> Iterator[Any]:
    """``tree`` and everything below."""
    yield tree
    for child in children(tree):
        yield from nodes(child)
