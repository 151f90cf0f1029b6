"""Charts of runs: curves over iterations, and the scores of classes side by side."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mmseg.visualization.curves import Series, smoothed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which people with any kind of colour vision tell apart; the pale yellow is left out.
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00', '#000000')
DASHES = ('-', '--', ':', '-.')
MARKERS = 'osD^vPX'
INK, PALE = '#20242a', '#707680'
SEED = re.compile(r'[_-](?:s|seed)[_-]?\d+$')
LABELLED_ENDS = 5
"""In a panel with at most so many curves their last values stand at their ends."""


@dataclass(frozen=True)
class Curve:
    """One line of a panel.

    Attributes:
        name: of the run, or of the runs that differ in their seed.
        members: a series per run; several are drawn as their mean and range.
    """

    name: str
    members: Sequence[Series]


def group_names(names: Sequence[str]) -> list[str]:
    """Names of runs without their seed (``daformer_s0`` and ``daformer_s1`` are both ``daformer``)."""
    return [SEED.sub('', name) or name for name in names]


def mean_and_range(members: Sequence[Series]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Iterations that all series have, and there their mean, lowest and highest value; each (N,).

    Raises:
        ValueError: they have none in common.
    """
    common = members[0].iterations
    for series in members[1:]:
        common = np.intersect1d(common, series.iterations)
    if not len(common):
        raise ValueError('runs to be averaged have no logged iteration in common')
    values = np.stack([series.values[np.isin(series.iterations, common)] for series in members])
    return common, values.mean(axis=0), values.min(axis=0), values.max(axis=0)


def curves_figure(
    panels: Mapping[str, Sequence[Curve]],
    smooth: Mapping[str, float] | None = None,
    title: str = '',
    columns: int | None = None,
) -> Figure:
    """A panel per value, in each a curve per run; a run has one colour in all panels.

    Args:
        panels: curves by the value's name.
        smooth: weight of the past in a value's moving average; what was logged stays visible, pale.
        title: above all.
        columns: of panels; None = at most three.

    Raises:
        ValueError: nothing to draw.
    """
    from matplotlib.figure import Figure

    if not panels:
        raise ValueError('a figure of curves needs at least one panel')
    if columns is None:
        columns = {1: 1, 2: 2, 4: 2}.get(len(panels), 3 if len(panels) < 10 else 4)
    rows = math.ceil(len(panels) / columns)
    names = list(dict.fromkeys(curve.name for curves in panels.values() for curve in curves))
    # A single panel would be too small to name its curves in.
    width = 8.0 if columns == 1 else 5.2 * columns
    figure = Figure(figsize=(width, 3.5 * rows + 0.25 * _legend_rows(names, width) + 0.5), layout='constrained')
    all_axes = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).flatten()
    for axes, (value, curves) in zip(all_axes, panels.items(), strict=False):
        ends = [_draw(axes, curve, names.index(curve.name), (smooth or {}).get(value, 0)) for curve in curves]
        _finish(axes, value)
        if not any(np.isfinite(series.values).any() for curve in curves for series in curve.members):
            axes.text(0.5, 0.5, 'not a number at any time', transform=axes.transAxes, ha='center', color=PALE)
        if len(ends) <= LABELLED_ENDS:
            _label_ends(axes, ends)
    for axes in all_axes[len(panels) :]:
        axes.set_axis_off()
    _legend(figure, names, title)
    return figure


def classes_figure(scores: Mapping[str, Sequence[Mapping[str, float]]], score: str = 'IoU', title: str = '') -> Figure:
    """The classes' scores of several runs: a dot per run, over the class; of several seeds their mean and range.

    Args:
        scores: for each run, or group of runs with different seeds, the scores in percent by class name.
        score: its name.
        title: above all.

    Raises:
        ValueError: nothing to draw.
    """
    from matplotlib.figure import Figure

    classes = list(dict.fromkeys(label for members in scores.values() for member in members for label in member))
    if not classes:
        raise ValueError('a figure of class scores needs at least one class')
    names = list(scores)
    figure = Figure(figsize=(max(7.0, 1.6 + 0.62 * len(classes)), 4.4), layout='constrained')
    axes = figure.subplots()
    step = min(0.16, 0.7 / len(names))
    for number, (name, members) in enumerate(scores.items()):
        values = np.array([[member.get(label, math.nan) for label in classes] for member in members], np.float64)
        places = np.arange(len(classes)) + (number - (len(names) - 1) / 2) * step
        counted = (~np.isnan(values)).sum(axis=0)
        mean = np.where(counted > 0, np.nansum(values, axis=0) / np.maximum(counted, 1), math.nan)
        style = {'color': _colour(number), 'marker': _marker(number)}
        if len(members) > 1:
            low, high = np.fmin.reduce(values), np.fmax.reduce(values)
            axes.vlines(places, low, high, color=_colour(number), linewidth=1.6, alpha=0.6)
        axes.plot(places, mean, linestyle='', markersize=6.5, markeredgecolor='white', markeredgewidth=0.7, label=name,
                  **style)  # fmt: skip
    for edge in range(1, len(classes)):
        axes.axvline(edge - 0.5, color='#eceef1', linewidth=1, zorder=0)
    axes.set_xticks(range(len(classes)), classes, rotation=38, ha='right', rotation_mode='anchor')
    axes.set_xlim(-0.5, len(classes) - 0.5)
    _finish(axes, f'{score} per class in %', iterations=False)
    axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    _legend(figure, names, title, dots=True)
    return figure


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _marker(number: int) -> str:
    return MARKERS[number % len(MARKERS)]


def _dash(number: int) -> str:
    return DASHES[number // len(COLOURS) % len(DASHES)]


def _draw(axes: Axes, curve: Curve, number: int, smooth: float) -> tuple[float, float, str]:
    """Draws a curve; returns where it ends, and its colour."""
    style: dict[str, Any] = {'color': _colour(number), 'linestyle': _dash(number)}
    if smooth:
        for series in curve.members:
            axes.plot(series.iterations, series.values, linewidth=0.8, alpha=0.25, zorder=1.5, **style)
    members = [smoothed(series, smooth) for series in curve.members]
    iterations, mean, low, high = mean_and_range(members)
    if len(members) > 1:
        axes.fill_between(iterations, low, high, color=_colour(number), alpha=0.16, linewidth=0)
    # Few points, such as validations, are shown as such: a line alone would say more than was measured.
    few = len(iterations) <= 20
    axes.plot(iterations, mean, linewidth=1.8, marker='o' if few else '', markersize=4.5, label=curve.name, **style)
    return float(iterations[-1]), float(mean[-1]), _colour(number)


def _label_ends(axes: Axes, ends: Sequence[tuple[float, float, str]], height: float = 0.065) -> None:
    """Last values at the right, moved apart where they would touch; ``height`` of a label in panel heights."""
    low, high = axes.get_ylim()
    ends = sorted((end for end in ends if math.isfinite(end[1])), key=lambda end: end[1])
    wanted = [(value - low) / (high - low) for _, value, _ in ends]
    places: list[float] = []
    for place in wanted:
        places.append(max(place, places[-1] + height) if places else place)
    shift = float(np.mean(np.subtract(places, wanted))) if places else 0.0
    if places:
        shift = min(shift, places[0] - height / 2)  # the lowest stays above the axis
    for place, (x, value, colour) in zip(places, ends, strict=True):
        axes.annotate(
            _short(value),
            (x, low + (place - shift) * (high - low)),
            (6, 0),
            textcoords='offset points',
            va='center',
            fontsize=9.5,
            color=colour,
            annotation_clip=False,
        )


def _short(value: float) -> str:
    if abs(value) >= 10 or value == 0:
        return f'{value:.1f}'
    return f'{value:.3g}' if abs(value) >= 1e-3 else f'{value:.1e}'


def _finish(axes: Axes, title: str, iterations: bool = True) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_title(title, fontsize=12, color=INK, loc='left')
    axes.grid(axis='both' if iterations else 'y', color='#dfe3e8', linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ('top', 'right'):
        axes.spines[side].set_visible(False)
    for side in ('left', 'bottom'):
        axes.spines[side].set_color('#b8bec6')
    axes.tick_params(labelsize=10, colors=PALE, labelcolor=INK)
    if max(map(abs, axes.get_ylim())) < 2e-3:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:.1e}' if value else '0'))
    if iterations:
        unit, scale = ('k', 1e-3) if axes.get_xlim()[1] >= 1e4 else ('', 1)
        axes.set_xlabel('iteration', fontsize=10.5, color=PALE)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value * scale:g}{unit if value else ""}'))


def _legend_columns(names: Sequence[str], width: float) -> int:
    """Entries that fit side by side into so many inches."""
    entry = 0.75 + 0.088 * max(len(name) for name in names)
    return min(len(names), max(1, int(width / entry)))


def _legend_rows(names: Sequence[str], width: float) -> int:
    return math.ceil(len(names) / _legend_columns(names, width)) if len(names) > 1 else 0


def _legend(figure: Figure, names: Sequence[str], title: str, dots: bool = False) -> None:
    """Names of the runs above the panels, or below them where the title stands above."""
    from matplotlib.lines import Line2D

    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=0.12, h_pad=0.1)  # room for the numbers at the curves' ends
    if title:
        figure.suptitle(title, fontsize=13, color=INK)
    if len(names) < 2:
        return
    styles: list[dict[str, Any]] = [
        {'linestyle': '', 'marker': _marker(number), 'markersize': 7} if dots else {'linestyle': _dash(number)}
        for number in range(len(names))
    ]
    lines = [
        Line2D([], [], color=_colour(number), linewidth=2.4, label=name, **styles[number])
        for number, name in enumerate(names)
    ]
    place = 'outside lower center' if title else 'outside upper center'
    columns = _legend_columns(names, figure.get_figwidth())
    figure.legend(handles=lines, loc=place, ncols=columns, frameon=False, fontsize=10.5)
