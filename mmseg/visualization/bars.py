"""A chart of one number per name, as bars from zero, with a dot per run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmseg.visualization.charts import COLOURS, INK, PALE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        name: at its left.
        values: of its runs; the bar is their mean. None at all: ``missing`` stands in its place.
        group: of its colour; groups are named in the legend.
        missing: why there are no values.
    """

    name: str
    values: Sequence[float]
    group: str
    missing: str = ''


def bars_figure(bars: Sequence[Bar], title: str, unit: str) -> Figure:
    """Bars below each other, in their order.

    Args:
        bars: at least one.
        title: above all.
        unit: what the numbers are, below the axis.

    Raises:
        ValueError: nothing to draw.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    if not any(bar.values for bar in bars):
        raise ValueError('a chart of bars needs at least one value')
    figure = Figure(figsize=(8.4, 1.3 + 0.3 * len(bars)), layout='constrained')
    axes = figure.subplots()
    groups = list(dict.fromkeys(bar.group for bar in bars))
    for place, bar in enumerate(bars):
        if not bar.values:
            axes.annotate(bar.missing, (0, place), (4, 0), textcoords='offset points', va='center', fontsize=9,
                          color=PALE)  # fmt: skip
            continue
        colour, mean = COLOURS[groups.index(bar.group) % len(COLOURS)], float(np.mean(bar.values))
        axes.barh(place, mean, height=0.66, color=colour, alpha=0.85)
        if len(bar.values) > 1:
            axes.plot(bar.values, [place] * len(bar.values), 'o', color=INK, markersize=3.5, markeredgewidth=0)
        ends = [0.0, mean, *bar.values]
        end, side = (max(ends), 1) if mean >= 0 else (min(ends), -1)
        text = f'{mean:.0f}'.replace('-', '−')  # as the axis has it
        axes.annotate(text, (end, place), (5 * side, 0), textcoords='offset points', va='center',
                      ha='left' if side > 0 else 'right', fontsize=9.5, color=INK)  # fmt: skip
    axes.axvline(0, color=PALE, linewidth=1)
    axes.set_yticks(range(len(bars)), [bar.name for bar in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.margins(x=0.14)  # room for the numbers
    axes.grid(axis='x', color='#dfe3e8', linewidth=0.8)
    axes.set_axisbelow(True)
    for side_name in ('top', 'right', 'left'):
        axes.spines[side_name].set_visible(False)
    axes.tick_params(labelsize=10, colors=PALE, labelcolor=INK, left=False)
    axes.set_xlabel(unit, fontsize=10, color=PALE, loc='right')
    figure.suptitle(title, fontsize=13, color=INK)
    if len(groups) > 1:
        handles = [
            Line2D([], [], color=COLOURS[number % len(COLOURS)], linewidth=7, alpha=0.85, label=group)
            for number, group in enumerate(groups)
        ]
        figure.legend(handles=handles, loc='outside lower center', ncols=len(groups), frameon=False, fontsize=10)
    return figure
