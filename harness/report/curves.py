"""Measured curves as pictures: inline SVG that prints, scales, and can be told without colours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.series import Point, Series

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 680, 260, 62, 14, 14, 40
MOST_POINTS = 500
STYLES = ("", "7 4", "2 3", "10 3 2 3", "5 2 1 2 1 2")
"""Dash patterns: a curve is told by its dashes as well as by its colour."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Values ``low`` to ``high`` on pixels ``start`` to ``end``, with ticks at round values."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the pixel of a value."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> tuple[float, ...]:
        """Return round values within the scale, about five."""
        step = _round_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return tuple(round(n * step, 10) for n in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class Curve:
    """One series as a template draws it: a path of pixels."""

    name: str
    path: str
    dashes: str
    number: int


@dataclass(frozen=True, slots=True)
class Picture:
    """All curves of one unit over one axis. ``told`` says it in words for who does not see it."""

    unit: str
    over: str
    x: Scale
    y: Scale
    curves: tuple[Curve, ...]
    told: str


def pictures(series: Iterable[Series]) -> tuple[Picture, ...]:
    """Return one picture for each unit and axis, in the order in which they first come."""
    groups: dict[tuple[str, str], list[Series]] = {}
    for one in series:
        if one.points:
            groups.setdefault((one.unit, one.over), []).append(one)
    return tuple(_picture(unit, over, alike) for (unit, over), alike in groups.items())


def label(value: float) -> str:
    """Return a tick's text: ``1,536``, ``0.25``."""
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def _picture(unit: str, over: str, alike: Sequence[Series]) -> Picture:
    xs = [x for one in alike for x, _ in one.points]
    ys = [y for one in alike for _, y in one.points]
    x = _scale(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    y = _scale(min(0.0, *ys), max(ys), HEIGHT - BOTTOM, TOP)
    curves = tuple(
        Curve(one.name, _path(one.points, x, y), STYLES[n % len(STYLES)], n % 5)
        for n, one in enumerate(alike)
    )
    return Picture(unit, over, x, y, curves, "; ".join(_told(one) for one in alike))


def _scale(low: float, high: float, start: float, end: float) -> Scale:
    if high <= low:
        high = low + 1
    step = _round_step((high - low) / 5)
    return Scale(math.floor(low / step) * step, math.ceil(high / step) * step, start, end)


def _round_step(rough: float) -> float:
    power: float = 10 ** math.floor(math.log10(rough))
    return next(n * power for n in (1, 2, 2.5, 5, 10) if n * power >= rough * 0.999)


def _path(points: Sequence[Point], x: Scale, y: Scale) -> str:
    every = math.ceil(len(points) / MOST_POINTS)
    drawn = [*points[::every], points[-1]] if every > 1 else points
    return "M" + " L".join(f"{x.at(a)} {y.at(b)}" for a, b in drawn)


def _told(one: Series) -> str:
    values = [y for _, y in one.points]
    span = f"from {label(round(values[0], 2))} to {label(round(values[-1], 2))} {one.unit}"
    return (
        f"{one.name}: {span}, lowest {label(round(min(values), 2))},"
        f" highest {label(round(max(values), 2))}, {len(values)} samples"
    )
