"""Pseudo-labels: what the teacher sees in the target images, and how far to believe it."""

from __future__ import annotations

import logging
from typing import NamedTuple

import torch
from mmengine.logging import print_log
from torch import Tensor

from mmseg.engine.gradient_sync import reduce_mean
from mmseg.models.precision import at_least_float32
from mmseg.models.uda.components.distillation import HardTargets, hard_targets

WEIGHTINGS = ('batch', 'pixel', 'none')


class PseudoLabels(NamedTuple):
    """Labels and weights of target images.

    Attributes:
        labels: (B, H, W) int64, the likeliest class.
        weight: (B, H, W) float, how much a pixel counts in the loss.
    """

    labels: Tensor
    weight: Tensor


class JudgedLabels(NamedTuple):
    """Pseudo-labels before margins are taken off.

    Attributes:
        labels: (B, H, W) int64.
        weight: (B, H, W) float.
        confident: (B, H, W) bool, where the confidence reaches the threshold.
    """

    labels: Tensor
    weight: Tensor
    confident: Tensor


def quality(confidence: Tensor, threshold: float) -> Tensor:
    """Share of the pixels, of the whole batch on all processes, whose confidence reaches the threshold; a scalar.

    Args:
        confidence: (B, H, W) probability of the likeliest class.
        threshold: tau of DACS, equation 4.
    """
    return reduce_mean((confidence >= threshold).to(confidence.dtype).mean())


def without_margins(weight: Tensor, top: int, bottom: int) -> Tensor:
    """``weight`` (B, H, W) with its first ``top`` and last ``bottom`` rows set to 0."""
    rows = torch.arange(weight.shape[1], device=weight.device)
    kept = (rows >= top) & (rows < weight.shape[1] - bottom)
    return weight * kept[:, None]


class PseudoLabeler:
    """Turns teacher scores into pseudo-labels and their weights.

    Args:
        threshold: tau; None trusts every pixel (weight 1).
        ignore_top: rows at the top of the crop that count nothing (rectification artefacts).
        ignore_bottom: rows at its bottom (the ego vehicle's bonnet).
        weighting: ``batch``: one number for the whole batch, the share of pixels that reach the threshold (DACS,
            DAFormer); ``pixel``: 1 where the pixel reaches it, else 0; ``none``: 1 everywhere.

    Raises:
        ValueError: for a weighting that does not exist.
    """

    def __init__(
        self,
        threshold: float | None = 0.968,
        ignore_top: int = 0,
        ignore_bottom: int = 0,
        weighting: str = 'batch',
    ) -> None:
        if weighting not in WEIGHTINGS:
            raise ValueError(f'pseudo_labels: weighting {weighting!r} does not exist, choose one of {WEIGHTINGS}')
        self.threshold = threshold
        self._warned = False
        self.ignore_top = ignore_top
        self.ignore_bottom = ignore_bottom
        self.weighting = weighting

    @torch.no_grad()
    def __call__(self, logits: Tensor, valid: Tensor | None = None) -> PseudoLabels:
        """Pseudo-labels of a batch of teacher scores (B, C, H, W); see :meth:`of_probabilities`."""
        return self.of_probabilities(at_least_float32(logits).softmax(dim=1), valid)

    @torch.no_grad()
    def of_probabilities(self, probabilities: Tensor, valid: Tensor | None = None) -> PseudoLabels:
        """Pseudo-labels of a batch.

        Args:
            probabilities: (B, C, H, W) of the classes; they need not add up to 1.
            valid: (B, H, W) bool, False where the loader's margins lie; None = none.

        Raises:
            ValueError: if both kinds of margins are used.
        """
        return self.with_margins(self.judge(hard_targets(probabilities)), valid)

    @torch.no_grad()
    def judge(self, predicted: HardTargets) -> JudgedLabels:
        """Pseudo-labels of a batch without margins."""
        labels, confidence = predicted
        sure = torch.ones_like(labels, dtype=torch.bool) if self.threshold is None else confidence >= self.threshold
        return JudgedLabels(labels, self._weight(confidence), sure)

    def with_margins(self, judged: JudgedLabels, valid: Tensor | None = None) -> PseudoLabels:
        """Weights of 0 in the margins; arguments and errors as of :meth:`of_probabilities`."""
        weight = judged.weight
        margins = self.ignore_top > 0 or self.ignore_bottom > 0
        if margins and valid is not None:
            raise ValueError(
                "pseudo_labels: ignore_top/ignore_bottom and the loader's pseudo_margins exclude each other; remove one"
            )
        if margins:
            self._warn_if_all_is_margin(weight.shape[1])
            weight = without_margins(weight, self.ignore_top, self.ignore_bottom)
        elif valid is not None:
            weight = weight * valid
        return PseudoLabels(judged.labels, weight)

    def _warn_if_all_is_margin(self, height: int) -> None:
        if self.ignore_top + self.ignore_bottom >= height and not self._warned:
            self._warned = True
            print_log(
                f'pseudo_labels: ignore_top={self.ignore_top} and ignore_bottom={self.ignore_bottom} leave nothing of '
                f'crops of {height} rows, so target images teach nothing; published values are for crops of 512 and '
                '1024',
                'current',
                logging.WARNING,
            )

    def _weight(self, confidence: Tensor) -> Tensor:
        if self.threshold is None or self.weighting == 'none':
            return torch.ones_like(confidence)
        if self.weighting == 'pixel':
            return (confidence >= self.threshold).to(confidence.dtype)
        return quality(confidence, self.threshold) * torch.ones_like(confidence)
