"""Thresholds that keep the most confident pixels of each predicted class.

Reference: the rule of ProCA's code (Jiang et al., ECCV 2022; the paper says median), after CBST (Zou et al., 2018).
"""

from __future__ import annotations

import torch
from torch import Tensor

from mmseg.engine.gradient_sync import reduce_sum
from mmseg.structures import IGNORE

BINS = 2**20  # of width 1e-6: a threshold is as exact as a float32 probability deserves


class ClassThresholds:
    """The confidence that a share of each class's pixels stays below, from one pass and without keeping a pixel.

    Args:
        num_classes: C.
        share: q, of the pixels predicted as a class, those that are to be left out.
        cap: no threshold is above this: surer pixels are always kept.
        device: to count on.

    Raises:
        ValueError: for a share or a cap outside 0..1.
    """

    def __init__(
        self, num_classes: int, share: float = 0.6, cap: float = 0.9, device: str | torch.device = 'cpu'
    ) -> None:
        for name, value in (('share', share), ('cap', cap)):
            if not 0 <= value <= 1:
                raise ValueError(f'pseudo-labels: {name} must lie between 0 and 1, got {value}')
        self.share = share
        self.cap = cap
        self.counts = torch.zeros(num_classes, BINS, dtype=torch.int64, device=device)

    def add(self, probabilities: Tensor) -> None:
        """Count the pixels of probabilities (B, C, H, W) by predicted class and confidence."""
        confidence, prediction = probabilities.max(dim=1)
        places = (prediction * BINS + _bins(confidence)).flatten()
        self.counts.view(-1).scatter_add_(0, places, torch.ones_like(places))

    def thresholds(self) -> Tensor:
        """(C,) float64: min(cap, the value at place round(n q) of the class's n sorted confidences); 0 without pixels.

        Halves are rounded to even; a place beyond the last is the last.
        """
        counts = reduce_sum(self.counts)
        total = counts.sum(dim=1)
        place = torch.minimum((total.double() * self.share).round().long(), (total - 1).clamp(min=0))
        bins = torch.searchsorted(counts.cumsum(dim=1), place[:, None], right=True)[:, 0]
        values = ((bins + 0.5) / BINS).double().clamp(max=self.cap)
        return torch.where(total > 0, values, 0.0).cpu()


def hard_labels(probabilities: Tensor, thresholds: Tensor) -> Tensor:
    """(B, H, W) uint8 predictions, 255 where they are in a bin below that of their class's threshold.

    So the pixel that a threshold is the confidence of is kept, as are those within a millionth of it.

    Args:
        probabilities: (B, C, H, W).
        thresholds: (C,).
    """
    confidence, prediction = probabilities.max(dim=1)
    rejected = _bins(confidence) < _bins(thresholds.to(confidence.device))[prediction]
    return prediction.masked_fill(rejected, IGNORE).to(torch.uint8)


def _bins(confidence: Tensor) -> Tensor:
    return (confidence.double() * BINS).long().clamp(0, BINS - 1)
