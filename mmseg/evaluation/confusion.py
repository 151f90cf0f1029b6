"""Confusion matrices and the scores that follow from them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

SCORES_OF_METRIC = {
    'mIoU': ('IoU', 'Acc'),
    'mDice': ('Dice', 'Acc'),
    'mFscore': ('Fscore', 'Precision', 'Recall'),
    'fwIoU': (),
}


LANES = 64


def confusion_matrix(prediction: Tensor, label: Tensor, num_classes: int, ignore_index: int = 255) -> Tensor:
    """Count pixels by (true class, predicted class).

    Args:
        prediction: (...) class ids.
        label: class ids of the same shape; pixels with ``ignore_index`` are left out.

    Returns:
        (num_classes, num_classes) int64 on the inputs' device, true classes in rows.

    Raises:
        ValueError: an id outside the classes, in either map.
    """
    counts, extremes = count_pixels(prediction, label, num_classes, ignore_index)
    check_extremes(extremes.tolist(), num_classes)
    return counts


def count_pixels(prediction: Tensor, label: Tensor, num_classes: int, ignore_index: int = 255) -> tuple[Tensor, Tensor]:
    """:func:`confusion_matrix` that never waits for the device, so that ids are yet to be checked.

    Returns:
        The matrix, and the (4,) int64 lowest and highest label id and lowest and highest predicted id of the counted
        pixels, for :func:`check_extremes`; the matrix means nothing where these lie outside the classes.
    """
    ignored = label == ignore_index
    extremes = torch.stack([*_extremes(label, ignored), *_extremes(prediction, ignored)])
    cell = label.to(_cell_type(num_classes)) * num_classes + prediction
    # An extra bin for ignored pixels: boolean indexing would need their number on the host.
    cell = cell.clamp(0, num_classes**2).masked_fill_(ignored, num_classes**2)
    return _histogram(cell.flatten(), num_classes**2 + 1)[:-1].view(num_classes, num_classes), extremes


def check_extremes(extremes: Sequence[int], num_classes: int) -> None:
    """Raise a ValueError where the lowest or highest id of :func:`count_pixels` is none of the classes."""
    for what, (low, high) in (('label map', extremes[:2]), ('prediction', extremes[2:])):
        if low < 0 or high >= num_classes:
            wrong = high if high >= num_classes else low
            raise ValueError(f'the {what} holds class id {wrong}, the data set has {num_classes} classes')


def _extremes(ids: Tensor, ignored: Tensor) -> tuple[Tensor, Tensor]:
    if not ids.numel():
        nothing = torch.zeros((), dtype=torch.int64, device=ids.device)
        return nothing, nothing
    low, high = ids.masked_fill(ignored, 0).aminmax()
    return low.long(), high.long()


def _histogram(cell: Tensor, bins: int) -> Tensor:
    if cell.device.type == 'cpu':
        return torch.bincount(cell, minlength=bins)
    # On a GPU bincount reads the largest value on the host.
    return scattered_histogram(cell, bins)


def scattered_histogram(cell: Tensor, bins: int) -> Tensor:
    """How often 0, 1, ..., bins - 1 occur, as int64, without waiting for the device.

    Neighbouring pixels are mostly of one class: they add to counters of their own, which are then added up.

    Args:
        cell: (N,) whole numbers below ``bins``.
    """
    lane = torch.arange(len(cell), device=cell.device) % LANES
    counters = torch.zeros(bins * LANES, dtype=torch.int64, device=cell.device)
    counters.scatter_add_(0, cell * LANES + lane, torch.ones_like(lane))
    return counters.view(bins, LANES).sum(1)


def _cell_type(num_classes: int) -> torch.dtype:
    return torch.int32 if num_classes < 2**15 else torch.int64


def class_scores(matrix: Tensor) -> dict[str, Tensor]:
    """Scores of each class as fractions in float64; 0/0 is NaN.

    With I, P, L the pixels of a class that are right, predicted, labelled:
    IoU = I/(P+L-I), Acc = Recall = I/L, Precision = I/P, Dice = Fscore = 2I/(P+L) (F with beta 1).
    An F-score is NaN where precision or recall is, as it is computed from the two.

    Args:
        matrix: (C, C) pixel counts, true classes in rows.
    """
    matrix = matrix.double()
    right, predicted, labelled = matrix.diag(), matrix.sum(0), matrix.sum(1)
    precision, recall = right / predicted, right / labelled
    return {
        'IoU': right / (predicted + labelled - right),
        'Acc': recall,
        'Dice': 2 * right / (predicted + labelled),
        'Fscore': 2 * precision * recall / (precision + recall),
        'Precision': precision,
        'Recall': recall,
    }


def overall_accuracy(matrix: Tensor) -> Tensor:
    """Share of labelled pixels that are right; NaN if there are none."""
    matrix = matrix.double()
    return matrix.diag().sum() / matrix.sum()


def frequency_weighted_iou(matrix: Tensor) -> Tensor:
    """Mean IoU in which a class weighs as much as its share of the labelled pixels; NaN if there are none."""
    labelled = matrix.double().sum(1)
    iou = class_scores(matrix)['IoU'].nan_to_num(0)
    return (labelled * iou).sum() / labelled.sum()


def present_mean(scores: Tensor, classes: Sequence[int] | None = None) -> Tensor:
    """Mean over classes (all, or those listed) that skips NaN; NaN if nothing is left."""
    chosen = scores if classes is None else scores[list(classes)]
    return torch.nanmean(chosen)
