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
    counted = label != ignore_index
    inside = _inside(prediction, num_classes) & _inside(label, num_classes)
    cell = label.to(_cell_type(num_classes)) * num_classes + prediction
    # Two extra bins, for ids outside the classes and for ignored pixels: boolean indexing would need their number on
    # the host.
    cell = torch.where(counted, torch.where(inside, cell, num_classes**2), num_classes**2 + 1)
    bins = torch.bincount(cell.flatten(), minlength=num_classes**2 + 2)
    if bins[-2]:
        what, ids = ('prediction', prediction) if _inside(label[counted], num_classes).all() else ('label map', label)
        wrong = ids[counted & ~_inside(ids, num_classes)]
        raise ValueError(f'the {what} holds class id {int(wrong.max())}, the data set has {num_classes} classes')
    return bins[:-2].view(num_classes, num_classes)


def _inside(ids: Tensor, num_classes: int) -> Tensor:
    return (ids >= 0) & (ids < num_classes)


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
