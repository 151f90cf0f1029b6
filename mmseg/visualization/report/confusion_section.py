"""Confusion matrices: a heat map per run, and in words what is taken for what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmseg.evaluation.result_file import Result

MOST_PAIRS = 8
# Confusions of classes with fewer labelled pixels than this share of all are chance.
LEAST_SHARE = 1e-4
# Cells below this share of their row stay empty: the page would hold classes x classes marks.
LEAST_SHOWN = 0.005


@dataclass(frozen=True)
class Cell:
    """A square of the heat map.

    Attributes:
        row, column: numbers of the true and the predicted class.
        share: of the true class's pixels, 0..1.
        count: of pixels.
    """

    row: int
    column: int
    share: float
    count: int

    @property
    def right(self) -> bool:
        """On the diagonal."""
        return self.row == self.column

    @property
    def opacity(self) -> float:
        """Of its colour; the root lifts small shares, which are many."""
        return round(self.share**0.6, 3)

    @property
    def text(self) -> str:
        """Percent; a full stop of digits would not fit."""
        return f'{100 * self.share:.0f}'


@dataclass(frozen=True)
class Confusion:
    """Pixels of one class that are called another.

    Attributes:
        truth, called: the classes.
        share: of the true class's pixels, 0..1.
        count: of pixels.
        before: the same share in the first run; None for the first run itself, or if it does not tell.
    """

    truth: str
    called: str
    share: float
    count: int
    before: float | None


def row_shares(matrix: np.ndarray) -> np.ndarray:
    """Pixel counts divided by their row's sum, (C, C) in 0..1; 0 in rows without labelled pixels."""
    labelled = matrix.sum(axis=1, keepdims=True)
    return np.divide(matrix, labelled, out=np.zeros(matrix.shape), where=labelled > 0)


def cells(matrix: np.ndarray) -> list[Cell]:
    """The squares of a heat map that are worth a mark."""
    shares = row_shares(matrix)
    rows, columns = np.nonzero(shares >= LEAST_SHOWN)
    return [
        Cell(row, column, float(shares[row, column]), int(matrix[row, column]))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    ]


def strongest_confusions(result: Result, first: Result | None, by: str = 'share') -> list[Confusion]:
    """The worst confusions of a run.

    Args:
        result: with a confusion matrix.
        first: the run to compare with; None: nothing to compare.
        by: ``share`` of the true class's pixels, or ``count`` of pixels.

    Raises:
        ValueError: the result has no matrix.
    """
    matrix = result.confusion
    if matrix is None:
        raise ValueError(f'{result.path}: holds no confusion matrix')
    shares, labelled = row_shares(matrix), matrix.sum(axis=1)
    wrong = ~np.eye(len(matrix), dtype=bool) & (matrix > 0)
    if by == 'share':
        wrong &= (labelled >= LEAST_SHARE * labelled.sum())[:, None]
    rows, columns = np.nonzero(wrong)
    values = shares[rows, columns] if by == 'share' else matrix[rows, columns]
    order = np.argsort(-values, kind='stable')[:MOST_PAIRS]
    before = _shares_by_name(first)
    names = result.classes
    return [
        Confusion(
            truth=names[row],
            called=names[column],
            share=float(shares[row, column]),
            count=int(matrix[row, column]),
            before=before.get((names[row], names[column])),
        )
        for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True)
    ]


def absent_classes(result: Result) -> list[str]:
    """Classes without a single labelled pixel."""
    if result.confusion is None:
        return []
    labelled = result.confusion.sum(axis=1)
    return [name for name, count in zip(result.classes, labelled.tolist(), strict=True) if count == 0]


def _shares_by_name(result: Result | None) -> dict[tuple[str, str], float]:
    if result is None or result.confusion is None:
        return {}
    shares = row_shares(result.confusion)
    names: Sequence[str] = result.classes
    return {
        (truth, called): float(shares[row, column])
        for row, truth in enumerate(names)
        for column, called in enumerate(names)
    }
