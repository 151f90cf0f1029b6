"""Distillation: frozen networks that label images for a student, and the losses of soft labels.

References: Hinton et al., arXiv:1503.02531; DDB (Chen et al., NeurIPS 2022), section 3.3; ProDA (Zhang et al., CVPR
2021), section 3.4.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mmseg.engine.gradient_sync import reduce_sum, world_size
from mmseg.models.precision import at_least_float32

MEANS = ('pixel', 'element')


class HardTargets(NamedTuple):
    """The likeliest class and how likely it is.

    Attributes:
        labels: (B, H, W) int64.
        confidence: (B, H, W).
    """

    labels: Tensor
    confidence: Tensor


def hard_targets(probabilities: Tensor) -> HardTargets:
    """Labels and confidence of class probabilities, or other class scores, (B, C, H, W)."""
    confidence, labels = probabilities.max(dim=1)
    return HardTargets(labels, confidence)


def kl_distillation(
    student_logits: Tensor,
    teacher_probabilities: Tensor,
    temperature: float = 1.0,
    mean: str = 'pixel',
    mask: Tensor | None = None,
) -> Tensor:
    """KL(teacher || student), the student's logits over the temperature; a factor T^2 is left to the caller.

    Args:
        student_logits: (B, C, H, W) with gradient.
        teacher_probabilities: (B, C, H, W), already at the temperature.
        temperature: T.
        mean: the sum is divided by the number of pixels (``pixel``), or by that times C (``element``).
        mask: (B, H, W) bool, the pixels that take part, those of all processes together; None = all. Without any the
            loss is 0.

    Returns:
        A scalar.

    Raises:
        ValueError: for another mean, or tensors of different shapes.
    """
    if mean not in MEANS:
        raise ValueError(f"distillation: mean is 'pixel' or 'element', not {mean!r}")
    if student_logits.shape != teacher_probabilities.shape:
        shapes = tuple(student_logits.shape), tuple(teacher_probabilities.shape)
        raise ValueError(f'distillation: student logits of {shapes[0]}, teacher probabilities of {shapes[1]}')
    student = (at_least_float32(student_logits) / temperature).log_softmax(dim=1)
    teacher = teacher_probabilities.detach().to(student.dtype)
    divergence = (torch.special.xlogy(teacher, teacher) - teacher * student).sum(dim=1)  # (B, H, W)
    return _mean(divergence, mask) / (student.shape[1] if mean == 'element' else 1)


def published_distillation(student_logits: Tensor, teacher_probabilities: Tensor, mask: Tensor | None = None) -> Tensor:
    """What ProDA's code computes: mean of q (log q - p) with the student's probabilities p, not their logarithm.

    Its authors name the logarithm as forgotten; it maximises the inner product of q and p. The mean is over pixels and
    classes. Arguments as those of :func:`kl_distillation`.
    """
    student = at_least_float32(student_logits).softmax(dim=1)
    teacher = teacher_probabilities.detach().to(student.dtype)
    difference = (torch.special.xlogy(teacher, teacher) - teacher * student).mean(dim=1)  # (B, H, W)
    return _mean(difference, mask)


def _mean(values: Tensor, mask: Tensor | None) -> Tensor:
    """Of (B, H, W), over the masked pixels of all processes."""
    if mask is None:
        return values.mean()
    # Gradients are averaged over processes afterwards, hence the factor.
    return (values * mask).sum() * world_size() / reduce_sum(mask.sum()).clamp(min=1)
