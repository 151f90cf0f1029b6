"""Losses for labels that are partly wrong: reverse cross-entropy, and regularisers of predictions.

References: Wang et al., "Symmetric Cross Entropy for Robust Learning with Noisy Labels", ICCV 2019; Zou et al.,
"Confidence Regularized Self-Training", ICCV 2019, in the form that ProDA's code has (Zhang et al., CVPR 2021).
"""

from __future__ import annotations

import torch
from torch import Tensor

from mmseg.engine.gradient_sync import reduce_sum, world_size
from mmseg.models.precision import at_least_float32

LEAST_PROBABILITY, LEAST_LABEL = 1e-7, 1e-4


def reverse_cross_entropy(logits: Tensor, labels: Tensor, ignore_index: int = 255) -> Tensor:
    """Cross-entropy with prediction and label exchanged: bounded, so that wrong labels pull no harder than right ones.

    -sum_k p_k log y_k with p at least 1e-7 and y at least 1e-4, mean over the labelled pixels of all processes.

    Args:
        logits: (B, C, H, W).
        labels: (B, H, W) int64.
        ignore_index: label of pixels that are left out.
    """
    probabilities = at_least_float32(logits).softmax(dim=1).clamp(LEAST_PROBABILITY, 1)
    labelled = labels != ignore_index
    classes = torch.arange(logits.shape[1], device=logits.device)[:, None, None]
    one_hot = torch.where(labelled, labels, 0)[:, None] == classes
    targets = one_hot.to(probabilities.dtype).clamp(LEAST_LABEL, 1)
    losses = -(probabilities * targets.log()).sum(dim=1) * labelled
    # Gradients are averaged over processes afterwards, hence the divisor.
    divisor = (reduce_sum(labelled.sum()).to(losses.dtype) + 1e-6) / world_size()
    return losses.sum() / divisor


def mrkld(logits: Tensor) -> Tensor:
    """Minus the mean log-probability over all classes and pixels: pulls predictions (B, C, H, W) towards uniform."""
    return -at_least_float32(logits).log_softmax(dim=1).mean()


def mrent(logits: Tensor) -> Tensor:
    """Minus the entropy, mean over all pixels: pulls predictions (B, C, H, W) towards uniform."""
    log_probabilities = at_least_float32(logits).log_softmax(dim=1)
    return (log_probabilities.exp() * log_probabilities).sum(dim=1).mean()


REGULARISERS = {'MRKLD': mrkld, 'MRENT': mrent}
