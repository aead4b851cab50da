"""Trends as inline SVG, drawn here so that a page needs no script. Only numbers and times go in; colours come from the
style sheet by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from collector_processor.api.times import moment

SPARK_WIDTH: Final = 96
SPARK_HEIGHT: Final = 24
CHART_WIDTH: Final = 720
CHART_HEIGHT: Final = 132
_LEFT: Final = 40
_BOTTOM: Final = 20
_TOP: Final = 10


def sparkline(counts: Sequence[int], *, label: str) -> Markup:
    """Bars, oldest left, scaled to their own largest. ``label`` says in words what a screen reader should say."""
    top = max(counts, default=0)
    step = SPARK_WIDTH / max(len(counts), 1)
    bars = [
        Markup('<rect x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>').format(
            index * step,
            SPARK_HEIGHT - 1 - _height(count, top, SPARK_HEIGHT - 2),
            max(step - 1, 0.5),
            _height(count, top, SPARK_HEIGHT - 2),
        )
        for index, count in enumerate(counts)
        if count > 0
    ]
    return Markup(
        '<svg class="sparkline" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">'
        '<line class="base" x1="0" x2="{w}" y1="{y}" y2="{y}"/>{bars}</svg>'
    ).format(w=SPARK_WIDTH, h=SPARK_HEIGHT, y=SPARK_HEIGHT - 0.5, label=label, bars=Markup("").join(bars))


def trend_chart(points: Sequence[tuple[float, int]], *, bucket_seconds: float, label: str) -> Markup:
    """A bar per (bucket start in seconds, count), with a scale at the left and times below; hovering a bar tells its
    time and count."""
    top = nice_ceiling(max((count for _, count in points), default=0))
    width, height = CHART_WIDTH - _LEFT, CHART_HEIGHT - _BOTTOM - _TOP
    step = width / max(len(points), 1)
    parts = []
    for share in (0.0, 0.5, 1.0):
        value = top * share
        y = _TOP + height * (1 - share)
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(_LEFT, CHART_WIDTH, y, y)
        )
        if value == int(value):
            parts.append(
                Markup('<text class="scale" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
                    _LEFT - 6, y + 3.5, short_number(int(value))
                )
            )
    for index, (start, count) in enumerate(points):
        x, bar = _LEFT + index * step, _height(count, top, height)
        title = Markup("<title>{}: {:,}</title>").format(_when(start, "%Y-%m-%d %H:%M UTC"), count)
        # The whole column reacts to the pointer, also where the bar is low or missing.
        parts.append(
            Markup(
                '<g class="column">{}<rect class="hover" x="{:.2f}" y="{}" width="{:.2f}" height="{}"/>'
                '<rect class="bar" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}" rx="1"/></g>'
            ).format(title, x, _TOP, step, height, x + step * 0.1, _TOP + height - bar, step * 0.8, bar)
        )
    for x, text in _time_marks(points, step, bucket_seconds):
        parts.append(
            Markup('<text class="scale" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                _LEFT + x, CHART_HEIGHT - 5, text
            )
        )
    return Markup('<svg class="trend" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">{parts}</svg>').format(
        w=CHART_WIDTH, h=CHART_HEIGHT, label=label, parts=Markup("").join(parts)
    )


def _time_marks(points: Sequence[tuple[float, int]], step: float, bucket_seconds: float) -> list[tuple[float, str]]:
    """Where on the time axis which text stands: hours for a day, else the beginnings of days, at most about eight."""
    by_day = bucket_seconds * len(points) > 86_400 * 1.5
    pattern = "%b %d" if by_day else "%H:00"
    texts = [_when(start, pattern) for start, _ in points]
    changes = [index for index in range(1, len(points)) if texts[index] != texts[index - 1]]
    chosen = changes[:: -(-len(changes) // 8) or 1]
    width = step * len(points)
    return [(index * step, texts[index]) for index in chosen if 20 < index * step < width - 20]


def nice_ceiling(value: int) -> int:
    """The next 1, 2, 5 × 10ⁿ that is not below ``value``, at least 1: a scale that people can read."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power >= value:
                return digit * power
        power *= 10


def short_number(value: int) -> str:
    """``987``, ``12.3k``, ``4.1M``."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if value >= size:
            text = f"{value / size:.1f}".removesuffix(".0")
            return text + unit
    return str(value)


def _height(count: int, top: int, room: float) -> float:
    """A bar's height; one event among thousands stays visible."""
    return 0.0 if count <= 0 or top <= 0 else max(room * min(count / top, 1.0), 1.5)


def _when(seconds: float, pattern: str) -> str:
    when = moment(seconds)
    return when.strftime(pattern) if when is not None else "?"
