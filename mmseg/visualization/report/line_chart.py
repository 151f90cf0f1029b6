"""Lines over iterations as SVG geometry; the template draws it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmseg.visualization.curves import Series
from mmseg.visualization.report.numbers import short

WIDTH, HEIGHT = 380, 220
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 26
MOST_POINTS = 500
# From this ratio of the largest to the smallest value on, losses are drawn on a logarithmic axis.
LOG_RATIO = 40


@dataclass(frozen=True)
class Line:
    """One run's line.

    Attributes:
        run: number of the run, which gives the colour.
        path: of the SVG.
        dots: places of single points: all if there are few, else those without neighbours.
    """

    run: int
    path: str
    dots: list[tuple[float, float]]


@dataclass(frozen=True)
class LineChart:
    """One quantity of all runs over iterations.

    Attributes:
        title: the quantity's name in the log.
        hint: what it is, in words.
        lines: one per run that logged it.
        x_ticks, y_ticks: (place, text).
        hover: what the page's script needs to show values.
        logarithmic: the vertical axis.
    """

    title: str
    hint: str
    lines: list[Line]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    hover: dict[str, Any]
    logarithmic: bool = False
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def line_chart(
    title: str, hint: str, series: Mapping[int, Series], last: int, log_axis: bool = False
) -> LineChart | None:
    """A chart of one quantity.

    Args:
        title: its name.
        hint: what it is.
        series: by number of the run.
        last: iteration at the right end of the axis, the same in all charts of a page.
        log_axis: a logarithmic axis may be used if the values span far.

    Returns:
        None if no run has a finite value.
    """
    thinned = {run: thin(one) for run, one in series.items()}
    finite = [one.values[np.isfinite(one.values)] for one in thinned.values()]
    values = np.concatenate(finite) if finite else np.empty(0)
    if not len(values):
        return None
    logarithmic = log_axis and values.min() > 0 and values.max() / values.min() > LOG_RATIO
    low, high, y_ticks = log_axis_range(values) if logarithmic else linear_axis_range(values)
    last = max(last, 1)

    def x_place(iteration: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * iteration / last

    def y_place(value: float) -> float:
        value = math.log10(value) if logarithmic else value
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)

    lines, hover = [], []
    for run, one in thinned.items():
        places = [
            (round(x_place(i), 1), round(y_place(v), 1)) if math.isfinite(v) else None
            for i, v in zip(one.iterations.tolist(), one.values.tolist(), strict=True)
        ]
        lines.append(Line(run, _path(places), _dots(places)))
        hover.append(
            {'run': run, 'x': one.iterations.tolist(), 'y': [_rounded(value) for value in one.values.tolist()]}
        )
    return LineChart(
        title=title,
        hint=hint,
        lines=lines,
        x_ticks=[(round(x_place(i), 1), short(i)) for i in nice_ticks(0, last, 4) if i <= last],
        y_ticks=[(round(y_place(value), 1), short(value)) for value in y_ticks],
        hover={'last': last, 'left': LEFT, 'right': WIDTH - RIGHT, 'lines': hover},
        logarithmic=bool(logarithmic),
    )


def thin(series: Series, most: int = MOST_POINTS) -> Series:
    """At most so many points: means over neighbours, at their middle; the last point stays as it is."""
    if len(series) <= most:
        return series
    groups = np.array_split(np.arange(len(series) - 1), most - 1)
    iterations = [int(series.iterations[group].mean()) for group in groups]
    values = []
    for group in groups:
        finite = series.values[group][np.isfinite(series.values[group])]
        values.append(finite.mean() if len(finite) else math.nan)
    return Series(np.array([*iterations, series.iterations[-1]]), np.array([*values, series.values[-1]]))


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """About ``count`` round numbers from at or below ``low`` to at or above ``high``."""
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first, final = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, final + 1)]


def linear_axis_range(values: np.ndarray) -> tuple[float, float, list[float]]:
    """Ends and ticks of an axis for these values; zero belongs to it unless they lie far from it."""
    low, high = float(values.min()), float(values.max())
    if 0 < low < 0.6 * high:
        low = 0.0
    if high == low:
        spread = abs(high) * 0.1 or 1.0
        low, high = low - spread, high + spread
    ticks = nice_ticks(low, high, 4)
    return ticks[0], ticks[-1], ticks


def log_axis_range(values: np.ndarray) -> tuple[float, float, list[float]]:
    """Ends as logarithms to base 10, and ticks."""
    low, high = math.floor(math.log10(values.min())), math.ceil(math.log10(values.max()))
    step = max(1, math.ceil((high - low) / 5))
    return low, high, [10.0**power for power in range(low, high + 1, step)]


def _path(places: Sequence[tuple[float, float] | None]) -> str:
    """Moves and lines; a gap where there is no value."""
    parts, drawing = [], False
    for place in places:
        if place is not None:
            parts.append(f'{"L" if drawing else "M"}{place[0]:g} {place[1]:g}')
        drawing = place is not None
    return ''.join(parts)


def _dots(places: Sequence[tuple[float, float] | None]) -> list[tuple[float, float]]:
    few = len(places) <= 30
    padded = [None, *places, None]
    return [
        place
        for before, place, after in zip(padded, places, padded[2:], strict=False)
        if place is not None and (few or (before is None and after is None))
    ]


def _rounded(value: float) -> float | None:
    return float(f'{value:.5g}') if math.isfinite(value) else None
