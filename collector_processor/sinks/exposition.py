"""``/metrics`` as bytes: OpenMetrics with exemplars for who asks for it, Prometheus text for everybody else.

prometheus-client writes the same bytes (a test compares them) at a fifth of the pace: it escapes and sorts the names of
labels anew for each sample, and with very many open issues there are hundreds of thousands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

_PLAIN_TYPES: Final = {"info": "gauge", "unknown": "untyped"}
_PLAIN_SUFFIXES: Final = {"counter": "_total", "info": "_info"}
_GO_EXPONENT_FROM: Final = 1e6
"""From here on Go, and so everybody, writes numbers with an exponent."""


def is_openmetrics(accept: str) -> bool:
    """Which of the two forms ``accept`` asks for."""
    return "application/openmetrics-text" in accept


def exposition(accept: str, *collectors: Collector) -> tuple[str, bytes]:
    """Content type and body of all families of ``collectors``; ``accept`` is the request's header. Raises what a
    collector raises."""
    # Our names are plain ASCII, so neither versions nor escaping schemes of the header change anything;
    # prometheus-client's own negotiation raises for a version that is no number.
    openmetrics = is_openmetrics(accept)
    lines: list[str] = []
    for collector in collectors:
        for metric in collector.collect():
            lines.append(_head(metric) if openmetrics else _plain_head(metric))
            lines.extend(_samples(metric, exemplars=openmetrics))
    if openmetrics:
        lines.append("# EOF\n")
    return CONTENT_TYPE_LATEST if openmetrics else CONTENT_TYPE_PLAIN_0_0_4, "".join(lines).encode("utf-8")


def _head(metric: Metric) -> str:
    return f"# HELP {metric.name} {_escaped(metric.documentation)}\n# TYPE {metric.name} {metric.type}\n"


def _plain_head(metric: Metric) -> str:
    name = metric.name + _PLAIN_SUFFIXES.get(metric.type, "")
    text = metric.documentation.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {text}\n# TYPE {name} {_PLAIN_TYPES.get(metric.type, metric.type)}\n"


def _samples(metric: Metric, *, exemplars: bool) -> Iterator[str]:
    names: list[str] = []
    beginnings: list[str] = []
    for sample in metric.samples:
        labels = sample.labels
        if labels:
            if len(labels) != len(names) or any(name not in labels for name in names):
                names = sorted(labels)
                beginnings = [f'{"," if number else "{"}{name}="' for number, name in enumerate(names)]
            parts = [sample.name]
            for beginning, name in zip(beginnings, names, strict=True):
                value = labels[name]
                if "\\" in value or '"' in value or "\n" in value:
                    value = _escaped(value)
                parts += (beginning, value, '"')
            head = "".join(parts) + "}"
        else:
            head = sample.name
        tail = _exemplar(sample.exemplar) if exemplars and sample.exemplar else ""
        yield f"{head} {_number(float(sample.value))}{tail}\n"


def _number(value: float) -> str:
    """As ``floatToGoString``, which takes longer than all the rest of a line for a time."""
    if value < _GO_EXPONENT_FROM or not math.isfinite(value):
        return floatToGoString(value)  # type: ignore[no-untyped-call, no-any-return]
    text = repr(value)
    if "e" in text:
        return floatToGoString(value)  # type: ignore[no-untyped-call, no-any-return]
    whole, _, rest = text.partition(".")
    return f"{(whole[0] + '.' + whole[1:] + rest).rstrip('0.')}e+{len(whole) - 1:02d}"


def _exemplar(exemplar: Exemplar) -> str:
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(exemplar.labels.items()))
    time = f" {exemplar.timestamp}" if exemplar.timestamp is not None else ""
    return f" # {{{labels}}} {_number(float(exemplar.value))}{time}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
