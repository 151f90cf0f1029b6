"""Geometry of a confusion matrix as SVG; the template draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmseg.visualization.report.confusion_section import Cell, cells

# Beyond so many classes squares are too small for numbers.
MOST_WITH_NUMBERS = 32
LETTER = 6.3


@dataclass(frozen=True)
class HeatMap:
    """Rows are true classes, columns predictions.

    Attributes:
        names: of the classes.
        cells: the squares to draw.
        cell: side of a square.
        left, top: room for the names.
        numbers: whether squares hold their percentage.
    """

    names: Sequence[str]
    cells: list[Cell]
    cell: float
    left: float
    top: float
    numbers: bool

    @property
    def side(self) -> float:
        """Of the whole square."""
        return self.cell * len(self.names)

    @property
    def width(self) -> float:
        """Of the drawing; names of columns lean to the right, over the edge."""
        return round(self.left + self.side + max(0.5 * self.top - self.cell / 2, 8))

    @property
    def height(self) -> float:
        return round(self.top + self.side + 24)

    @property
    def least_width(self) -> int:
        """Below it the page scrolls, as the text would be too small."""
        return round(0.72 * self.width)


def heat_map(matrix: np.ndarray, names: Sequence[str]) -> HeatMap:
    """The drawing of a (C, C) matrix of pixel counts."""
    cell = 30.0 if len(names) <= MOST_WITH_NUMBERS else max(8.0, 900 / len(names))
    cell = max(cell, min(64.0, 260 / len(names)))
    longest = LETTER * max(map(len, names))
    return HeatMap(
        names=[*names],
        cells=cells(matrix),
        cell=round(cell, 1),
        left=round(longest + 30),
        top=round(0.87 * longest + 16),
        numbers=len(names) <= MOST_WITH_NUMBERS,
    )
