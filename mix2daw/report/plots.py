"""Plots as SVG that stretches to its place, with ticks that stay text of the page.

A drawing is 1000 × 1000 units, x to the right, y downwards; lines keep their width however it is stretched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from mix2daw.report.measure import Floats

Tick = tuple[float, str]  # where, in percent from the left or the top, and what is written there


@dataclass(frozen=True)
class Scale:
    """From values to units: `low` at the left or the bottom, `high` at the right or the top."""

    low: float
    high: float
    log: bool = False
    upright: bool = False

    def __call__(self, values: Floats | float) -> Floats:
        """Where values are, held inside."""
        clipped = np.clip(np.asarray(values, np.float64), self.low, self.high)
        if self.log:
            share = np.log(clipped / self.low) / math.log(self.high / self.low)
        else:
            share = (clipped - self.low) / (self.high - self.low)
        units: Floats = 1000 * (1 - share if self.upright else share)
        return units

    def ticks(self, labels: Sequence[tuple[float, str]]) -> tuple[Tick, ...]:
        """Ticks at values."""
        return tuple((float(self(value)) / 10, text) for value, text in labels)


@dataclass(frozen=True)
class Plot:
    """`label`: what it shows, in words, for those who do not see it; `body`: the inside of the SVG; `kind`: a
    class for its size."""

    label: str
    body: Markup
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    kind: str


def line(xs: Floats, ys: Floats, style: str) -> Markup:
    """A polyline; NaN breaks it."""
    path, pen = [], "M"
    for x, y in zip(xs, ys, strict=True):
        if math.isnan(y):
            pen = "M"
            continue
        path.append(f"{pen}{x:.0f} {y:.0f}")
        pen = "L"
    return Markup('<path class="line {}" d="{}"/>').format(style, "".join(path))


def area(xs: Floats, ys: Floats, base: float, style: str) -> Markup:
    """The space between a line and a level; where it is NaN, it is at the level."""
    held = np.where(np.isnan(ys), base, ys)
    points = "".join(f"L{x:.0f} {y:.0f}" for x, y in zip(xs, held, strict=True))
    return Markup('<path class="area {}" d="M{:.0f} {:.0f}{}L{:.0f} {:.0f}z"/>').format(
        style, xs[0], base, points, xs[-1], base
    )


def grid(x_ticks: Sequence[Tick], y_ticks: Sequence[Tick]) -> Markup:
    """Fine lines at the ticks."""
    upright = "".join(f"M{where * 10:.0f} 0V1000" for where, _ in x_ticks)
    level = "".join(f"M0 {where * 10:.0f}H1000" for where, _ in y_ticks)
    return Markup('<path class="grid" d="{}"/>').format(upright + level)


def joined(*parts: Markup) -> Markup:
    """Parts one upon the other, the first at the bottom."""
    return Markup("").join(parts)


def rectangle(x: float, width: float, style: str, title: str) -> Markup:
    """A stretch from top to bottom, with a tooltip."""
    form = '<rect class="{}" x="{:.0f}" y="0" width="{:.0f}" height="1000"><title>{}</title></rect>'
    return Markup(form).format(style, x, width, escape(title))


def time_labels(length_s: float, start_s: float = 0.0) -> list[tuple[float, str]]:
    """Times for about eight ticks."""
    step = next((s for s in (1, 2, 5, 10, 15, 30, 60, 120) if length_s / s <= 9), 300)
    first = math.ceil(start_s / step)
    last = math.floor((start_s + length_s) / step)
    return [(n * step, f"{n * step // 60}:{n * step % 60:02d}") for n in range(first, last + 1)]
